"""Mutated files, handed to whatever reads them: each is read for what it says, or refused with one line."""

import contextlib
import copy
import json
import random
import signal
import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import tomli_w
import yaml
from click.testing import CliRunner
from fidelity import files
from fuzz_bytes import changed
from reporting.samples import DOCUMENTS

from conformance.cli import main
from conformance.exceptions import (
    BaselineError,
    ConfigurationError,
    JournalError,
    RecordingError,
    ReportError,
)
from conformance.fidelity import report
from conformance.fidelity.comparing import Kind
from conformance.fidelity.ends import read as read_recording
from conformance.fidelity.recording import Recording
from conformance.fidelity.running import run
from conformance.fidelity.serving import Replay
from conformance.reporting import load
from conformance.reporting.baseline import additions, merged, parse
from conformance.reporting.baseline import read as read_known
from conformance.safety import journal
from conformance.settings import resolve
from conformance.transport.credentials import THROWAWAY, authorization

RECORDINGS = ("recording", "har", "vcr", "schemathesis")
"""The kinds of files that `conformance compare` takes."""

RESULT = DOCUMENTS["deviating"]
FINDING = RESULT["findings"][0]["fingerprint"]
TARGET = "http://127.0.0.1:1"  # where nobody listens
SETTINGS = {
    "target": TARGET,
    "profile": "quick",
    "only": ["inactive-timer-*", "framing"],
    "fail-on": "should",
    "seed": 7,
    "max-requests": 100,
    "settle": 0.5,
    "timeout": 1.5,
    "rate": 2,
    "report-dir": "reports",
    "live": False,
    "chat-service-sid": "IS" + "a" * 32,
}


def originals(directory: Path) -> dict[str, bytes]:
    """The files that are mutated, by kind."""
    known = merged("# why\n", additions(RESULT, [], reason="it is so"))
    with journal.Journal(directory, TARGET, ["AC" + "0" * 32]) as kept:
        kept.keep(0, {"default_closed_timer": "PT10M", "default_inactive_timer": None})
        (path,) = journal.entries(directory)
        entry = path.read_bytes()
    return {
        "result": json.dumps(RESULT, indent=1).encode(),
        "known": known.encode(),
        "settings": tomli_w.dumps(SETTINGS).encode(),
        "journal": entry,
        **recordings(),
    }


def recordings() -> dict[str, bytes]:
    """The files that can be a reference, by kind."""
    one, data = files.recording()
    return {
        "recording": data,
        "har": json.dumps(files.har(one)).encode(),
        "vcr": files.cassette(one).encode(),
        "schemathesis": files.cassette(one, "http_interactions").encode(),
    }


# Mutations

_ODD: tuple[Any, ...] = (
    "", " ", "x" * 100_000, "\x00", "\ud800", "\x1b[2J", "\u202e", "\n", 0, -1, 10**18, 10**400, 1.5, float("nan"),
    float("inf"), True, False, None, [], {}, [[]], [None], {"a": {}}, "2030-01-31", "AAAA", "é", "http://[", "../x",
)  # fmt: skip
_TOML_ODD = (date(2030, 1, 31), datetime(2030, 1, 31, 12, 0), date.min)  # noqa: DTZ001  # without a zone on purpose
_TOKENS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b"'", b"{", b"}", b"[", b"]", b",", b":", b"=", b"#", b"\\",
    b'"""', b"\\u0000", b"\\ud800", b"nan", b"NaN", b"9" * 5000, b"[" * 3000, b"{" * 3000, b"a." * 2000 + b"b = 1\n",
    b"[[deviation]]\n", b'"schema_version": 2,', b"1e999", b"2030-13-99",
)  # fmt: skip


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a document, with each of its keys or indices."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(items):
        yield value, key
        yield from _nodes(each)


