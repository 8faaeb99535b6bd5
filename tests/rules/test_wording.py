"""What a request is called in the summary of a finding."""

import pytest

from conformance.http import EMPTY, NO_AUTH, READ, Auth, ByHand, Request, update
from conformance.rules.wording import describe

PAIR = ("DefaultInactiveTimer", "PT5M")
OTHER = ("DefaultClosedTimer", "P1D")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (update(PAIR), "DefaultInactiveTimer=PT5M"),
        (update(PAIR, OTHER), "DefaultInactiveTimer=PT5M&DefaultClosedTimer=P1D"),
        (
            update(*[PAIR] * 3, *[OTHER] * 2),
            "&".join(["DefaultInactiveTimer=PT5M"] * 3) + "&DefaultClosedTimer=P1D and 1 more",
        ),
        (update(*[("A", "1")] * 4), "A=1&A=1&A=1&A=1"),
        (update(PAIR, auth=NO_AUTH), "{} (without credentials)"),
        (update(PAIR, auth=Auth(secret="")), "{} (with other credentials)"),
        (update(PAIR, auth=Auth(scheme="BASIC")), "DefaultInactiveTimer=PT5M (scheme BASIC)"),
        (Request(body=b"DefaultInactiveTimer=%u0050"), "DefaultInactiveTimer=%u0050 (unescaped)"),
        (EMPTY, "an empty update"),
        (READ, "GET"),
        (Request(method="HEAD", content_type=None), "HEAD"),
        (Request(method="OPTIONS", content_type=None), "OPTIONS"),
        (Request(method="DELETE", content_type=None), "DELETE (without a Content-Type)"),
        (Request(method="PUT", body=b"A=1"), "PUT A=1"),
        (
            Request(body=b"{}", content_type="application/json", intends=(PAIR,)),
            "DefaultInactiveTimer=PT5M (as application/json)",
        ),
        (update(PAIR, chunked=True), "DefaultInactiveTimer=PT5M (chunked)"),
        (update(PAIR, by_hand=ByHand.VERSION), "DefaultInactiveTimer=PT5M (HTTP/1.0)"),
        (
            update(PAIR, headers=(("Accept", "*/*"), ("Range", "bytes=0-0"))),
            "{} (Accept: */*) (Range: bytes=0-0)",
        ),
        (Request(body=b"A=%31"), "A=1 (spelled A=%31)"),
        (Request(body=b"A"), "A= (sent without the =)"),
        (Request(body=b"A=1&B"), "A=1&B= (spelled A=1&B)"),
        (Request(body=b"A=1+2"), "A=1 2"),
        (Request(body=b"A=1%202"), "A=1 2"),
        (Request(body=b"A=" + b"%31" * 26), "A=" + "1" * 26 + " (spelled A=" + "%31" * 26 + ")"),
        (Request(body=b"A=" + b"%31" * 27), "A=" + "1" * 27 + " (in 83 bytes, where 29 would say the same)"),
        (update(("A", "\u00e9")), r"A=\xe9"),
        (update(("A", "a\\b")), r"A=a\b"),
        (update(("A", "\n\u00e9")), r"A=\n\xe9"),
        (update(("A", "x" * 100)), "A=" + "x" * 21 + "\u2026" + "x" * 21 + " (100 characters)"),
    ],
)
def test_a_request_is_described_by_its_parameters_and_what_is_peculiar(request_: Request, words: str) -> None:
    assert describe(request_) == words.replace("{}", "DefaultInactiveTimer=PT5M")
