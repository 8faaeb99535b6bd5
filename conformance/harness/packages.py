"""The packages that a run uses: their versions, and which of the optional ones are not installed."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from conformance.model import Rule

_ALWAYS = ("twilio-configuration-conformance", "hypothesis", "httpcore", "jsonschema")


def versions(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the versions of Python and of each package that judges by these rules."""
    names = dict.fromkeys([*_ALWAYS, *(rule.package for rule in rules if rule.package)])
    found = {name: _version(name) for name in names}
    return {"python": platform.python_version(), **{name: each for name, each in found.items() if each}}


def is_exercisable(rule: Rule) -> bool:
    """Whether the package that exercises a rule is installed."""
    return not rule.package or bool(_version(rule.package))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