def _change_node(document: Any, rng: random.Random, odd: tuple[Any, ...]) -> None:
    nodes = list(_nodes(document))
    if not nodes:
        return
    container, key = rng.choice(nodes)
    kind = rng.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[rng.choice(("x", "", "\ud800", "url", "token", key * 2))] = container[key]
    elif kind == 2 and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif kind == 3:
        container[key] = copy.deepcopy(rng.choice([other[name] for other, name in nodes]))
    else:
        container[key] = copy.deepcopy(rng.choice(odd))


def _change_answer(document: Any, rng: random.Random) -> None:
    """Change what an answer says, inside its body: a JSON document in a text."""
    texts = [
        (container, key)
        for container, key in _nodes(document)
        if isinstance(container[key], str) and container[key].startswith("{")
    ]
    if texts:
        container, key = rng.choice(texts)
        with contextlib.suppress(ValueError):  # it was changed before, and is no JSON any more
            said = json.loads(container[key])
            _change_node(said, rng, _ODD)
            container[key] = json.dumps(said)


def _change_bytes(raw: bytes, rng: random.Random) -> bytes:
    return changed(raw, rng, sizes=(1, 1, 4, 40, 400), tokens=_TOKENS, others=(_copied_here,))


def _copied_here(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    other = rng.randrange(len(raw) + 1)
    return raw[:at] + raw[other : other + size] + raw[at:]


def mutated(kind: str, raw: bytes, rng: random.Random) -> bytes:
    """One mutation of a file, in what it says or in its bytes."""
    if rng.random() < 0.5:
        for _ in range(rng.choice((1, 1, 2, 5))):
            raw = _change_bytes(raw, rng)
        return raw
    if kind in RECORDINGS:
        return _mutated_recording(kind, raw, rng)
    as_json = kind in ("result", "journal")
    document = json.loads(raw) if as_json else tomllib.loads(raw.decode())
    for _ in range(rng.choice((1, 1, 1, 2))):
        _change_node(document, rng, _ODD if as_json else (*_ODD, *_TOML_ODD))
    try:
        text = json.dumps(document) if as_json else tomli_w.dumps(document)
        return text.encode("utf-8", "surrogatepass")
    except (TypeError, ValueError):  # TOML has no null
        return _change_bytes(raw, rng)


def _mutated_recording(kind: str, raw: bytes, rng: random.Random) -> bytes:
    document: Any
    if kind == "recording":
        document = [json.loads(line) for line in raw.splitlines()]
    else:
        document = json.loads(raw) if kind == "har" else yaml.safe_load(raw)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if rng.random() < 0.5:
            _change_answer(document, rng)
        else:
            _change_node(document, rng, _ODD)
    try:
        if kind == "recording":
            # With a digest that fits: what reads it must look at what it says.
            return files.signed(document)
        text = json.dumps(document) if kind == "har" else yaml.safe_dump(document, allow_unicode=True)
        return text.encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, AttributeError, IndexError, yaml.YAMLError):
        return _change_bytes(raw, rng)


# Readers


class Wrong(Exception):
    """A file was neither read for what it says nor refused with one line."""


def _one_line(message: str) -> None:
    if "\n" in message or not message.isprintable() or not 0 < len(message) < 2_000:
        raise Wrong(f"no single line: {message[:500]!r}")


def _read_result(path: Path, raw: bytes) -> None:
    try:
        document = load(path)
    except ReportError as error:
        _one_line(str(error))
        return
    if document != json.loads(raw):
        raise Wrong("read for something else than it says")


def _read_known(path: Path, raw: bytes) -> None:
    try:
        entries = read_known(path)
    except BaselineError as error:
        _one_line(str(error))
        return
    said = [
        (
            each["rule"],
            each["class"],
            each["outcome"],
            str(each["reason"]),  # a date is taken for its text
            str(each["expires"]) if "expires" in each else None,
            len(each.get("witness", ())),
        )
        for each in tomllib.loads(raw.decode()).get("deviation", ())
    ]
    read = [
        (
            each.rule,
            each.cls,
            each.outcome,
            each.reason,
            each.expires and each.expires.isoformat(),
            len(each.witness),
        )
        for each in entries
    ]
    if said != read:
        raise Wrong("read for something else than it says")


