"""Plants a token in all that the commands read, runs each, and looks for it in all that they print and write."""

import base64
import contextlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from between import Ask, between
from click.testing import CliRunner
from spellings import told

from conformance.cli import main
from conformance.contract import load
from conformance.model import CHAT
from conformance.safety.journal import Journal
from conformance.transport.credentials import Account
from conformance.transport.embedded import Embedded

OTHER = Account("AC" + "0f" * 16, "another-token-of-nobody")
"""The account whose runs make the files: they find no secret in what the target says."""

Named = tuple[tuple[str, ...], click.Command]

FAULTS = ("inactive-timer-minimum-unchecked",)


def commands(group: click.Group = main, before: tuple[str, ...] = ()) -> Iterator[Named]:
    """Yield every command of a group, by its words."""
    for name, each in group.commands.items():
        if isinstance(each, click.Group):
            yield from commands(each, (*before, name))
        else:
            yield (*before, name), each


@contextmanager
def telling(texts: Mapping[str, str], account: Account) -> Iterator[str]:
    """Serve an emulator that says one of these texts in every answer, in a header and in members; its base URL."""
    said = itertools.cycle(texts.values())

    def answer(number: int, request: bytes, ask: Ask) -> bytes:
        head, _, body = ask().partition(b"\r\n\r\n")
        text = next(said)
        with contextlib.suppress(ValueError):  # an answer to HEAD has no body
            body = json.dumps({**json.loads(body), "debug": text, "message": text}).encode()
            head = re.sub(rb"(?i)(content-length: )\d+", rb"\g<1>%d" % len(body), head)
        if text.isprintable() and text.isascii():
            head += b"\r\nX-Debug: " + text.encode()
        return head + b"\r\n\r\n" + body

    with Embedded((OTHER, account), faults=FAULTS) as emulator, between(emulator.url(), answer) as server:
        yield server.url


def files(where: Path) -> dict[str, str]:
    """Return the texts of all files in a directory, and of the bodies that they hold in base64."""
    found = {path.name: path.read_bytes().decode("latin-1") for path in where.rglob("*") if path.is_file()}
    for name in [each for each in found if each.endswith((".json", ".har", ".jsonl"))]:
        encoded = re.findall(r'"(?:body_base64|text)": ?"([A-Za-z0-9+/=]+)"', found[name])
        for number, each in enumerate(encoded):
            with contextlib.suppress(ValueError):  # it is a text
                found[f"{name} {number}"] = base64.b64decode(each).decode("latin-1")
    return found


def invoke(directory: Path, account: Account, *arguments: str) -> dict[str, str]:
    """Run a command in this process; all that it prints, and writes to a directory, by the place."""
    directory.mkdir(exist_ok=True)
    environment = {
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.token,
        "CONFORMANCE_STATE_DIR": str(directory / "state"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        "NO_COLOR": "1",
    }
    done = CliRunner().invoke(main, arguments, env=environment)
    return {"output": done.output, **files(directory)}


def everything(directory: Path, account: Account, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """
    Run every command of the group, with an account's token in all that it reads.

    Args:
        directory: An empty directory.
        account: The account of the user.
        texts: Spellings of its token.

    Returns:
        What each command printed and wrote, by the command and the place.
    """
    planted = directory / "planted"
    with telling(texts, account) as url:
        for number in "12":
            options = ["--target", url, "--profile", "quick", "--shard", f"{number}/2", "--observability"]
            options += ["--only", "inactive-timer-*", "--report-dir", str(planted / number)]
            invoke(directory, OTHER, "run", *options)
        recording = planted / "recording.jsonl"
        invoke(directory, OTHER, "record", "--target", url, "--profile", "quick", "--out", str(recording))
        document = planted / "openapi.json"
        document.write_text(json.dumps(load("openapi.json")).replace("^IS[0-9a-fA-F]", f"^{account.token}"))
        finding = json.loads((planted / "1" / "result.json").read_text())["findings"][0]
        with Journal(planted / "state", url, [account.sid or ""]) as journal:
            journal.keep(0, {CHAT.attribute: f"{CHAT.prefix}{account.token}"})
        shards = [str(planted / number) for number in "12"]
        given = {
            "target": [url],
            "rule_id": [account.token],
            "reference": [str(recording)],
            "like": [str(recording)],
            "port": [url.rpartition(":")[2]],  # it is in use
            "candidate": [url],
            "document": [str(document)],
            "finding": [finding["fingerprint"]],
            "report": shards[:1],
            **dict.fromkeys(("old", "directory", "result"), shards[:1]),
            "new": shards[1:],
            **dict.fromkeys(("results", "shards"), shards),
            "fault_globs": [account.token],
            "profile": ["quick"],
            "max_requests": ["200"],
        }
        found = {}
        for words, command in commands():
            own = directory / "-".join(words)
            here = {
                **given,
                **{name: [str(own / "out.html")] for name in ("report_dir", "output", "out", "json_file")},
                "state_dir": [str((planted if words == ("restore",) else own) / "state")],
            }
            arguments = list(words)
            for each in command.params:
                if isinstance(each, click.Argument) and each.required:
                    arguments += here[each.name or ""]
                elif isinstance(each, click.Option) and each.name in here:
                    arguments += [each.opts[-1], *here[each.name]]
                elif each.name == "observability":
                    arguments.append(each.opts[-1])
            found[" ".join(words)] = invoke(own, account, *arguments)
            assert "Traceback" not in found[" ".join(words)]["output"], arguments
            wrong = invoke(own, account, *words, f"--{account.token}")
            found[" ".join(words)]["a wrong option"] = wrong["output"]
    return found


def readable(found: Mapping[str, Mapping[str, str]], token: str) -> list[str]:
    """Return the places of all texts in which a token can be read."""
    return [
        f"{command}: {place}"
        for command, texts in found.items()
        for place, text in texts.items()
        if told(text, token)
    ]
