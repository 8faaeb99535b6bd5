"""
Serves a recording: a recorded request gets its recorded answer, and any other one a 501 that names the request.

Every account has a state, which is its settings. The first answer in the recording that shows settings is the state at
first. An accepted update changes the settings that it sends to what the recording shows of them; the other settings of
the answer are those of the state. Where a request was accepted once and refused another time, the answer is taken that
was given in the present state.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import Response as Reply
from starlette.routing import Mount, request_response

from conformance.exceptions import RecordingError
from conformance.fidelity.recording import ROLES, Recording, Taken
from conformance.http import FORM_MEDIA_TYPE, PATH, Exchange, Request, Response, decode_form
from conformance.model import BY_PARAMETER, CHAT
from conformance.reporting import record
from conformance.reporting.text import request_line
from conformance.transport.credentials import Account, authorization

_OF_THE_CONNECTION = frozenset(
    {"content-length", "transfer-encoding", "connection", "keep-alive", "content-encoding", "date", "server"}
)

State = dict[str, Any]
"""The settings of an account, by attribute."""


class Answered(NamedTuple):
    """The answer to one request."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Recorded:
    """One step of the recording, with what was set before it."""

    taken: Taken
    before: State | None


class Replay:
    """
    Answers requests as a recording has it; other accounts stand for those of the recording, in their order.

    Raises:
        RecordingError: The recording has no answer at all.
    """

    def __init__(self, recording: Recording, accounts: Sequence[Account]) -> None:
        self._target = recording.target.rstrip("/")
        self._accounts = list(accounts[: len(ROLES)])
        self._steps: dict[Any, list[_Recorded]] = defaultdict(list)
        self._states: dict[int, State] = {}
        self._refusals: list[_Recorded] = []
        """Answers to requests without the account's own credentials."""
        now: dict[int, State] = {}
        for taken in recording.taken:
            request = taken.step.request
            recorded = _Recorded(taken, now.get(request.account))
            for key in _keys(request.method, request.query, request.body or b"", request.content_type):
                self._steps[self._sender(request), key].append(recorded)
            if not request.auth.valid and taken.outcome.status == "401":
                self._refusals.append(recorded)
            if taken.outcome.settings is not None:
                now[request.account] = dict(taken.outcome.settings)
                self._states.setdefault(request.account, dict(taken.outcome.settings))
        if not any(each.exchange.response for each in recording.taken):
            raise RecordingError("the recording has no answer: record again with `conformance record`")

    def _sender(self, request: Request) -> str:
        """Return the sender of a request: the number of the account, or else the header that is sent."""
        number, known = request.account, self._accounts
        if request.auth.valid:
            return str(number)
        if number >= len(known):
            return "nobody"
        sent = authorization(request.auth, known[number], known[(number + 1) % len(known)])
        return (sent and sent[0]) or "nobody"

    def answer(
        self, method: str, query: str, body: bytes, content_type: str | None, header: str | None, base: str
    ) -> Answered:
        """Return the answer to a request; `header` is its Authorization, and `base` the base URL that it came to."""
        sent = Request(method=method, query=query, body=body, content_type=content_type)
        scheme, _, rest = (header or "").partition(" ")
        plain = f"Basic {rest}" if scheme.lower() == "basic" else header  # RFC 7617 2: in any case
        own = [authorization(sent.auth, each, None) for each in self._accounts]
        account = next((number for number, each in enumerate(own) if each and each[0] == plain), None)
        sender = str(account) if account is not None else header or "nobody"
        found = next(
            (
                steps
                for key in _keys(method, query, body, content_type)
                if (steps := self._steps.get((sender, key)))
            ),
            [],
        )
        if not found and account is None:
            found = self._refusals[:1]
        state = self._states.get(account if account is not None else 0, {})
        chosen = _chosen(found, state)
        if chosen is None or chosen.taken.exchange.response is None:
            return _unserved(sent, "in other states only" if found and chosen is None else "")
        return self._as_it_was(chosen, chosen.taken.exchange.response, account, base)

    def _as_it_was(self, chosen: _Recorded, response: Response, account: int | None, base: str) -> Answered:
        body, shown = response.body, chosen.taken.outcome.settings
        if shown is not None and account is not None:
            form, before = chosen.taken.step.request.form() or (), chosen.before or {}
            written = {BY_PARAMETER[name].attribute for name, _ in form if name in BY_PARAMETER}
            written |= {name for name in before if shown.get(name) != before[name]}
            kept = {
                name: value for name, value in self._states.get(account, {}).items() if name not in written
            }
            state = {**shown, **kept}
            self._states[account] = state
            changed = {name: value for name, value in state.items() if name in shown and shown[name] != value}
            body = _with(response.body, changed) if changed else response.body
        text = body.replace(self._target.encode(), base.encode())
        for role, own in zip(ROLES, self._accounts, strict=False):
            text = text.replace(role.encode(), own.user.encode())
        headers = [each for each in response.headers if each[0].lower() not in _OF_THE_CONNECTION]
        return Answered(response.status, headers, text)


