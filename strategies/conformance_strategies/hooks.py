"""
Hooks for the command line of schemathesis: right values and near misses of the four parameters.

`schemathesis.toml` names them with `hooks = "conformance_strategies.hooks"`. The timers of the document get a format:
schemathesis then draws durations of at least the minimum for them, and no text at random. Every third body is a near
miss: a form with one value that every reading of the documents refuses, such as `PT59S`. The check
`near_misses_are_refused` fails where one is accepted.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import schemathesis
from hypothesis import strategies as st

from conformance_strategies import (
    INVALID_DURATION_CLASSES,
    INVALID_SID_CLASSES,
    PARAMETERS,
    FormDraw,
    durations,
    forms,
)

_PLAIN = ("minutes", "seconds", "hours", "days", "mixed", "carry-over")
"""Notations that every reader of ISO 8601 durations knows."""

_GREATEST = {"DefaultInactiveTimer": timedelta(minutes=10), "DefaultClosedTimer": timedelta(days=30)}
"""The greatest length of right values: some would refuse a closed timer shorter than the inactive one."""

_NEAR_MISSES = (
    *(f"timer/{name}" for name, each in INVALID_DURATION_CLASSES.items() if not each.looser),
    *(f"sid/{name}" for name, each in INVALID_SID_CLASSES.items() if each.group not in ("blanks", "empty")),
    "timer/below-minimum",
)

_wrong: set[tuple[str, str]] = set()
"""Names and values of the near misses that were drawn."""

for _name, _most in _GREATEST.items():
    schemathesis.openapi.format(
        f"conformance-{_name}",
        durations(min_value=PARAMETERS[_name].minimum, max_value=_most, notations=_PLAIN),
    )


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Give the timers of a document their formats."""
    for properties in _properties(raw_schema):
        for name in _GREATEST:
            if isinstance(timer := properties.get(name), dict):
                timer["format"] = f"conformance-{name}"


def _properties(value: object) -> Iterator[dict[str, Any]]:
    """Yield the properties of every schema within a document."""
    if isinstance(value, dict):
        if isinstance(found := value.get("properties"), dict):
            yield found
        for each in value.values():
            yield from _properties(each)
    elif isinstance(value, list):
        for each in value:
            yield from _properties(each)


@schemathesis.hook
def before_generate_body(context: schemathesis.HookContext, strategy: st.SearchStrategy[Any]) -> Any:
    """Mix near misses into the bodies."""
    return st.one_of(strategy, strategy, forms(valid=False, max_invalid=1, classes=_NEAR_MISSES).map(_noted))


def _noted(draw: FormDraw) -> dict[str, str]:
    _wrong.update(pair for pair, valid in zip(draw.pairs, draw.valid, strict=True) if not valid)
    return dict(draw.pairs)


def _has_near_miss(case: schemathesis.Case[Any]) -> bool:
    return isinstance(case.body, dict) and any(
        isinstance(value, str) and (name, value) in _wrong for name, value in case.body.items()
    )


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Exception,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Drop what the document alone would have: that a near miss, which has the type of its parameter, is refused."""
    return not (_has_near_miss(case) and type(failure).__name__ == "RejectedPositiveData")


@schemathesis.check
def near_misses_are_refused(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """A form with a value that must be refused is not accepted."""
    if _has_near_miss(case) and 200 <= response.status_code < 300:
        raise AssertionError(f"accepted, though one of these values must be refused: {case.body!r}")
