"""
Generates cases with schemathesis from our OpenAPI document, and checks their answers with it.

Our own client sends the cases, within its budget and to its one path. Only the checks of schemathesis on the response
are used. Its checks on accepting and rejecting are not: schemathesis knows no durations, so it takes a random text in a
timer for valid, and a 5xx for a rejection.
"""

import copy
import gzip
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from typing import Any

import httpx
import schemathesis
from hypothesis.internal.charmap import charmap_file
from hypothesis.strategies import SearchStrategy, one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.errors import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from conformance.contract import load
from conformance.harness.conversation import Judged
from conformance.harness.generation import generate
from conformance.harness.session import Session
from conformance.http import PATH, Exchange, Request, encode_form
from conformance.model import FIELDS, Violation
from conformance.oracle.decisions import Answer, decide_value
from conformance.rules.openapi import GENERATED, RULE_OF_CHECK

_CHECKS = (
    not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
    response_headers_conformance,
)


class Case:
    """One case of schemathesis, with the request that it stands for."""

    def __init__(self, case: Any) -> None:
        self._case = case
        body = case.body if isinstance(case.body, dict) else {}
        self.request = Request(body=encode_form([(str(name), str(value)) for name, value in body.items()]))

    def check(self, session: Session, judged: Judged) -> None:
        """Record the failures of schemathesis' checks on an answer that violates no other rule."""
        shown = judged.reply.shown or {}
        settings = ((each, shown.get(each.attribute)) for each in FIELDS)
        if judged.violations or any(
            value and decide_value(each, value).answer is Answer.REJECT for each, value in settings
        ):
            return  # Other rules already report this answer, or an update before it.
        for check in _CHECKS:
            for failure in _failures(self._case, judged.exchange, check):
                title = str(getattr(failure, "title", type(failure).__name__))
                session.conversation.note(
                    Violation(
                        rule=RULE_OF_CHECK[check.__name__],
                        outcome=title.lower().replace(" ", "-"),
                        field=None,
                        summary=title,
                        expected="what the OpenAPI document says",
                        observed=str(failure).splitlines()[0][:200],
                    ),
                    judged.exchange,
                    GENERATED.id,
                    shows=partial(self._shows, check),
                )

    def _shows(self, check: Callable[..., Any], again: Exchange) -> bool:
        return bool(_failures(self._case, again, check))


def cases(*, count: int, seed: int) -> list[Case]:
    """Generate cases, `count` at most; no two have the same request. They are a function of the seed."""
    _know_utf_8()
    modes: list[SearchStrategy[Any]] = [
        _operation().as_strategy(generation_mode=mode) for mode in GenerationMode
    ]
    drawn = generate(one_of(modes), seed=f"{seed}:{GENERATED.id}", count=count)
    made: dict[bytes | None, Case] = {}
    for case in map(Case, drawn):
        made.setdefault(case.request.body, case)
    return list(made.values())


def _know_utf_8() -> None:
    """
    Leave in Hypothesis' cache what UTF-8 can encode: everything but surrogates.

    schemathesis asks for it. To find it out by itself takes Hypothesis 200 MiB and a second, once on each machine. The
    name and form of the file are Hypothesis' own; if another version has others, it finds it out by itself again.
    """
    table = charmap_file("codec-v2-utf-8")
    if not table.exists():
        with suppress(OSError):  # without the cache it only takes longer
            table.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps([[[0, 0xD7FF], [0xE000, 0x10FFFF]], []]).encode()
            # Written beside it and moved: another run may be reading.
            beside = table.with_name(f"{table.name}.{os.getpid()}")
            beside.write_bytes(gzip.compress(content, mtime=1))
            beside.replace(table)


@cache
def _operation() -> Any:
    config = SchemathesisConfig.from_dict(
        {
            "base-url": "http://127.0.0.1",  # schemathesis sends nothing
            "generation": {"with-security-parameters": False, "allow-x00": True, "database": "none"},
            "checks": {"ignored_auth": {"enabled": False}},
        }
    )
    return schemathesis.openapi.from_dict(copy.deepcopy(load("openapi.json")), config=config)[PATH]["POST"]


def _failures(case: Any, exchange: Exchange, check: Callable[..., Any]) -> Sequence[BaseException]:
    """Return the failures of one of schemathesis' checks on an answer."""
    response = exchange.response
    if response is None or (check is not not_a_server_error and response.status != 200):
        return ()
    answer = httpx.Response(
        response.status,
        # The body is decoded already, and httpx would decode it again.
        # As bytes: of texts, httpx takes ASCII alone.
        headers=[
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in response.headers
            if name.lower() != "content-encoding"
        ],
        content=response.body,
        request=httpx.Request("POST", exchange.url),
    )
    answer.elapsed = timedelta(seconds=exchange.elapsed)
    try:
        case.validate_response(answer, checks=[check])
    except FailureGroup as failures:
        return failures.exceptions
    return ()