def _read_settings(path: Path, raw: bytes) -> None:
    try:
        settings = resolve({}, {}, path)
    except ConfigurationError as error:
        _one_line(str(error))
        return
    for name, value in tomllib.loads(raw.decode()).items():
        read = getattr(settings, name.replace("-", "_"))
        if isinstance(value, int | float) and not isinstance(value, bool) and read != value:
            raise Wrong(f"{name} is read as {read!r}")


def _read_journal(path: Path, original: bytes) -> None:
    try:
        entry = journal.read(path)
    except JournalError as error:
        _one_line(str(error))
        return
    said = json.loads(original)
    if any(
        getattr(entry, name) != said[name] for name in ("target", "account", "settings", "taken", "process")
    ):
        raise Wrong(f"damaged, and read as {entry}")


def _read_recording(path: Path, good: Path) -> None:
    try:
        found = read_recording(path)
    except RecordingError as error:
        _one_line(str(error))
        return
    _serve(found)
    for ends in ((found, read_recording(good)), (read_recording(good), found), (found, found)):
        told = report.document(run(ends, None), scope="all", kinds=list(Kind), today=date(2030, 1, 1))
        if ends[0] is ends[1] and told["groups"]:
            raise Wrong("differs from itself")
        if not "\n".join(report.text(json.loads(json.dumps(told)), dated=True)):
            raise Wrong("says nothing")


def _serve(recording: Recording) -> None:
    """Have a recording answer its own requests."""
    try:
        replay = Replay(recording, THROWAWAY)
    except RecordingError as error:
        _one_line(str(error))
        return
    for request in (each.step.request for each in recording.taken):
        body, sent = request.body or b"", authorization(request.auth, THROWAWAY[0], THROWAWAY[1])
        header = sent[0] if sent else None
        answer = replay.answer(
            request.method, request.query, body, request.content_type, header, "http://localhost"
        )
        if not 100 <= answer.status <= 999:
            raise Wrong(f"answered with {answer.status}")


