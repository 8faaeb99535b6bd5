"""Counts what a plan covers: the pairs of manners, and the positions of values. Nothing is sent for it."""

import re
from typing import NamedTuple

from conformance.harness.covering import Coverage, coverage, rows
from conformance.harness.schedule import planned
from conformance.model import SIDS, Probe, Situation
from conformance.rules import CATALOGUE
from conformance.rules.manners import Carrier
from conformance.rules.sids import EDGES

_TWO = Situation(accounts=2, account_sids=("AC" + "0" * 31 + "1", "AC" + "0" * 31 + "2"))
"""A target that accepts every well-formed SID, and two accounts: nothing is left out."""


class Figures(NamedTuple):
    """What a plan covers, by name."""

    pairs: dict[str, Coverage]
    """By carrier, the pairs of manners."""
    positions: dict[str, Coverage]
    """The positions of SIDs and credentials that differ in one character, and those that have every digit."""


def figures(profile: str) -> Figures:
    """Count what a profile covers where the target answers every plain request rightly."""
    pairs = {str(carrier): coverage(carrier, rows(carrier, 2)) for carrier in Carrier}
    planned_rows = planned(CATALOGUE, profile, _TWO)
    return Figures(pairs, _positions([probe for _, _, probes, _ in planned_rows for probe in probes]))


def _positions(probes: list[Probe]) -> dict[str, Coverage]:
    requests = [step for probe in probes for step in probe.steps]
    found = {}
    for each in SIDS:
        pairs = (pair for request in requests for pair in request.form() or ())
        values = [value for name, value in pairs if name == each.parameter]
        own = [value[2:] for value in values if value.startswith(each.prefix) and len(value) == 34]
        wrong = {
            (place, character)
            for value in own
            for place, character in enumerate(value)
            if character in EDGES and re.fullmatch("[0-9a-fA-F]*", value[:place] + value[place + 1 :])
        }
        digits = {
            (place, digit)
            for value in own
            if re.fullmatch("[0-9a-fA-F]{32}", value)
            for place, digit in enumerate(value)
        }
        found[f"{each.slug}, one wrong character"] = Coverage(len(wrong), 32 * len(EDGES))
        found[f"{each.slug}, every digit"] = Coverage(len(digits), 32 * 22)
    for name, size in (("sid", 34), ("token", 32)):
        templates = {text for request in requests for text in (request.auth.user, request.auth.secret)}
        changed = [re.fullmatch(rf"{{{name}~([0-9]+)}}", text) for text in templates]
        places = {int(each[1]) for each in changed if each is not None}
        found[f"credentials, one character of the {name}"] = Coverage(len(places), size)
    return found
