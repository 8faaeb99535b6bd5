"""The choices of `variants`, as functions that build them in."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, Changes
from conformance.emulator.fields import SidField, TimerField
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import Row

DOCUMENTED = {"DefaultChatServiceSid": "IS" + "a" * 32, "DefaultMessagingServiceSid": "MG" + "a" * 32}


def timers(alter: Callable[[TimerField], None]) -> Install:
    """Return a choice that is made in both timers."""

    def install(behaviour: Behaviour) -> None:
        for timer in behaviour.timers.values():
            alter(timer)

    return install


def echoes(spell: Callable[[int], str]) -> Install:
    """Return a choice: timers of whole seconds and without years and months are kept in another spelling."""

    def alter(timer: TimerField) -> None:
        inner = timer.keep

        def keep(text: str, length: Decimal) -> str | None:
            calendar = re.search("[YM]", text.partition("T")[0])
            if calendar or not length or length > 10**12 or length != length.to_integral_value():
                return inner(text, length)
            return spell(int(length))

        timer.keep = keep

    return timers(alter)


def in_java(seconds: int) -> str:
    """Spell as java.time.Duration.toString does."""
    return "PT" + _time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def in_days(seconds: int) -> str:
    """Spell as isodate.duration_isoformat does."""
    days, rest = divmod(seconds, 86400)
    time_part = _time(rest // 3600, rest // 60 % 60, rest % 60)
    return f"P{f'{days}D' if days else ''}{f'T{time_part}' if time_part else ''}"


def in_weeks(seconds: int) -> str:
    """Spell whole weeks as such."""
    return in_days(seconds) if seconds % 604800 else f"P{seconds // 604800}W"


def _time(hours: int, minutes: int, seconds: int) -> str:
    return "".join(
        f"{number}{unit}" for number, unit in zip((hours, minutes, seconds), "HMS", strict=True) if number
    )


def in_full(seconds: int) -> str:
    """Spell every component out, as PHP programs do."""
    days, rest = divmod(seconds, 86400)
    return f"P0Y0M{days}DT{rest // 3600}H{rest // 60 % 60}M{rest % 60}S"


def zero(keep: str | None, *, in_closed: bool = False) -> Install:
    """Return a choice: PT0S, which disables the inactive timer or both timers, is kept as another text."""

    def install(behaviour: Behaviour) -> None:
        for timer in behaviour.timers.values():
            if in_closed:
                timer.exempt = lambda text: text == "PT0S"
            inner = timer.keep

            def kept(
                text: str, length: Decimal, inner: Callable[[str, Decimal], str | None] = inner
            ) -> str | None:
                return inner(text, length) if length else keep

            timer.keep = kept

    return install


def refuse_zero(timer: TimerField) -> None:
    """Refuse PT0S, because it is shorter than the minimum."""
    timer.exempt = lambda text: False


def at_most_a_year(timer: TimerField) -> None:
    """Refuse more than 365 days."""
    inner = timer.reaches
    timer.reaches = lambda length: inner(length) and length <= 365 * 86400


def closed_after_inactive(behaviour: Behaviour) -> None:
    """Refuse an update that leaves the closed timer shorter than the inactive one."""
    inactive, closed = behaviour.timers.values()

    def combine(account: str, changes: Changes) -> Changes:
        row = behaviour.store.read(account) | changes
        lengths = [timer.parse(text) for timer in (inactive, closed) if (text := row[timer.column])]
        if len(lengths) == 2 and lengths[1] < lengths[0]:
            raise ApiError(400, 20001, "TimeToClosed must not be less than TimeToInactive")
        return changes

    behaviour.combine = combine


def known_sids(exists: Callable[[SidField, str], bool], *parameters: str, status: int = 400) -> Install:
    """Return a choice: a SID has to match the pattern, and its service has to exist."""

    def install(behaviour: Behaviour) -> None:
        for parameter in parameters or tuple(behaviour.sids):
            sid = behaviour.sids[parameter]
            inner = sid.validate

            def validate(
                text: str, sid: SidField = sid, inner: Callable[[str], str | None] = inner
            ) -> str | None:
                kept = inner(text)
                if not exists(sid, text):
                    raise ApiError(
                        status, 20404 if status == 404 else 50050, f"{sid.parameter} was not found"
                    )
                return kept

            sid.validate = validate

    return install


def refusals(change: Callable[[ApiError], ApiError]) -> Install:
    """Return a choice: forms are refused with another error."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.refuse
        behaviour.refuse = lambda call, error: inner(call, change(error) if error.status == 400 else error)

    return install


def error_attributes(
    change: Callable[[dict[str, object]], dict[str, object]], content_type: str = ""
) -> Install:
    """Return a choice: error bodies have other attributes, or another media type."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.refuse

        def refuse(call: Call, error: ApiError) -> Answer:
            result = inner(call, error)
            body = json.dumps(change(json.loads(result.body)), ensure_ascii=False).encode()
            headers = tuple(
                (name, content_type or value) if name == "Content-Type" else (name, value)
                for name, value in result.headers
            )
            return replace(result, headers=headers, body=body)

        behaviour.refuse = refuse

    return install


def answers(change: Callable[[Call, Answer], Answer]) -> Install:
    """Return a choice: every answer is changed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.finish
        behaviour.finish = lambda call, result: change(call, inner(call, result))

    return install


