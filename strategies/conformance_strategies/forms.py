"""Strategies for forms of the Configuration resource: ordered pairs of parameter and value.

The parameters, their prefixes and minimum lengths are those of
twilio.com/docs/conversations/api/configuration-resource.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance_strategies._build import Digits, Recipe, check_names, strategy
from conformance_strategies._invalid_durations import INVALID_DURATION_CLASSES, INVALID_DURATION_SIZE
from conformance_strategies._notations import DURATION_SIZE, NOTATIONS
from conformance_strategies.durations import Length, duration_recipe, ranges_near, seconds_of
from conformance_strategies.sids import INVALID_SID_CLASSES, INVALID_SID_SIZE, SID_SIZE, sid_recipe

__all__ = ["PARAMETERS", "FormDraw", "Pair", "Parameter", "forms"]

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the form.

    Attributes:
        name: The name in the form.
        prefix: The prefix of its SIDs; empty for a timer.
        minimum: The least length of its durations, in seconds; 0 for a SID.
        example: The valid value in the resource's documentation.
    """

    name: str
    prefix: str = ""
    minimum: int = 0
    example: str


#: The four parameters, by name.
PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        each.name: each
        for each in (
            Parameter(name="DefaultClosedTimer", minimum=600, example="PT10M"),
            Parameter(name="DefaultInactiveTimer", minimum=60, example="PT1M"),
            Parameter(name="DefaultChatServiceSid", prefix="IS", example="IS" + "a" * 32),
            Parameter(name="DefaultMessagingServiceSid", prefix="MG", example="MG" + "a" * 32),
        )
    }
)


@dataclass(frozen=True, slots=True)
class FormDraw:
    """A form, with the class of each value.

    Attributes:
        pairs: Names and values, in the order of the form.
        classes: The class of each value: "sid/valid", "timer/valid-" and its notation, "timer/below-minimum", or
            "sid/" or "timer/" and the name of an invalid class.
        valid: For each value, whether it is valid.
    """

    pairs: tuple[Pair, ...]
    classes: tuple[str, ...]
    valid: tuple[bool, ...]


#: The greatest length of a valid timer, unless `lengths` gives another.
_GREATEST = timedelta(days=30)
_BELOW_MINIMUM = "timer/below-minimum"
_INVALID_CLASSES = (
    *(f"sid/{name}" for name in INVALID_SID_CLASSES),
    _BELOW_MINIMUM,
    *(f"timer/{name}" for name in INVALID_DURATION_CLASSES),
)
#: A class of values, and the recipe of its members.
_Source = tuple[str, Recipe[str]]
#: The greatest number of bytes that one value reads, with the choice of its class.
_SID_SIZE = 2 + max(SID_SIZE, INVALID_SID_SIZE)
_TIMER_SIZE = 2 + max(DURATION_SIZE, INVALID_DURATION_SIZE)


