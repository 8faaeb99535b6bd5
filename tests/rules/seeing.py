"""Shows one exchange to the response checks."""

import json

from fakes import ACCOUNT, representation

from conformance.http import Exchange, Failure, Pairs, Request, Response, update
from conformance.oracle.decisions import decide, length_of
from conformance.oracle.expected_state import ExpectedState
from conformance.rules import Reply, judge

# The timers in force: the closed one outlasts the inactive one by far, so no decision is open for that reason.
LENGTHS = {"DefaultInactiveTimer": [length_of("PT1M")], "DefaultClosedTimer": [length_of("P30D")]}


def seen(request: Request | Pairs, response: Response | Failure, **facts: object) -> Reply:
    """One exchange with what a run knows about it."""
    if isinstance(request, tuple):
        request = update(*request)
    failed = isinstance(response, Failure)
    exchange = Exchange(
        number=1,
        request=request,
        response=None if failed else response,  # type: ignore[arg-type]  # narrowed by `failed`
        failure=response if failed else None,  # type: ignore[arg-type]  # narrowed by `failed`
    )
    form = request.form() if request.method == "POST" and not request.query else None
    known_sids = facts.pop("known_sids", None)
    decision = None if form is None else decide(form, known_sids=known_sids, lengths=LENGTHS)  # type: ignore[arg-type]  # tests name it
    state = ExpectedState()
    state.record(exchange)
    own = {"account_sid": ACCOUNT} | facts
    return Reply(exchange=exchange, form=request.form(), decision=decision, state=state, **own)  # type: ignore[arg-type]  # tests name them


def broken(request: Request | Pairs, response: Response | Failure, **facts: object) -> dict[str, str]:
    """The rules that one exchange breaks, each with its outcome."""
    return {each.rule: each.outcome for each in judge(seen(request, response, **facts))}


def response(
    status: int = 200, document: object = None, *headers: tuple[str, str], body: bytes | None = None
) -> Response:
    """A response; by default the right representation."""
    content = (
        body if body is not None else json.dumps(representation() if document is None else document).encode()
    )
    named = {name.lower() for name, _ in headers}
    own = () if "content-type" in named else (("Content-Type", "application/json"),)
    return Response(status=status, headers=(*own, *headers), body=content)


def error(http_status: int, *headers: tuple[str, str], **changes: object) -> Response:
    """A refusal in the vendor's form, with changes; `...` takes a member out."""
    document: dict[str, object] = {"code": 20001, "message": "no", "status": http_status}
    document["more_info"] = "https://www.twilio.com/docs/errors/20001"
    return response(
        http_status,
        {name: value for name, value in (document | changes).items() if value is not ...},
        *headers,
    )
