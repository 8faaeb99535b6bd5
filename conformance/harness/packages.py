"""The packages that a run uses: their versions, and which of the optional ones are not installed."""

import platform
from collections.abc import Iterable

from conformance.contract import SUITE, version_of
from conformance.model import Rule

_ALWAYS = (SUITE, "hypothesis", "httpcore", "jsonschema")


def versions(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the versions of Python and of each package that judges by these rules."""
    names = dict.fromkeys([*_ALWAYS, *(rule.package for rule in rules if rule.package)])
    found = {name: version_of(name) for name in names}
    return {"python": platform.python_version(), **{name: each for name, each in found.items() if each}}


def is_exercisable(rule: Rule) -> bool:
    """Whether the package that exercises a rule is installed."""
    return not rule.package or bool(version_of(rule.package))