def forms(
    *,
    parameters: Collection[str] | None = None,
    min_size: int = 0,
    max_size: int | None = None,
    valid: bool | None = None,
    max_invalid: int | None = None,
    classes: Collection[str] | None = None,
    lengths: Mapping[str, tuple[Length, Length]] | None = None,
) -> st.SearchStrategy[FormDraw]:
    """Generates forms of some of the four parameters, each at most once, in any order.

    Args:
        parameters: Names from `PARAMETERS` to draw from; all of them by default.
        min_size: The least number of parameters in a form.
        max_size: The greatest number likewise.
        valid: True for forms whose values are all valid, False for forms with at least one that is not.
        max_invalid: The greatest number of invalid values in a form; no limit by default.
        classes: The invalid classes to draw from, named as in `FormDraw.classes`; all of them by default.
        lengths: The least and the greatest length of a timer's valid values, by name of the timer; its minimum and 30
            days by default. The two timers are drawn independently, so the closed one may be the shorter.

    Raises:
        InvalidArgument: When a name is unknown, or no form meets the arguments.
    """
    names = check_names("parameters", parameters, PARAMETERS)
    wanted = check_names("classes", classes, _INVALID_CLASSES)
    if strangers := set(lengths or {}) - {name for name, each in PARAMETERS.items() if each.minimum}:
        raise InvalidArgument(f"{lengths=} names {', '.join(sorted(strangers))}, which is no timer")
    valid_sources = {name: _valid_sources(PARAMETERS[name], lengths or {}) for name in names}
    invalid_sources = {name: _invalid_sources(PARAMETERS[name], wanted) for name in names}
    most = len(names) if max_size is None else max_size
    fallible = [] if valid else [name for name in names if invalid_sources[name]]
    least_wrong = 1 if valid is False else 0
    most_wrong = min(len(fallible), most, len(names) if max_invalid is None else max_invalid)
    if not (0 <= min_size <= most <= len(names) and least_wrong <= most_wrong):
        raise InvalidArgument(
            f"no form meets {parameters=}, {min_size=}, {max_size=}, {valid=}, {max_invalid=}, {classes=}"
        )

    sizes = {name: _SID_SIZE if PARAMETERS[name].prefix else _TIMER_SIZE for name in names}

    def recipe(source: Digits) -> FormDraw:
        # Each parameter is absent, valid or invalid. Then their numbers are brought within the bounds.
        states = {name: source.below(3 if name in fallible else 2) for name in names}
        values = {name: source.part(size) for name, size in sizes.items()}
        order = _shuffled(source, names)
        wrong = [name for name in order if states[name] == 2][:most_wrong]
        wrong = wrong or [name for name in order if name in fallible][:least_wrong]
        right = [name for name in order if states[name] and name not in wrong]
        absent = [name for name in order if name not in wrong and name not in right]
        right = right[: most - len(wrong)] + absent[: max(0, min_size - len(wrong) - len(right))]
        drawn = []
        for name in order:
            if name in wrong or name in right:
                sources = invalid_sources if name in wrong else valid_sources
                of_class, value = values[name].choice(sources[name])
                drawn.append(((name, value(values[name])), of_class, name in right))
        return FormDraw(*map(tuple, zip(*drawn, strict=True))) if drawn else FormDraw((), (), ())

    return strategy(
        forms, recipe, 2 * len(names) + sum(sizes.values()), parameters=parameters, min_size=min_size,
        max_size=max_size, valid=valid, max_invalid=max_invalid, classes=classes, lengths=lengths,
    )  # fmt: skip


def _shuffled(source: Digits, names: Iterable[str]) -> list[str]:
    """Return the names in a drawn order. Zeros leave them in their own."""
    left = list(names)
    return [left.pop(source.below(len(left))) for _ in list(left)]


def _valid_sources(parameter: Parameter, lengths: Mapping[str, tuple[Length, Length]]) -> list[_Source]:
    if parameter.prefix:
        return [("sid/valid", sid_recipe(parameter.prefix))]
    bounds = lengths.get(parameter.name, (parameter.minimum, _GREATEST))
    low, high = (seconds_of("lengths", each) for each in bounds)
    recipes = {f"timer/valid-{name}": duration_recipe([(low, high)], [name]) for name in NOTATIONS}
    sources = [(name, recipe) for name, recipe in recipes.items() if recipe]
    if not sources:
        raise InvalidArgument(f"{lengths=} leaves no valid value of {parameter.name}")
    return sources


def _invalid_sources(parameter: Parameter, wanted: Collection[str]) -> list[_Source]:
    sources: list[_Source] = []
    for of_class in wanted:
        kind, name = of_class.split("/")
        if parameter.prefix and kind == "sid":
            sources.append((of_class, INVALID_SID_CLASSES[name].recipe(parameter.prefix)))
        elif parameter.minimum and of_class == _BELOW_MINIMUM:
            below = (Fraction(1), Fraction(parameter.minimum - 1))
            short = duration_recipe([*ranges_near(parameter.minimum, "below"), below], NOTATIONS)
            sources += [(of_class, short)] if short else []
        elif parameter.minimum and kind == "timer":
            sources.append((of_class, INVALID_DURATION_CLASSES[name].recipe()))
    return sources
