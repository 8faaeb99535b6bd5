"""The catalogue: every rule, written out in one place."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from conformance.model import Rule
from conformance.rules import errors, forms, openapi, protocol, response, robustness, sids, state, timers
from conformance.rules.probes import answers

_WATCHED = {
    **{rule.id: answers("update") for rule in response.RULES},
    "refusal-status": answers("refusal"),
    "read-response": answers("read"),
    **{rule.id: answers("refusal", "unauthorised") for rule in errors.RULES},
}


CATALOGUE: tuple[Rule, ...] = tuple(
    rule if rule.classes else replace(rule, classes=_WATCHED[rule.id])
    for module in (timers, sids, forms, response, state, protocol, robustness, errors, openapi)
    for rule in module.RULES
)
"""Every rule, in the order in which they are told."""

BY_ID: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in CATALOGUE})