def _keys(method: str, query: str, body: bytes, content_type: str | None) -> list[Any]:
    """Return the keys that requests are matched by, the closest first: bytes, parameters in order, and in any order."""
    essence = (content_type or "").partition(";")[0].strip().lower() if body else ""
    pairs = decode_form(body) if essence == FORM_MEDIA_TYPE else ()
    exact = (method, query, content_type if body else None, body)
    repeated = len(dict(pairs)) < len(pairs)
    looser = [pairs, *([] if repeated else [frozenset(pairs)])] if pairs else []
    return [exact, *((method, query, each) for each in looser)]


def _chosen(found: Sequence[_Recorded], state: Mapping[str, Any]) -> _Recorded | None:
    """Return the step to answer by: one in the present state, else any where all were answered alike."""
    same = [each for each in found if each.before == state]
    outcomes = [each.taken.outcome for each in found]
    alike = len({(each.answer, each.status, each.code) for each in outcomes}) == 1
    return same[-1] if same else found[-1] if alike else None


def _with(body: bytes, settings: Mapping[str, Any]) -> bytes:
    """Return the document of an answer with other settings, and with links that fit them."""
    document = json.loads(body)
    before, after = document.get(CHAT.attribute), settings.get(CHAT.attribute, document.get(CHAT.attribute))
    links = document.get("links")
    if before != after and isinstance(before, str) and isinstance(links, dict):
        document["links"] = {
            name: str(link).replace(before, str(after))
            for name, link in links.items()
            if isinstance(after, str) or before not in str(link)
        }
    return json.dumps({**document, **settings}).encode()


def _unserved(sent: Request, why: str) -> Answered:
    line = request_line(record(Exchange(number=1, request=sent)))
    message = f"the recording does not have this step{f', or has it {why}' if why else ''}: {line}"
    document = {"status": 501, "code": 50100, "message": message, "more_info": None}
    return Answered(501, [("Content-Type", "application/json")], json.dumps(document).encode())


def served(replay: Replay) -> Starlette:
    """Return a replay as an application."""

    async def answer(request: Asked) -> Reply:
        prefix, found, rest = request.url.path.rpartition(PATH)
        body = await request.body()
        answered = (
            _unserved(Request(method=request.method, body=b""), f"at another path than {PATH}")
            if not found or rest
            else replay.answer(
                request.method,
                request.url.query,
                body,
                request.headers.get("content-type"),
                request.headers.get("authorization"),
                f"{request.url.scheme}://{request.url.netloc}{prefix}",
            )
        )
        reply = Reply(answered.body, answered.status)
        reply.raw_headers += [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers
        ]
        return reply

    return Starlette(routes=[Mount("", app=request_response(answer))])
