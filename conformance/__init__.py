"""
A property-based conformance suite for Twilio Conversations' account-level Configuration.

Names are imported when they are first used: the pytest plugin, which every session of pytest loads, and the
emulator's process need none of them.
"""

TYPE_CHECKING = False  # as type checkers have it; `typing` takes long to import
if TYPE_CHECKING:
    from conformance.api import run
    from conformance.harness.executor import Plan
    from conformance.model import Finding, Level, Observation, Outcome, Report, Rule, Verdict
    from conformance.pytest_plugin import parametrize
    from conformance.rules import CATALOGUE
    from conformance.transport.credentials import Account
    from conformance.transport.target import Target, TargetSettings

__all__ = [
    "CATALOGUE",
    "Account",
    "Finding",
    "Level",
    "Observation",
    "Outcome",
    "Plan",
    "Report",
    "Rule",
    "Target",
    "TargetSettings",
    "Verdict",
    "parametrize",
    "run",
]

_HOMES = {
    "Account": "transport.credentials",
    "CATALOGUE": "rules",
    "Plan": "harness.executor",
    "Target": "transport.target",
    "TargetSettings": "transport.target",
    "parametrize": "pytest_plugin",
    "run": "api",
}
"""Modules of the names; the others are nouns of `conformance.model`."""


if not TYPE_CHECKING:  # type checkers see the imports above, and nothing else

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
