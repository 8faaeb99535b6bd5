"""The suite says the right thing of each server of the gallery: all causes, nothing else, and no green by chance."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting.differences import differences
from conformance.rules import BY_ID

from .expected import EXPECTED, Expected
from .servers import Right, serving

MINUTE = 60
"""Seconds within which a quick run ends, whatever the server does."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a run said."""

    causes: dict[str, set[str]]
    """By the rule of a cause, the rules that are listed under it."""
    unstable: set[str]
    verdicts: dict[str, str]
    exit_code: int


def judge(behaviour: type[Right], profile: str, reports: Path) -> Said:
    """Run a profile against a server of the gallery, as a user does."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "CONFORMANCE_"))
    }
    with serving(behaviour) as url:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "conformance", "run", "--target", url, "--profile", profile),
                *(
                    "--seed",
                    "0",
                    "--json",
                    "--report-dir",
                    str(reports),
                    "--state-dir",
                    str(reports / "state"),
                ),
            ],
            env=own,
            capture_output=True,
            text=True,
            timeout=2 * MINUTE,
            check=False,
        )
    document: dict[str, Any] = json.loads(ended.stdout)
    assert document["duration_s"] < MINUTE
    causes: dict[str, set[str]] = {}
    for difference in differences(document):
        causes.setdefault(difference.first["rule"], set()).update(difference.consequences)
    return Said(
        causes=causes,
        unstable={finding["rule"] for finding in document["findings"] if not finding["stable"]},
        verdicts={rule["id"]: rule["verdict"] for rule in document["rules"]},
        exit_code=ended.returncode,
    )


def kind(rule: str) -> str:
    """The id of a rule without the name of the setting that it is about: one for parallel settings."""
    return re.sub(
        "^(?:inactive|closed)-timer|^(?:chat|messaging)-service-sid", lambda name: name[0][-3:], rule
    )


def complaints(expected: Expected, said: Said) -> dict[str, object]:
    """What was said that is wrong, and what should have been said; empty where all is right."""
    told = said.causes.keys()
    parallel = {rule for cause, listed in said.causes.items() for rule in listed if kind(rule) == kind(cause)}
    followed = set().union(*said.causes.values())
    undecided = {rule for rule, verdict in said.verdicts.items() if verdict in ("undecided", "not-run")}
    found: dict[str, object] = {
        "causes not told": sorted(expected.causes - told - parallel),
        "told as causes, wrongly": sorted(told - expected.causes),
        "listed under a cause, wrongly": sorted(followed - expected.consequences - expected.causes),
        "decided without evidence": {
            rule: said.verdicts[rule] for rule in sorted(expected.undecided - undecided)
        },
        "unstable": sorted(said.unstable) if expected.steady else [],
        "exit status": [] if said.exit_code == expected.exit_code else [said.exit_code],
    }
    return {name: wrong for name, wrong in found.items() if wrong}


def test_what_is_expected_names_rules_of_the_catalogue_and_none_in_two_roles() -> None:
    for behaviour, expected in EXPECTED.items():
        roles = (expected.causes, expected.consequences, expected.undecided)
        named = frozenset().union(*roles)
        assert named <= BY_ID.keys(), behaviour
        assert len(named) == sum(map(len, roles)), behaviour


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", EXPECTED, ids=lambda behaviour: behaviour.__name__)
def test_the_right_thing_is_said(behaviour: type[Right], tmp_path: Path) -> None:
    assert complaints(EXPECTED[behaviour], judge(behaviour, EXPECTED[behaviour].profile, tmp_path)) == {}
