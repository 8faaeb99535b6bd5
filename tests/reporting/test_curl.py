"""Curl lines, pasted into real shells, send the very bytes that were recorded."""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hostile import verbatim
from playing import playing

from conformance.http import (
    EMPTY,
    FORM_MEDIA_TYPE,
    NO_AUTH,
    READ,
    Auth,
    ByHand,
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
)
from conformance.reporting import ShellAccount, curl
from conformance.reporting.raw import NOT_BY_CURL
from conformance.reporting.snippet import httpx_snippet
from conformance.transport.credentials import OF_TOKEN, THROWAWAY

from .recorder import Received, Recorder, serving

SID = "AC" + "0" * 32
OTHER_SID = "AC" + "1" * 32
TOKEN = "t0k en'\"$(id)`%!\\"
ACCOUNTS = (ShellAccount(SID), ShellAccount(OTHER_SID))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with serving() as server:
        yield server


@pytest.fixture(params=[shell for shell in ("sh", "bash") if shutil.which(shell)])
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _exchange(request: Request, **fields: object) -> Exchange:
    return replace(Exchange(number=1, request=request), **fields)  # type: ignore[arg-type]  # replace checks names


def _run(shell: str, script: str, token: str | None = TOKEN, **environ: str) -> None:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "CONFORMANCE_TOKEN_2": "second", **environ}
    if token is not None:
        environment["TWILIO_AUTH_TOKEN"] = token
    done = subprocess.run(
        [shell], check=False, input=script.encode("ascii"), env=environment, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


def _pasted(shell: str, recorder: Recorder, *requests: Request, token: str | None = TOKEN) -> list[Received]:
    recorder.received.clear()
    lines = curl([_exchange(each) for each in requests], url=recorder.url, accounts=ACCOUNTS)
    assert TOKEN not in lines
    _run(shell, lines, token)
    return list(recorder.received)


BODIES = [
    b"",
    b"DefaultInactiveTimer=PT10M",
    b"it's=\"quoted\"'",
    b"''''",
    b"$HOME=${HOME}&$(id)&`id`",
    b"wow!&!!&!$",
    b"a=%00%zz%25s%d%",
    b"@/etc/passwd",
    b"-d",
    b"--data=x",
    b"-\n",
    b"\\n\\0\\\\",
    b"\n",
    b"a=b\n\n",
    b"\x00",
    b"\x00\x001234567",
    b"a=\xff\xfe\x80",
    "Ä=€ \u202e".encode(),
    b"a\tb\r\nc",
    b"{}[]*?~#;&|<>()",
    b"%s%n\\\xff",
    b" leading and trailing ",
    bytes(range(256)),
    b"a=" + b"9" * 200_000,
    b"a=\x01" + b"9" * 200_000,
    b"a=" + b"'" * 3000 + b"\xff" * 3000 + b"\0" * 3000 + b"%\\-" * 1000 + b"\n" * 3000,
    b"&" * 1000 + b"a=1&" * 500 + b"b='\"$(id)`",
    b"&".join(b"Unknown%d=%d" % (number, number) for number in range(1100)),
    hashlib.shake_256(b"any").digest(5000),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:12]))
