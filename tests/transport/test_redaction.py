"""A token is found in every spelling that docs/how-to-live-account.md promises, and nothing else is."""

import base64
import gzip
import json
import random

import pytest
from spellings import ACCOUNT, SID, TOKEN, percent, spellings, told

from conformance.http import Exchange, Request, Response, update
from conformance.transport.credentials import THROWAWAY, Account
from conformance.transport.redaction import Secrets, masked

SECRETS = Secrets([ACCOUNT], "")


ODD = Account("AC" + "1" * 32, 'p"ss/w%rd+é')
"""Its token is spelled differently in a URL, in JSON and in base64."""


class TestWhatIsPromised:
    """One test for each sentence of the page."""

    @pytest.mark.parametrize("account", [*THROWAWAY, ODD])
    @pytest.mark.parametrize("prefix", ["", "a", "ab", "AC" + "f" * 32 + ":"])
    def test_a_token_that_is_no_text_of_letters_is_found_in_base64(
        self, account: Account, prefix: str
    ) -> None:
        secrets = Secrets([account], "")
        encoded = base64.b64encode(f"{prefix}{account.token}".encode()).decode()
        redacted = secrets.redact(f"x {account.token} {encoded} y")
        assert account.token not in redacted
        assert encoded[len(prefix) * 4 // 3 + 3 : -6] not in redacted
        assert redacted.startswith("x {token} ")
        assert secrets.redact(account.token.encode()) == b"{token}"

    def test_a_token_is_found_in_every_spelling(self) -> None:
        for name, text in spellings().items():
            assert told(text), name
            redacted = SECRETS.redact(f"<{text}>")
            assert (told(redacted), redacted[0], redacted[-1]) == ([], "<", ">"), name
            assert SECRETS.redact(f"<{text}>".encode()) == redacted.encode(), name

    def test_a_piece_of_12_characters_is_found_where_any_8_of_it_have_5_different_ones(self) -> None:
        rng = random.Random(0)
        for _ in range(300):
            token = "".join(rng.choices("0123456789abcdef", k=32))
            at = rng.randrange(21)
            piece = token[at : at + 12]
            if token.isalpha() or any(len(set(piece[start : start + 8])) < 5 for start in range(5)):
                continue
            assert SECRETS.redact(piece) == piece
            assert Secrets([Account(SID, token)], "").redact(f"<{piece}>") == "<{token}>"

    def test_a_piece_is_found_with_other_signs_between_its_characters(self) -> None:
        pairs = [TOKEN[at : at + 2] for at in range(0, 26, 2)]
        redacted = SECRETS.redact(f"debug: {json.dumps(pairs)[:-3]}… (439 characters)")
        assert "".join(pairs)[:12] not in redacted.replace('", "', "")
        assert redacted.endswith("… (439 characters)")

    def test_of_a_token_that_nobody_drew_only_the_whole_is_redacted(self) -> None:
        secrets = Secrets([Account(SID, "configuration-token")], "")
        assert secrets.redact("the configuration of configuration-token") == "the configuration of {token}"
        zeros = Secrets([Account(SID, "0" * 31 + "a")], "")
        assert zeros.redact("IS" + "0" * 32) == "IS" + "0" * 32

    def test_a_token_of_fewer_than_8_characters_is_found_as_a_word(self) -> None:
        secrets = Secrets([Account(SID, "t0ken")], "")
        basic = base64.b64encode(f"{SID}:t0ken".encode()).decode().rstrip("=")
        assert secrets.redact(f"t0ken, t0kens, {basic}") == "{token}, t0kens, {token}"

    def test_what_is_not_found(self) -> None:
        twice = base64.b64encode(base64.b64encode(TOKEN.encode())).decode()
        packed = base64.b64encode(gzip.compress(TOKEN.encode())).decode()
        for text in (TOKEN[::-1], twice, packed, base64.b64encode(TOKEN.encode()).hex()):
            assert SECRETS.redact(text) == text


class TestLeaks:
    """An answer that holds a token which its request did not hold."""

    def leaks(self, *, request: Request | None = None, **answer: object) -> bool:
        """Whether an answer leaks."""
        response = Response(status=200, **answer)  # type: ignore[arg-type]  # Response checks the names
        return SECRETS.leaks(Exchange(number=1, request=request or Request(), response=response))

    def test_wherever_in_the_answer_it_stands(self) -> None:
        half, rest = TOKEN[:16], TOKEN[16:]
        assert self.leaks(body=TOKEN.encode())
        assert self.leaks(reason=f"Bad token {TOKEN}")
        assert self.leaks(headers=((f"X-{TOKEN}", "1"),))
        assert self.leaks(headers=(("X-A", half), ("X-B", rest)))
        assert self.leaks(headers=((f"X-{half}", "1"), (rest, "2")))
        assert self.leaks(body=f'{{"a": "{half}", "of": {{"b": "{rest}"}}}}'.encode())
        assert self.leaks(body=", ".join(TOKEN).encode())

    def test_no_piece_is_a_leak_nor_what_the_request_held(self) -> None:
        half = TOKEN[:16]
        assert not self.leaks(body=half.encode(), reason=half, headers=((half, half),))
        assert not self.leaks(body=f'{{"a": "{half}", "b": ".", "c": "d{TOKEN[16:]}"}}'.encode())
        assert not self.leaks(request=update(("A", TOKEN)), body=f"{half}-{TOKEN[16:]}".encode())

    def test_a_token_that_nobody_drew_is_only_found_as_a_whole(self) -> None:
        secrets = Secrets([Account(SID, "configuration")], "")
        exchange = Exchange(
            number=1, request=Request(), response=Response(status=200, body=b"configur-ation")
        )
        assert not secrets.leaks(exchange)


def test_ordinary_text_stays_as_it_is() -> None:
    text = '{"a": "%41\\n b", "sid": "IS' + "0" * 32 + '"}\r\n ' + TOKEN[:6]
    assert SECRETS.redact(text) == text


def test_of_three_thousand_tokens_nothing_is_left() -> None:
    assert TOKEN not in SECRETS.redact(TOKEN * 3_000)


def test_sids_are_masked_by_their_number_and_lengths_stay() -> None:
    other = Account("AC" + "6" * 32, "t" * 32)
    secrets = Secrets([], "", [ACCOUNT, other])
    text = f'{{"account_sid": "{SID.upper()}", "other": "{percent(other.user)}"}}'
    one, two = "AC" + "x" * 31 + "1", "AC" + "x" * 31 + "2"
    assert secrets.redact(text) == f'{{"account_sid": "{one}", "other": "{two}"}}'
    assert masked(f"of {SID} and AC{'7' * 32}", [ACCOUNT]) == f"of {one} and AC{'x' * 31}0"
