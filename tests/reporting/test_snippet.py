"""Python lines, run as they are, send with httpx the very bytes that were recorded."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance.http import FORM_MEDIA_TYPE, READ, Auth, Exchange, Failure, FailureKind, Request
from conformance.reporting import ShellAccount, curl
from conformance.reporting.snippet import httpx_snippet
from conformance.transport.credentials import _PLACEHOLDER, OF_TOKEN

from .recorder import Received, Recorder, serving

pytestmark = pytest.mark.slow

SID = "AC" + "0" * 32
OTHER_SID = "AC" + "1" * 32
TOKEN = "t0k en'\"$(id)`%!\\"
ACCOUNTS = (ShellAccount(SID), ShellAccount(OTHER_SID))


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with serving() as server:
        yield server


def _run(recorder: Recorder, *requests: Request, **environ: str) -> list[Received]:
    return _sent(recorder, *(Exchange(number=1, request=each) for each in requests), **environ)


def _sent(recorder: Recorder, *exchanges: Exchange, **environ: str) -> list[Received]:
    recorder.received.clear()
    lines = httpx_snippet(exchanges, url=recorder.url, accounts=ACCOUNTS)
    assert TOKEN not in lines
    assert lines.isascii() and all(line.isprintable() for line in lines.split("\n"))
    environment = {"TWILIO_AUTH_TOKEN": TOKEN, "CONFORMANCE_TOKEN_2": "second", **environ}
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        check=False,
        input=lines.encode(),
        env=environment,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return list(recorder.received)


def test_any_body_arrives_as_recorded(recorder: Recorder) -> None:
    bodies = [b"", b"a=b", b'it\'s "$HOME"\n', b"\x00\xff\\n'", bytes(range(256)), b"a=" + b"9" * 100_000]
    received = _run(recorder, *(Request(body=each) for each in bodies))

    assert [each.body for each in received] == bodies
    assert {(each.method, *each.values("content-type")) for each in received} == {("POST", FORM_MEDIA_TYPE)}


def test_what_was_sent_at_the_same_moment_is_sent_so_between_what_was_not(recorder: Recorder) -> None:
    bodies = [b"first=1", b"a=1", b"b=1", b"last=1"]
    exchanges = [
        Exchange(number=1, request=Request(body=body), together=body in bodies[1:3]) for body in bodies
    ]
    received = [each.body for each in _sent(recorder, *exchanges)]

    assert (received[0], received[-1]) == (bodies[0], bodies[-1])
    assert sorted(received[1:3]) == bodies[1:3]


def test_what_is_unusual_about_a_request_is_repeated(recorder: Recorder) -> None:
    odd = Request(
        method="PUT",
        body=b"a=b",
        content_type=None,
        query="a=1&b=c",
        headers=(("X-Text", "\u00e9"), ("X-Twice", "1"), ("X-Twice", "2")),
        chunked=True,
    )
    (received,) = _run(recorder, odd)

    assert (received.method, received.path, received.body) == ("PUT", "/v1/Configuration?a=1&b=c", b"a=b")
    assert received.values("transfer-encoding") == ["chunked"]
    assert received.values("content-length") == received.values("content-type") == []
    assert [pair for pair in received.headers if pair[0].lower().startswith("x-")] == [
        ("X-Text", "\u00e9"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    ]


CREDENTIALS = [
    (Auth(), SID, TOKEN, "Basic"),
    *((Auth(secret=f"{{{name}}}"), SID, change(TOKEN), "Basic") for name, change in OF_TOKEN.items()),
    (Auth(user="SK{digits_of_sid}"), f"SK{SID[2:]}", TOKEN, "Basic"),
    (Auth(user="{short_sid}"), SID[:-1], TOKEN, "Basic"),
    (Auth(secret="{token}x"), SID, f"{TOKEN}x", "Basic"),
    (Auth(user="", secret=""), "", "", "Basic"),
    (Auth(user="{other_sid}", secret="{other_token}"), OTHER_SID, "second", "Basic"),
    (Auth(scheme="bAsIc"), SID, TOKEN, "bAsIc"),
    (Auth(header="Basic {basic}"), SID, TOKEN, "Basic"),
]


def test_credentials_are_filled_in(recorder: Recorder) -> None:
    received = _run(recorder, *(replace(READ, auth=auth) for auth, *_ in CREDENTIALS))

    assert [each.credentials() for each in received] == [
        (scheme, user, secret) for _, user, secret, scheme in CREDENTIALS
    ]


def test_no_placeholder_that_the_target_fills_in_is_left_as_it_is() -> None:
    names = re.findall(r"[a-z_]+", _PLACEHOLDER.pattern)
    assert {"sid", "token", "swapped"} <= set(names)
    for name in names:
        exchange = Exchange(number=1, request=replace(READ, auth=Auth(secret=f"{{{name}}}")))
        for spelled in (httpx_snippet([exchange], url="http://h/"), curl([exchange], url="http://h/")):
            assert f"{{{name}}}" not in spelled


def test_headers_of_credentials_may_be_anything_or_absent(recorder: Recorder) -> None:
    auths = (Auth(header="Bearer {token}"), Auth(header="Basic"), Auth(header=""), Auth(scheme=None))
    received = _run(recorder, *(replace(READ, auth=each) for each in auths))

    assert [each.values("authorization") for each in received] == [[f"Bearer {TOKEN}"], ["Basic"], [""], []]


def test_a_throwaway_token_is_the_default() -> None:
    lines = httpx_snippet(
        [Exchange(number=1, request=READ)], url="http://h/", accounts=[ShellAccount(SID, throwaway="f00d")]
    )

    assert lines.splitlines() == [
        "import os",
        "",
        "import httpx",
        "",
        f"sid = '{SID}'",
        "token = os.environ.get(\"TWILIO_AUTH_TOKEN\", 'f00d')",
        "with httpx.Client(trust_env=False) as client:",
        "    answer = client.request(\"GET\", 'http://h/', auth=(sid, token))",
        "    print(answer.status_code, answer.headers, answer.text)",
    ]


def test_certificates_and_patience_are_those_of_the_run() -> None:
    silent = Exchange(number=1, request=READ, failure=Failure(FailureKind.TIMEOUT, ""), elapsed=10.2)

    lines = httpx_snippet(
        [silent], url="https://h/", options=["--cacert", "my ca.pem", "--proxy", "http://proxy:3128"]
    )
    assert (
        "with httpx.Client(trust_env=False, verify='my ca.pem', proxy='http://proxy:3128', timeout=11) as client:"
        in lines.splitlines()
    )