def test_any_body_arrives_as_recorded(shell: str, recorder: Recorder, body: bytes) -> None:
    (received,) = _pasted(shell, recorder, Request(body=body))

    assert (received.method, received.path, received.body) == ("POST", "/v1/Configuration", body)
    assert received.values("content-type") == [FORM_MEDIA_TYPE]
    assert received.values("content-length") == [str(len(body))]
    assert received.values("expect") == []


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:12]))
def test_lines_are_printable_ascii_and_short(body: bytes) -> None:
    lines = curl([_exchange(Request(body=body))], url="http://127.0.0.1/v1/Configuration").split("\n")

    assert all(line.isascii() and line.isprintable() and len(line) <= 500 for line in lines)


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "TEXT/plain; charset='utf-8'", FORM_MEDIA_TYPE]
)
def test_the_content_type_is_exactly_the_one_sent(
    shell: str, recorder: Recorder, content_type: str | None
) -> None:
    (received,) = _pasted(shell, recorder, Request(body=b"a=b", content_type=content_type))

    assert received.values("content-type") == ([] if content_type is None else [content_type])


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH", "POST"])
@pytest.mark.parametrize("body", [None, b"", b"a=b"], ids=["none", "empty", "form"])
def test_any_method_is_sent_with_its_body_or_without_one(
    recorder: Recorder, method: str, body: bytes | None
) -> None:
    (received,) = _pasted("sh", recorder, Request(method=method, body=body, content_type=None))

    assert (received.method, received.body) == (method, body or b"")
    anticipated = body is not None or method in ("POST", "PUT", "PATCH")
    assert received.values("content-length") == ([str(len(body or b""))] if anticipated else [])


def test_chunked_bodies_are_sent_chunked(shell: str, recorder: Recorder) -> None:
    bodies = [b"a=b", b"\x00\xff", b""]
    received = _pasted(shell, recorder, *(Request(body=body, chunked=True) for body in bodies))

    assert [each.body for each in received] == bodies
    assert [each.values("transfer-encoding") for each in received] == [["chunked"]] * 3
    assert [each.values("content-length") for each in received] == [[]] * 3


