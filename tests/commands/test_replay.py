"""A replay says whether a target still does what was recorded, from the recording alone."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from reporting.samples import REPORTS, finding, outcome, rule

from conformance.cli import main
from conformance.http import NO_AUTH, READ, Exchange, Request, update
from conformance.model import CLOSED, INACTIVE, Verdict
from conformance.reporting import build, write_all
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

pytestmark = pytest.mark.slow

RULE = rule("inactive-timer-syntax", "timers")
REQUESTS = {
    "accepted": (update((INACTIVE.parameter, "banana")),),
    "kept": (update((CLOSED.parameter, "PT1H")), update((INACTIVE.parameter, "PT1M"))),
    "unauthorised": (Request(body=b"\x00\xff", auth=NO_AUTH),),
}


@contextmanager
def _emulator(*faults: str) -> Iterator[str]:
    with Embedded(THROWAWAY, faults=faults) as embedded:
        yield embedded.url()


def _recorded(url: str, directory: Path, settings: dict[str, Any] | None = None) -> dict[str, str]:
    """Send the requests, keep them as findings of a report, and return their fingerprints."""
    found = []
    with Target(TargetSettings(url=url)) as target:
        for name, requests in REQUESTS.items():
            exchanges: list[Exchange] = [target.send(each) for each in requests]
            found.append(finding(RULE, name, *exchanges, outcome=name, field=None))
    report = replace(REPORTS["clean"], target=url, outcomes=(outcome(RULE, Verdict.DEVIATION, *found),))
    write_all(build(replace(report, settings=settings or {})), directory)
    return {each.cls: each.fingerprint for each in found}


def _replay(*arguments: object) -> Result:
    result = CliRunner().invoke(main, ["replay", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def _outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the developer's take part."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "CONFORMANCE_ACCOUNTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, dict[str, str]]]:
    directory = tmp_path_factory.mktemp("report")
    with _emulator("inactive-timer-accepts-anything", "omitted-reset") as url:
        yield url, directory, _recorded(url, directory)


@pytest.mark.parametrize("name", REQUESTS)
def test_what_still_deviates_is_the_same(faulty: tuple[str, Path, dict[str, str]], name: str) -> None:
    _, directory, fingerprints = faulty
    result = _replay(fingerprints[name][:12], "--report", directory)

    assert result.exit_code == 1
    assert (
        result.stdout.splitlines()[-1]
        == f"same: {fingerprints[name][:12]} inactive-timer-syntax still deviates"
    )
    assert result.stdout.count("sent  ") == len(REQUESTS[name])


def test_what_was_mended_is_different_and_says_in_what(faulty: tuple[str, Path, dict[str, str]]) -> None:
    _, directory, fingerprints = faulty
    with _emulator() as url:
        accepted, kept = (
            _replay(fingerprints[name], "--report", directory / "result.json", "--target", url)
            for name in ("accepted", "kept")
        )

    assert (accepted.exit_code, kept.exit_code) == (0, 0)
    assert "HTTP status: 400, was 200" in accepted.stdout.splitlines()[-1]
    assert 'default_closed_timer: "PT1H", was null' in kept.stdout.splitlines()[-1]


def test_the_recorded_bytes_are_sent(faulty: tuple[str, Path, dict[str, str]]) -> None:
    _, directory, fingerprints = faulty
    result = _replay(fingerprints["unauthorised"], "--report", directory)

    assert result.stdout.splitlines()[0] == "sent      \\x00\\xff [no credentials]"


def test_the_embedded_emulator_is_started_again(tmp_path: Path) -> None:
    with _emulator() as url:
        fingerprints = _recorded(url, tmp_path, {"target": None})
    result = _replay(fingerprints["accepted"], "--report", tmp_path)

    assert (result.exit_code, result.stderr) == (1, "")


def test_a_target_that_is_gone_is_neither_the_same_nor_different(tmp_path: Path) -> None:
    with _emulator() as url:
        fingerprints = _recorded(url, tmp_path)
    result = _replay(fingerprints["accepted"], "--report", tmp_path)

    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == f"conformance: {url} cannot be reached"


def test_an_ambiguous_beginning_lists_the_candidates(tmp_path: Path) -> None:
    _write(tmp_path, ["a" * 64, "ab" * 32, "c" * 64])
    result = _replay("a", "--report", tmp_path)

    assert result.exit_code == 2
    assert result.stderr == (
        "conformance: a is ambiguous: aaaaaaa (inactive-timer-syntax class-0), "
        "abababa (inactive-timer-syntax class-1)\n"
    )


@pytest.mark.parametrize("prefix", ["d", "", "../../x", "C" * 65])
def test_an_unknown_fingerprint_lists_what_there_is(tmp_path: Path, prefix: str) -> None:
    _write(tmp_path, ["a" * 64, "c" * 64])
    result = _replay(prefix, "--report", tmp_path)

    assert result.exit_code == 2
    assert (
        result.stderr.endswith("there are: aaaaaaaaaaaa, cccccccccccc\n") and result.stderr.count("\n") == 1
    )


def test_a_report_without_findings_says_so(tmp_path: Path) -> None:
    _write(tmp_path, [])

    assert _replay("a", "--report", tmp_path).stderr == "conformance: the report has no findings\n"


def test_a_public_target_is_refused_without_being_asked_for(tmp_path: Path) -> None:
    _write(tmp_path, ["a" * 64])
    result = _replay("a", "--report", tmp_path, "--target", "http://192.0.2.1")

    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def _write(directory: Path, fingerprints: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    found = [
        finding(RULE, f"class-{number}", Exchange(number=1, request=update()))
        for number in range(len(fingerprints))
    ]
    report = replace(REPORTS["clean"], target=url, outcomes=(outcome(RULE, Verdict.DEVIATION, *found),))
    document = build(report)
    for each, fingerprint in zip(document["findings"], fingerprints, strict=True):
        each["fingerprint"] = fingerprint
    (directory / "result.json").write_text(json.dumps(document))


def test_the_settings_of_before_are_put_back(faulty: tuple[str, Path, dict[str, str]]) -> None:
    url, directory, fingerprints = faulty
    with Target(TargetSettings(url=url)) as target:
        target.send(update((INACTIVE.parameter, "PT11M"), (CLOSED.parameter, "P11D")))
        before = target.send(READ).response
        result = _replay(fingerprints["kept"], "--report", directory)
        after = target.send(READ).response
    assert result.exit_code == 1
    assert before is not None
    assert after is not None
    assert after.body == before.body


def test_a_live_target_is_left_alone_when_it_could_not_be_put_back(tmp_path: Path) -> None:
    with _emulator() as url:
        fingerprints = _recorded("http://127.0.0.1:1", tmp_path)
        result = _replay(fingerprints["kept"], "--report", tmp_path, "--target", url, "--live")
        with Target(TargetSettings(url=url)) as target:
            answer = target.send(READ).response
    assert result.exit_code == 3
    assert "--accept-unrestorable" in result.stderr
    assert answer is not None
    assert b'"default_closed_timer": null' in answer.body


def test_what_was_sent_at_the_same_moment_is_sent_so_again(tmp_path: Path) -> None:
    updates = [update((INACTIVE.parameter, f"PT{minutes}M")) for minutes in (10, 20, 30, 40)]
    with _emulator("writers-locked-out") as url:
        with Target(TargetSettings(url=url)) as target:
            exchanges = sorted(target.send_together(updates), key=lambda each: each.refused)
        found = finding(RULE, "locked-out", *exchanges, outcome="refused", field=None)
        report = replace(REPORTS["clean"], target=url, outcomes=(outcome(RULE, Verdict.DEVIATION, found),))
        write_all(build(report), tmp_path)
        again = _replay(found.fingerprint, "--report", tmp_path)
    assert exchanges[-1].refused
    assert again.exit_code == 1, again.output
    assert again.output.count("sent  ") == len(updates)
