"""Makes sequences of requests smaller: leaves out requests, parameters, unusual features and parts of values."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from conformance.http import NO_AUTH, Pairs, Request, as_usual, encode_form
from conformance.model import PARAMETERS
from conformance.oracle.durations import read
from conformance.rules import CATALOGUE
from conformance.rules.case import Requests

TRIED = 64
"""Simpler requests that are tried at a time, at most. A form with 10,000 parameters has at least as many."""

_READABLE = 64
"""Characters of the longest value that is taken apart as a duration. A person writes none that is longer."""

_COMPONENT = re.compile("[0-9]+(?:[.,][0-9]+)?[A-Za-z]")
"""A number with its unit, such as 10M."""

_Whole = TypeVar("_Whole", str, Pairs)


def smaller(
    requests: Requests, first_shown: Callable[[Requests, Iterable[Requests]], Requests | None]
) -> Requests:
    """
    Make a sequence smaller until nothing more can be left out.

    Args:
        requests: A sequence that shows a violation.
        first_shown: Takes the current sequence and smaller ones; returns the first of these that shows the violation
            too, or None.

    Returns:
        The smallest sequence that was shown.
    """
    index = 0
    while index < len(requests) - 1:
        shorter = first_shown(requests, [requests[:index] + requests[index + 1 :]])
        if shorter is None:
            index += 1
        else:
            requests = shorter
    for position in reversed(range(len(requests))):
        while simpler := first_shown(
            requests,
            (
                (*requests[:position], each, *requests[position + 1 :])
                for each in _simpler(requests[position])
            ),
        ):
            requests = simpler
    return requests


def _with(request: Request, pairs: Pairs) -> Request:
    return replace(request, body=encode_form(pairs))


def _simpler(request: Request) -> Iterator[Request]:
    """Yield requests that are simpler than the given one; those that leave out most come first."""
    if request.account:
        yield replace(request, account=0)
    if request.query and not request.intends:
        yield replace(request, query="")
    if request.after:
        yield replace(request, after=0.0)
    if not request.auth.valid and request.auth != NO_AUTH:
        yield replace(request, auth=NO_AUTH)
    pairs = request.form() if request.method == "POST" else None
    if pairs is None:
        return
    plain = replace(as_usual(request), auth=request.auth, intends=request.intends, fresh=False)
    if plain != request and request.content_type is not None:
        yield plain
    for rule in CATALOGUE:
        if rule.control is not None and (control := rule.control(request)) is not None:
            yield control
    if request.fresh:
        yield replace(request, fresh=False)
    if request.headers:
        yield replace(request, headers=())
    if request.body != encode_form(pairs):
        return  # The body is encoded in an unusual way. Other pairs would be encoded in the usual one.
    if len(pairs) > 1:
        documented_first = sorted(dict.fromkeys(pairs), key=lambda pair: pair[0] not in PARAMETERS)
        for pair in documented_first[: TRIED // 2]:
            yield _with(request, (pair,))
        if len(pairs) > 2:  # Of two parameters, each one alone was just tried.
            for fewer in _with_less(pairs):
                yield _with(request, fewer)
    else:
        for name, value in pairs:
            for shorter in _shorter(value):
                yield _with(request, ((name, shorter),))


def _shorter(value: str) -> Iterator[str]:
    """Yield the value without one component of a duration; then, if it is no duration, without other parts."""
    if len(value) <= _READABLE:
        for match in _COMPONENT.finditer(value):
            yield value[: match.start()] + value[match.end() :]
        if read(value):
            return  # A part of a duration is another duration: P1M is not a smaller PT10M.
    yield from _with_less(value)


def _with_less(whole: _Whole) -> Iterator[_Whole]:
    """Yield the whole without its middle half, then without each quarter, and so on down to single elements."""
    size = len(whole) // 2
    while size:
        for start in range(size // 2, len(whole) - size + 1, size):
            yield whole[:start] + whole[start + size :]
        size //= 2