def _command(*arguments: object, codes: tuple[int, ...]) -> str:
    """Run a command in this process; what it printed."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        result = CliRunner().invoke(main, [str(each) for each in arguments])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    name = f"conformance {arguments[0]}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise Wrong(f"{name}: {result.exception!r}") from result.exception
    if result.exit_code not in (*codes, 2):
        raise Wrong(f"{name}: exit status {result.exit_code}: {result.output[:500]!r}")
    if result.exit_code == 2:
        if not result.stderr.startswith("conformance: ") or result.stderr.count("\n") != 1:
            raise Wrong(f"{name}: no single line: {result.stderr[:500]!r}")
        _one_line(result.stderr.rstrip("\n"))
    return result.output


def _command_on_result(path: Path, where: Path, rng: random.Random) -> None:
    original = where / "original.json"
    match rng.randrange(5):
        case 0:
            pair = (path, original) if rng.random() < 0.5 else (original, path)
            _command(
                "diff", *pair, "--format", rng.choice(("terminal", "markdown", "json", "html")), codes=(0, 1)
            )
        case 1:
            _command("report", path, "-o", where / "rendered", codes=(0,))
        case 2:
            _command("matrix", path, original, "-o", where / rng.choice(("m.html", "m.md")), codes=(0,))
        case 3:
            added = where / "added.toml"
            added.unlink(missing_ok=True)
            _command("baseline", path, "-o", added, codes=(0,))
            if added.exists():
                read_known(added)
        case _:
            _command("replay", FINDING, "--report", path, "--target", TARGET, "--timeout", 1, codes=(0, 1, 3))


def _command_on_known(path: Path, where: Path, rng: random.Random) -> None:
    if rng.random() < 0.5:
        _command("run", "--known", path, "--target", TARGET, "--only", "no-such-rule", codes=())
        return
    before = path.read_bytes()
    output = _command("baseline", where / "original.json", "-o", path, codes=(0,))
    after = path.read_bytes()
    if after != before and not after.startswith(before.rstrip()):
        raise Wrong("baseline has lost what was there")
    if output.startswith("conformance: ") and after != before:
        raise Wrong("refused, and yet changed")
    if not output.startswith("conformance: "):
        before_entries, entries = parse(before.decode()), read_known(path)
        if entries[: len(before_entries)] != before_entries:
            raise Wrong("baseline has lost an entry")


@contextmanager
def _no_lookups() -> Iterator[None]:
    """Host names that a mutation makes are not looked up."""
    real = socket.getaddrinfo

    def numeric(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        options["flags"] = socket.AI_NUMERICHOST
        return real(host, port, *arguments, **options)

    with mock.patch("socket.getaddrinfo", numeric):
        yield


class Bench:
    """The good files in a directory, and what reads them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        state = directory / "state"
        self.good = originals(state)
        (directory / "original.json").write_bytes(self.good["result"])
        (entry,) = journal.entries(state)
        self._paths = {
            "result": directory / "result.json",
            "known": directory / "known-deviations.toml",
            "settings": directory / "conformance.toml",
            "journal": entry,
            **{kind: directory / f"mutated.{kind}" for kind in RECORDINGS},
        }
        for kind in RECORDINGS:
            (directory / f"good.{kind}").write_bytes(self.good[kind])

    def check(self, kind: str, raw: bytes, rng: random.Random) -> str:
        """What is wrong with how a file of a kind is read; empty when nothing is."""
        path = self._paths[kind]
        path.write_bytes(raw)
        try:
            with _no_lookups():
                self._read(kind, path, raw)
                if path.read_bytes() != raw:
                    return "reading has changed it"
                self._command(kind, path, rng)
        except Wrong as wrong:
            return str(wrong)
        except Exception as error:  # noqa: BLE001  # this is what is looked for
            return repr(error)
        return ""

    def _read(self, kind: str, path: Path, raw: bytes) -> None:
        match kind:
            case "result":
                _read_result(path, raw)
            case "known":
                _read_known(path, raw)
            case "settings":
                _read_settings(path, raw)
            case "recording" | "har" | "vcr" | "schemathesis":
                _read_recording(path, path.with_name(f"good.{kind}"))
            case _:
                _read_journal(path, self.good[kind])

    def _command(self, kind: str, path: Path, rng: random.Random) -> None:
        match kind:
            case "result":
                _command_on_result(path, self._directory, rng)
            case "known":
                _command_on_known(path, self._directory, rng)
            case "settings":
                with mock.patch("conformance.commands.options.SETTINGS_FILE", path):
                    _command("run", "--only", "no-such-rule", codes=())
            case "recording" | "har" | "vcr" | "schemathesis":
                if rng.random() < 0.05:
                    _command("compare", path, path.with_name(f"good.{kind}"), codes=(0, 1, 3))
            case _:
                _command("restore", "--list", "--state-dir", path.parent, codes=(0, 4))


REPORTS = ("result", "result", "known", "settings", "journal")


def fuzz(
    count: int, seed: int, directory: Path, kinds: tuple[str, ...] = (*REPORTS, *RECORDINGS)
) -> Iterator[str]:
    """What went wrong with so many mutated files, one line each; those files are kept."""
    rng = random.Random(seed)
    bench = Bench(directory)
    for number in range(count):
        kind = rng.choice(kinds)
        raw = mutated(kind, bench.good[kind], rng)
        if wrong := bench.check(kind, raw, rng):
            kept = directory / f"wrong-{seed}-{number}-{kind}"
            kept.write_bytes(raw)
            yield f"{number}: {kind}: {wrong[:1000]} ({kept.name})"