def documents(change: Callable[[dict[str, object]], object]) -> Install:
    """Return a choice: configurations have other attributes."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.represent

        def represent(call: Call, account: str, row: Row) -> dict[str, object]:
            document = dict(inner(call, account, row))
            change(document)
            return document

        behaviour.represent = represent

    return install


def encodes(encode: Callable[[object], str]) -> Install:
    """Return a choice: another function writes the JSON."""

    def install(behaviour: Behaviour) -> None:
        behaviour.encode = lambda document: encode(document).encode()

    return install


def without_nulls(document: dict[str, object]) -> None:
    """Leave out attributes that were never set."""
    for name in [name for name, value in document.items() if value is None]:
        del document[name]


def defaults(document: dict[str, object]) -> None:
    """Show defaults for timers that were never set."""
    for name, value in (("default_inactive_timer", "PT12H"), ("default_closed_timer", "P2D")):
        document[name] = document.get(name) or value


def seeded(behaviour: Behaviour) -> None:
    """Begin with a configuration in which every attribute has a value."""
    values: Row = {
        "default_chat_service_sid": "IS" + "5eed" * 8,
        "default_messaging_service_sid": "MG" + "5eed" * 8,
        "default_inactive_timer": "PT5M",
        "default_closed_timer": "P1D",
    }
    for account in behaviour.accounts:
        row = behaviour.store.read(account)
        behaviour.store.update(account, {column: row[column] or value for column, value in values.items()})


def without(name: str) -> Callable[[dict[str, object]], object]:
    """Return a change: an attribute is left out."""
    return lambda document: document.pop(name, None)


def with_example_cors(call: Call, result: Answer) -> Answer:
    """Send the values of the vendor's example."""
    return sets(
        Access_Control_Allow_Methods="POST, OPTIONS",
        Access_Control_Allow_Headers="Content-Type, Authorization",
        Access_Control_Expose_Headers="X-Custom-Header1, X-Custom-Header2",
    )(call, result)


def with_vendor_headers(call: Call, result: Answer) -> Answer:
    """Send the other headers that the vendor's answers have."""
    return adds(
        ("Twilio-Request-Id", "RQ" + "0" * 32),
        ("Twilio-Request-Duration", "0.012"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Cache-Control", "no-store"),
    )(call, result)


def as_problem(body: dict[str, object]) -> dict[str, object]:
    """Return an error as problem details."""
    return body | {"title": body["message"], "type": "about:blank"}


def with_more(document: dict[str, object]) -> None:
    """Add what the document does not name."""
    document |= {"date_updated": "2026-01-01T00:00:00Z", "reachability_enabled": False}


def without_cors(call: Call, result: Answer) -> Answer:
    """Leave the documented headers out."""
    kept = tuple(item for item in result.headers if not item[0].startswith("Access-Control-"))
    return replace(result, headers=kept)


def adds(*headers: tuple[str, str]) -> Callable[[Call, Answer], Answer]:
    """Return a change: headers are added."""
    return lambda call, result: replace(result, headers=(*result.headers, *headers))


def sets(**values: str) -> Callable[[Call, Answer], Answer]:
    """Return a change: headers that are there have other values; `_` stands for a hyphen."""
    named = {name.replace("_", "-").lower(): value for name, value in values.items()}
    return lambda call, result: replace(
        result, headers=tuple((name, named.get(name.lower(), value)) for name, value in result.headers)
    )


def lower_case_headers(call: Call, result: Answer) -> Answer:
    """Write the names of headers in lower case."""
    return replace(result, headers=tuple((name.lower(), value) for name, value in result.headers))


def compressed(call: Call, result: Answer) -> Answer:
    """Compress bodies for clients that take gzip."""
    if "gzip" not in (call.header(b"accept-encoding") or "") or not result.body:
        return result
    headers = (*result.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return replace(result, headers=headers, body=gzip.compress(result.body, mtime=0))


def chunked(call: Call, result: Answer) -> Answer:
    """Send bodies in chunks."""
    return replace(result, chunked=bool(result.body) and call.method != "HEAD")


def treated(treatment: str) -> Callable[[Call, Answer], Answer]:
    """Return a change: the connection alters the bytes, by the treatment of that name."""
    return lambda call, result: replace(result, wire=treatment)


def closes_some(behaviour: Behaviour) -> None:
    """Close every fifth connection after its answer, without having announced it."""
    count = 0
    inner = behaviour.finish

    def finish(call: Call, result: Answer) -> Answer:
        nonlocal count
        count += 1
        finished = inner(call, result)
        return replace(finished, wire="close-after") if count % 5 == 0 else finished

    behaviour.finish = finish


def one_writer(behaviour: Behaviour) -> None:
    """Write one update at a time, each taking two milliseconds."""
    inner = behaviour.write
    lock = asyncio.Lock()

    async def write(account: str, changes: Changes) -> Row:
        async with lock:
            await asyncio.sleep(0.002)  # the variant is a slow write: requests at the same time overlap
            return await inner(account, changes)

    behaviour.write = write