def test_headers_of_the_request_are_repeated_in_any_spelling(shell: str, recorder: Recorder) -> None:
    headers = (
        ("X-Quote", 'it\'s "$HOME" `id` !'),
        ("X-Empty", ""),
        ("X-Text", "é"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    )
    (received,) = _pasted(shell, recorder, Request(body=b"", headers=headers))

    assert [pair for pair in received.headers if pair[0].startswith("X-")] == list(headers)


@pytest.mark.parametrize("accept", ["*/*", "application/json", None])
def test_accept_is_the_one_that_was_sent(recorder: Recorder, accept: str | None) -> None:
    sent = (("Host", "x"), *((("Accept", accept),) if accept is not None else ()))
    recorder.received.clear()
    _run(
        "sh",
        curl([_exchange(EMPTY, url=recorder.url, sent_headers=sent)]).replace("$TWILIO_ACCOUNT_SID", SID),
    )

    assert recorder.received[0].values("accept") == ([] if accept is None else [accept])


def test_query_strings_are_sent_as_they_are(shell: str, recorder: Recorder) -> None:
    (received,) = _pasted(
        shell, recorder, Request(method="GET", content_type=None, query="a=[1-3]&b={x,y}&c='$HOME'")
    )

    assert received.path == "/v1/Configuration?a=[1-3]&b={x,y}&c='$HOME'"


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


CREDENTIALS = [
    (Auth(), _basic(SID, TOKEN)),
    (Auth(secret="{truncated}"), _basic(SID, TOKEN[:-1])),
    (Auth(secret="{swapped}"), _basic(SID, TOKEN.swapcase())),
    *(
        (Auth(secret=f"{{{name}}}"), _basic(SID, OF_TOKEN[name](TOKEN)))
        for name in ("reversed", "escaped", "full_width")
    ),
    (Auth(user="SK{digits_of_sid}"), _basic(f"SK{SID[2:]}", TOKEN)),
    (Auth(user="{short_sid}"), _basic(SID[:-1], TOKEN)),
    (Auth(secret="{token}x"), _basic(SID, TOKEN + "x")),
    (Auth(secret=""), _basic(SID, "")),
    (Auth(user="", secret=""), _basic("", "")),
    (Auth(user='it\'s "$HOME" é'), _basic('it\'s "$HOME" é', TOKEN)),
    (Auth(user="{other_sid}"), _basic(OTHER_SID, TOKEN)),
    (Auth(secret="{other_token}"), _basic(SID, "second")),
    (Auth(scheme="bAsIc"), "bAsIc" + _basic(SID, TOKEN)[5:]),
    (Auth(header="Bearer {token}"), f"Bearer {TOKEN}"),
    (Auth(header="Basic {basic}"), _basic(SID, TOKEN)),
    (Auth(header="Basic {basic}!'", secret="{truncated}"), _basic(SID, TOKEN[:-1]) + "!'"),
    (Auth(header="Basic"), "Basic"),
    (Auth(header=""), ""),
    (NO_AUTH, None),
]


@pytest.mark.parametrize(("auth", "expected"), CREDENTIALS, ids=[str(pair[1])[:12] for pair in CREDENTIALS])
def test_credentials_are_filled_in_by_the_shell(
    shell: str, recorder: Recorder, auth: Auth, expected: str | None
) -> None:
    (received,) = _pasted(shell, recorder, replace(READ, auth=auth))

    assert received.values("authorization") == ([] if expected is None else [expected])


def test_long_credentials_stay_on_one_line(recorder: Recorder) -> None:
    token = "x" * 200
    (received,) = _pasted("sh", recorder, replace(READ, auth=Auth(header="Basic {basic}")), token=token)

    assert received.values("authorization") == [_basic(SID, token)]


@pytest.mark.parametrize("throwaway", ["f00d", "it's $HOME`id`\"}\\%"])
def test_a_throwaway_token_works_without_the_variable(shell: str, recorder: Recorder, throwaway: str) -> None:
    recorder.received.clear()
    whole, truncated = replace(READ), replace(READ, auth=Auth(secret="{truncated}"))
    accounts = [ShellAccount(SID, throwaway=throwaway)]
    _run(
        shell, curl([_exchange(whole), _exchange(truncated)], url=recorder.url, accounts=accounts), token=None
    )

    sent = [each.values("authorization")[0] for each in recorder.received]
    assert sent == [_basic(SID, throwaway), _basic(SID, throwaway[:-1])]


def test_a_further_account_has_a_variable_of_its_own_and_says_so(recorder: Recorder) -> None:
    lines = curl([_exchange(READ), _exchange(replace(READ, account=1))], url=recorder.url, accounts=ACCOUNTS)

    assert lines.splitlines()[0] == f"# $CONFORMANCE_TOKEN_2: the token of {OTHER_SID}"
    recorder.received.clear()
    _run("sh", lines)
    assert recorder.received[1].values("authorization") == [_basic(OTHER_SID, "second")]


def test_an_api_key_is_spelled_by_its_own_variable() -> None:
    key = ShellAccount("SK" + "0" * 32, variable="TWILIO_API_SECRET")
    line = curl([_exchange(READ)], url="http://127.0.0.1/v1/Configuration", accounts=[key])

    assert line == (
        f"curl -sS -i --noproxy '*' -u \"SK{'0' * 32}:$TWILIO_API_SECRET\" http://127.0.0.1/v1/Configuration"
    )


def test_without_accounts_every_credential_is_a_variable() -> None:
    line = curl([_exchange(READ)], url="http://127.0.0.1/v1/Configuration")

    assert line == (
        "curl -sS -i --noproxy '*' -u \"$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN\" "
        "http://127.0.0.1/v1/Configuration"
    )


def test_an_ordinary_update_reads_as_a_person_would_write_it() -> None:
    request = Request(body=b"DefaultInactiveTimer=PT10M")
    line = curl([_exchange(request)], url="http://127.0.0.1/v1/Configuration", accounts=ACCOUNTS)

    assert line == (
        f"curl -sS -i --noproxy '*' -u \"{SID}:$TWILIO_AUTH_TOKEN\" --data-raw 'DefaultInactiveTimer=PT10M' "
        "http://127.0.0.1/v1/Configuration"
    )


def test_what_is_sent_later_is_waited_for() -> None:
    lines = curl([_exchange(READ), _exchange(replace(READ, after=2.0))], url="http://a.test/").splitlines()
    assert [line.split()[0] for line in lines] == ["curl", "sleep", "curl"]
    assert lines[1] == "sleep 2"


def test_what_was_sent_at_the_same_moment_runs_in_the_background_until_all_have_ended() -> None:
    exchanges = [
        Exchange(number=1, request=Request(body=body), together=body in (b"a=1", b"b=1"))
        for body in (b"first=1", b"a=1", b"b=1", b"last=1")
    ]
    first, one, other, wait, last = curl(exchanges, url="http://127.0.0.1/").splitlines()

    assert [each.endswith(" &") for each in (first, one, other, last)] == [False, True, True, False]
    assert wait == "wait"


def test_what_was_sent_at_the_same_moment_arrives_at_the_same_moment(shell: str) -> None:
    bodies = [b"a=1", b"b=\xff", b"c=" + b"3" * 5000]
    exchanges = [Exchange(number=1, request=Request(body=body), together=True) for body in bodies]
    with serving(together=len(bodies)) as server:  # it answers none before all are there
        _run(shell, curl(exchanges, url=server.url))

        assert sorted(each.body for each in server.received) == sorted(bodies)


def test_what_depends_on_one_connection_is_sent_on_one(shell: str) -> None:
    bodies = [b"a=1", b"b=\0\xff", b"c=\n", b"d=\n" * 500, b"e=" + b"5" * 5000]
    requests = [*(Request(body=body) for body in bodies), READ, Request(body=b"f=1", fresh=True)]
    exchanges = [_exchange(each) for each in requests]
    with serving() as server:
        for shared in (True, False):
            _run(shell, curl(exchanges, url=server.url, accounts=ACCOUNTS, shared=shared))

        assert [each.body for each in server.received] == [*bodies, b"", b"f=1"] * 2
        assert [each.connection for each in server.received[:7]] == [1, 1, 1, 1, 1, 1, 2]
        assert [each.connection for each in server.received[7:]] == [3, 4, 5, 6, 7, 8, 9]


BY_HAND = [
    Request(body=b"a=b", by_hand=ByHand.VERSION),
    Request(body=b"a=b", by_hand=ByHand.ABSOLUTE, query="c=d"),
    Request(method="OPTIONS", content_type=None, by_hand=ByHand.ASTERISK),
    Request(method="HEAD", content_type=None, by_hand=ByHand.ELSEWHERE),
    Request(body=b"a=b", by_hand=ByHand.DOT, query="c=d"),
    Request(body=b"a=b", by_hand=ByHand.NAMES),
    Request(body=b"a" * 22, by_hand=ByHand.BYTES, chunked=True),
    Request(body=b"a=b", by_hand=ByHand.CODING, chunked=True),
    Request(body=b"a" * 22, by_hand=ByHand.EXTENSIONS, chunked=True),
    Request(body=b"a" * 22, by_hand=ByHand.SIZES, chunked=True),
    Request(body=b"a'%\\" * 5 + b"\0", by_hand=ByHand.TRAILERS, chunked=True),
    Request(body=b"a=b", by_hand=ByHand.PIPELINED),
    Request(body=b"a=b", by_hand=ByHand.SEGMENTS),
    Request(body=b"a=b", by_hand=ByHand.TRAILERS, chunked=True, auth=NO_AUTH),
]


@pytest.mark.parametrize("request_", BY_HAND, ids=lambda request: request.by_hand)
def test_what_is_written_by_hand_is_written_so_by_the_shell_and_by_python(request_: Request) -> None:
    accounts = [ShellAccount(each.sid or "", throwaway=each.token) for each in THROWAWAY]
    with playing(verbatim) as (server, target):
        exchange = replace(target.send(request_), request=request_)
        line = curl([exchange], accounts=accounts)
        assert all(len(each) <= 500 for each in line.splitlines())
        for program, script in (("sh", line), (sys.executable, httpx_snippet([exchange], accounts=accounts))):
            subprocess.run([program], check=False, input=script.encode("ascii"), timeout=60)
    sent, *_, by_shell, by_python = map(_lines, server.received)
    assert by_python == sent
    if request_.by_hand in NOT_BY_CURL:
        assert by_shell == sent
    else:
        assert by_shell[0] == sent[0]
        # curl names itself, knows of no compression unless it is asked for it, and adds what it always sends.
        own = [line for line in sent[1] if re.match(b"(?i)content-|transfer-|auth", line)]
        assert set(own) <= set(by_shell[1])


def _lines(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The first line, and the others in alphabetical order: that of headers does not matter."""
    first, *others = raw.split(b"\r\n")
    return first, sorted(others)


@pytest.mark.parametrize(
    "environment", [{"http_proxy": "http://127.0.0.1:1"}, {"ALL_PROXY": "http://127.0.0.1:1"}]
)
def test_a_proxy_of_the_environment_is_not_used(recorder: Recorder, environment: dict[str, str]) -> None:
    recorder.received.clear()
    _run("sh", curl([_exchange(READ)], url=recorder.url), **environment)

    assert len(recorder.received) == 1


def test_the_proxy_of_the_run_is_used_whatever_the_environment_exempts(recorder: Recorder) -> None:
    recorder.received.clear()
    proxy = recorder.url.removesuffix("/v1/Configuration")
    line = curl([_exchange(READ)], url="http://127.0.0.1:1/v1/Configuration", options=["--proxy", proxy])
    _run("sh", line, no_proxy="*")

    assert [each.path for each in recorder.received] == ["http://127.0.0.1:1/v1/Configuration"]


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET", content_type=None, query="a=" + "9" * 6000 + "&" + "b%20c'" * 900),
        Request(body=b"a=b", headers=(("X-Long", "it's " * 900 + "x" * 6000),)),
        replace(READ, auth=Auth(user="u" * 3000, secret="it's {token}" + "p" * 3000)),
        replace(READ, auth=Auth(header="Bearer " + "t" * 3000)),
    ],
    ids=["query", "header", "pair", "authorization"],
)
def test_what_is_long_is_sent_by_short_lines(shell: str, recorder: Recorder, request_: Request) -> None:
    (received,) = _pasted(shell, recorder, request_)
    lines = curl([_exchange(request_)], url=recorder.url, accounts=ACCOUNTS).split("\n")

    assert max(map(len, lines)) <= 500
    assert received.path == "/v1/Configuration" + (f"?{request_.query}" if request_.query else "")
    assert [value for name, value in received.headers if name == "X-Long"] == [
        value.strip() for _, value in request_.headers
    ]
    if request_.auth.header:
        assert received.values("authorization") == [request_.auth.header]
    else:
        secret = request_.auth.secret.replace("{token}", TOKEN)
        assert received.values("authorization") == [_basic(request_.auth.user.replace("{sid}", SID), secret)]


def test_what_was_not_answered_in_time_is_not_waited_for_forever() -> None:
    silent = _exchange(READ, failure=Failure(FailureKind.TIMEOUT, ""), elapsed=10.2)

    assert " -m 11 " in curl([silent], url="http://127.0.0.1/v1/Configuration")


def test_a_compressed_answer_is_asked_for_and_decoded() -> None:
    response = Response(status=200, headers=(("Content-Encoding", "gzip"),))

    assert " --compressed " in curl(
        [_exchange(READ, response=response)], url="http://127.0.0.1/v1/Configuration"
    )


def test_options_are_part_of_every_line() -> None:
    lines = curl(
        [_exchange(READ)] * 2, url="https://127.0.0.1/v1/Configuration", options=["--cacert", "my ca.pem"]
    )

    assert [" --cacert 'my ca.pem' --http1.1 " in line for line in lines.splitlines()] == [True, True]
