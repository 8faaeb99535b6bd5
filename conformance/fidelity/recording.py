"""
A recording: the steps that were sent to one target, with their answers, as lines of JSON.

The first line says what was recorded, when, and by which script; every other line has one step. Nothing in a recording
depends on the moment when it was made, except for `recorded_at`. A recording holds no token: it is redacted before it
is written, and looked through afterwards.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance import contract
from conformance.exceptions import RecordingError
from conformance.fidelity.outcome import Outcome, outcome_of
from conformance.fidelity.script import Part, Step
from conformance.http import Exchange
from conformance.reporting import Redact, record, request_of
from conformance.reporting.reading import parsed
from conformance.reporting.recorded import exchange_of
from conformance.reporting.result import plain
from conformance.reporting.text import visible
from conformance.transport.credentials import THROWAWAY

FORMAT = "conformance-recording"
SCHEMA_VERSION = 1

LIMIT = 64 << 20
"""The greatest size of a file that is read, in bytes."""

ROLES = tuple(account.sid or "" for account in THROWAWAY)
"""The SIDs that stand for the first and the second account in every recording."""

_FLEETING = frozenset({"date", "age", "etag", "x-request-id", "twilio-request-id", "x-amzn-requestid"})
"""Headers whose values change from answer to answer; a recording leaves them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step with the exchange that it brought."""

    number: int
    """The place in the recording, from 1."""
    step: Step
    exchange: Exchange
    outcome: Outcome
    leaks: bool = False
    """Whether the answer showed an auth token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one target answered to one script."""

    target: str
    recorded_at: str
    """UTC, ISO 8601; empty where it is not known."""
    profile: str
    seed: int
    accounts: int
    taken: tuple[Taken, ...]
    suite: str = ""
    contract: str = ""
    """The SHA-256 of the contract that the script was drawn for."""
    source: str = FORMAT
    """What it was read from: a recording of the suite, `HAR`, or `VCR`."""
    notes: tuple[str, ...] = field(default=())
    """Lines about what could not be read."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order sent."""
        return tuple(each.step for each in self.taken)


def contract_digest() -> str:
    """Return the SHA-256 of the contract, in hex."""
    text = json.dumps(contract.load("openapi.json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


# Writing


def written(step: Step, exchange: Exchange, *, leaks: bool, redact: Redact | None) -> dict[str, Any]:
    """Return a step and its exchange as a recording holds them, but for its number and outcome."""
    document = record(exchange)
    response = document.get("response")
    document["request"].pop("after_s", None)
    for name in ("number", "started_s", "elapsed_s", "connection", "place"):
        document.pop(name, None)
    if response is not None:
        response["headers"] = [each for each in response["headers"] if each[0].lower() not in _FLEETING]
        if exchange.response is not None and exchange.response.undecoded:
            response["undecoded"] = True
    if exchange.failure is not None:
        document["failure"] = {"kind": str(exchange.failure.kind), "partial": exchange.failure.partial}
    line: dict[str, Any] = {
        "class": step.cls,
        "rule": step.rule,
        "part": str(step.part),
        "pause_s": step.request.after,
        "intends": [list(pair) for pair in step.request.intends],
        "leaks": leaks,
        "exchange": document,
    }
    recorded: dict[str, Any] = plain(line, redact)
    return recorded


def taken_from(number: int, line: Mapping[str, Any]) -> Taken:
    """Return the step that a line of a recording holds."""
    exchange = line["exchange"]
    request = replace(
        request_of(exchange["request"]),
        after=float(line["pause_s"]),
        intends=tuple(map(tuple, line["intends"])),
    )
    step = Step(cls=line["class"], rule=line["rule"], request=request, part=Part(line["part"]))
    taken = exchange_of(number, request, exchange)
    return Taken(
        number=number,
        step=step,
        exchange=taken,
        outcome=outcome_of(taken, ROLES, leaks=line["leaks"]),
        leaks=line["leaks"],
    )


def dump(recording: Recording, lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the file of a recording: a line of JSON about it, then those that `written` has made of its steps."""
    steps = [
        _json({"step": each.number, **line, "outcome": each.outcome.as_json()})
        for each, line in zip(recording.taken, lines, strict=True)
    ]
    head = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "recorded_at": recording.recorded_at,
        "target": recording.target,
        "contract_sha256": recording.contract,
        "script": recording.profile,
        "seed": recording.seed,
        "accounts": recording.accounts,
        "suite": recording.suite,
        "steps": len(steps),
    }
    text = "".join(f"{line}\n" for line in steps)
    return f"{_json({**head, 'sha256': _digest(head, text)})}\n{text}".encode("ascii")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(", ", ": "))


def _digest(head: Mapping[str, Any], text: str) -> str:
    """Return a digest of everything but the date: a target that answers the same gives the same digest."""
    rest = {name: value for name, value in head.items() if name not in ("recorded_at", "sha256")}
    return hashlib.sha256(f"{json.dumps(rest, sort_keys=True)}\n{text}".encode()).hexdigest()


# Reading


def load(data: bytes, name: str) -> Recording:
    """
    Return the recording in the bytes of a file; messages name the file.

    Raises:
        RecordingError: The file is no recording, was cut or edited, or is of a later version of the format.
    """
    again = "record again with `conformance record`"
    try:
        first, *rest = data.decode("ascii").splitlines()
        head = parsed(first)
    except (ValueError, RecursionError):
        raise RecordingError(f"{name}: not a recording: its first line is not JSON; {again}") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise RecordingError(f"{name}: not a recording of this suite; {again}")
    if type(head.get("schema_version")) is int and head["schema_version"] > SCHEMA_VERSION:
        raise RecordingError(f"{name}: of a later version of the format: install a later conformance")
    _check(head, "head", f"{name}:1")
    if len(rest) != head["steps"] or not data.endswith(b"\n"):
        raise RecordingError(f"{name}: cut: it has {len(rest)} of {head['steps']} steps; {again}")
    if head["sha256"] != _digest(head, "".join(f"{line}\n" for line in rest)):
        raise RecordingError(f"{name}: it was edited: its digest is not that of its first line; {again}")
    taken = []
    for number, line in enumerate(rest, 1):
        try:
            document = parsed(line)
        except (ValueError, RecursionError):
            raise RecordingError(f"{name}:{number + 1}: not JSON; {again}") from None
        _check(document, "step", f"{name}:{number + 1}")
        try:
            taken.append(taken_from(number, document))
        except (ValueError, TypeError, KeyError):
            raise RecordingError(f"{name}:{number + 1}: not a step; {again}") from None
    return Recording(
        **{name: head[name] for name in ("target", "recorded_at", "seed", "accounts", "suite")},
        profile=head["script"],
        contract=head["contract_sha256"],
        taken=tuple(taken),
    )


def bytes_of(path: Path) -> bytes:
    """
    Return the bytes of a file.

    Raises:
        RecordingError: It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > LIMIT:
        raise RecordingError(
            f"{path}: larger than {LIMIT >> 20} MiB: cut it down to the requests to the resource"
        )
    return data


def _check(document: Any, kind: str, where: str) -> None:
    error = contract.error_in(document, "recording.schema.json", kind)
    if error is not None:
        raise RecordingError(f"{where}: not a recording: {error.json_path}: {visible(error.message, 160)}")
