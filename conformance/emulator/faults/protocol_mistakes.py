"""The mistakes of `protocol`, as functions that build them in."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from urllib.parse import unquote_to_bytes

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import FORM, Behaviour, Changes, Handler
from conformance.emulator.forms import Pairs, decode_form, decode_text
from conformance.emulator.messages import Answer, ApiError, Call


def media_type(check: Callable[[str], bool]) -> Install:
    """Return a mistake: the media type of a form has to pass another check."""

    def install(behaviour: Behaviour) -> None:
        def checked(call: Call) -> None:
            if not check(call.header(b"content-type") or ""):
                raise ApiError(415, 19056, f"The content type of the request must be {FORM}")

        behaviour.media_type = checked

    return install


def ignores_body(condition: Callable[[Call], object]) -> Install:
    """Return a mistake: the body of some requests is taken for empty."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.pairs
        behaviour.pairs = lambda call: [] if condition(call) else inner(call)

    return install


def refuses_call(condition: Callable[[Call], object], status: int, code: int = 20001) -> Install:
    """Return a mistake: some requests are refused."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.find

        def find(call: Call) -> None:
            inner(call)
            if condition(call):
                raise ApiError(status, code, "The request cannot be handled")

        behaviour.find = find

    return install


def posts_as(change: Callable[[Call], Call]) -> Install:
    """Return a mistake: POST handles a changed copy of the request."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.methods["POST"]
        behaviour.methods["POST"] = lambda call, account: inner(change(call), account)

    return install


def decodes(decode: Callable[[bytes], Pairs]) -> Install:
    """Return a mistake: forms are decoded otherwise."""

    def install(behaviour: Behaviour) -> None:
        behaviour.decode = decode

    return install


def each_value(change: Callable[[str], str]) -> Install:
    """Return a mistake: every value is changed after it was decoded."""
    return decodes(lambda body: [(name, change(value)) for name, value in decode_form(body)])


def names_undecoded(body: bytes) -> Pairs:
    """Decode the values only."""
    pairs = (sequence.partition(b"=") for sequence in body.split(b"&") if sequence)
    return [(name.decode("latin-1"), decode_text(value)) for name, _, value in pairs]


def values_undecoded(body: bytes) -> Pairs:
    """Decode the names only."""
    pairs = (sequence.partition(b"=") for sequence in body.split(b"&") if sequence)
    return [(decode_text(name), value.decode("utf-8", "replace")) for name, _, value in pairs]


def semicolons(body: bytes) -> Pairs:
    """Separate pairs by semicolons too."""
    return decode_form(body.replace(b";", b"&"))


def up_to_second_equals(body: bytes) -> Pairs:
    """Split at every equals sign and use the first two parts."""
    return decode_form(b"&".join(b"=".join(sequence.split(b"=")[:2]) for sequence in body.split(b"&")))


def lower_case_escapes_undecoded(body: bytes) -> Pairs:
    """Know hexadecimal digits in upper case only."""
    return decode_form(re.sub(rb"%(?=[0-9a-f]?[a-f])", b"%25", body))


def broken_escapes_dropped(body: bytes) -> Pairs:
    """Drop broken escapes: a percent sign with up to two characters after it."""
    return decode_form(re.sub(rb"%(?![0-9a-fA-F]{2})[^&=]{0,2}", b"", body))


def invalid_utf_8_dropped(body: bytes) -> Pairs:
    """Drop bytes that are not UTF-8."""
    pairs = (sequence.replace(b"+", b" ").partition(b"=") for sequence in body.split(b"&") if sequence)
    return [
        (unquote_to_bytes(name).decode("utf-8", "ignore"), unquote_to_bytes(value).decode("utf-8", "ignore"))
        for name, _, value in pairs
    ]


def empty_pairs_end(body: bytes) -> Pairs:
    """Stop at the first empty sequence."""
    return decode_form(body.lstrip(b"&").partition(b"&&")[0])


def empty_pairs_refused(body: bytes) -> Pairs:
    """Refuse empty sequences."""
    if b"&&" in body or body.startswith(b"&") or body.endswith(b"&"):
        raise ApiError(400, 20001, "Malformed form")
    return decode_form(body)


def last_pair_lost(body: bytes) -> Pairs:
    """Lose the last of several pairs."""
    pairs = decode_form(body)
    return pairs[:-1] if len(pairs) > 2 else pairs


def unescaped_html(value: str) -> str:
    """Resolve character references, as if the form were HTML."""
    return html.unescape(value)


def timers_by_position(body: bytes) -> Pairs:
    """Give the first of two timers to the inactive one."""
    pairs = decode_form(body)
    timers = [value for name, value in pairs if name.endswith("Timer")]
    if len(timers) != 2:
        return pairs
    others = [pair for pair in pairs if not pair[0].endswith("Timer")]
    return [*others, ("DefaultInactiveTimer", timers[0]), ("DefaultClosedTimer", timers[1])]


def nothing_after_sids(body: bytes) -> Pairs:
    """Stop reading timers at the first SID."""
    pairs = decode_form(body)
    first = next((index for index, (name, _) in enumerate(pairs) if name.endswith("Sid")), len(pairs))
    return [pair for index, pair in enumerate(pairs) if index <= first or pair[0].endswith("Sid")]


def unknown_ends(body: bytes) -> Pairs:
    """Stop at the first unknown parameter."""
    return list(takewhile(lambda pair: pair[0].startswith("Default"), decode_form(body)))


def needs(condition: Callable[[list[str]], bool]) -> Install:
    """Return a mistake: the names sent, in order, have to meet a condition."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.pairs

        def pairs(call: Call) -> Pairs:
            found = inner(call)
            if not condition([name for name, _ in found if name in behaviour.fields]):
                raise ApiError(400, 20001, "The parameters cannot be combined so")
            return found

        behaviour.pairs = pairs

    return install


def collects(choose: Callable[[list[str]], str | None]) -> Install:
    """Return a mistake: a repeated parameter is not refused; its values become another value, or None."""

    def install(behaviour: Behaviour) -> None:
        def collect(pairs: Pairs) -> dict[str, str]:
            values: dict[str, list[str]] = {}
            for name, value in pairs:
                if name in behaviour.fields:
                    values.setdefault(name, []).append(value)
            chosen = {name: sent[0] if len(sent) == 1 else choose(sent) for name, sent in values.items()}
            return {name: value for name, value in chosen.items() if value is not None}

        behaviour.collect = collect

    return install


def repeated_stored(store: Callable[[list[str]], str | None]) -> Install:
    """Return a mistake: the first of repeated values is validated, and something else is stored."""

    def install(behaviour: Behaviour) -> None:
        collects(lambda sent: sent[0])(behaviour)
        inner = behaviour.methods["POST"]

        async def post(call: Call, account: str) -> Answer:
            await inner(call, account)
            values: dict[str, list[str]] = {}
            for name, value in decode_form(call.body):
                values.setdefault(name, []).append(value)
            changes = {
                field.column: store(values[name])
                for name, field in behaviour.fields.items()
                if len(values.get(name, [])) > 1
            }
            return behaviour.show(call, account, behaviour.store.update(account, changes))

        behaviour.methods["POST"] = post

    return install


def unvalidated(read: Callable[[Behaviour, Call], Changes], *methods: str) -> Install:
    """Return a mistake: some requests write the values that `read` finds in them, by column, unchecked."""

    def install(behaviour: Behaviour) -> None:
        for method in methods:
            inner = behaviour.methods.get(method)

            async def handle(call: Call, account: str, inner: Handler | None = inner) -> Answer:
                changes = read(behaviour, call)
                if changes:
                    return behaviour.show(call, account, behaviour.store.update(account, changes))
                return await (inner or behaviour.methods["GET"])(call, account)

            behaviour.methods[method] = handle

    return install


def form_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return the form's values under the parameters' names."""
    fields = behaviour.fields
    return {fields[name].column: text for name, text in decode_form(call.body) if name in fields}


def query_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return the query's values under the parameters' names."""
    return form_unchecked(behaviour, replace(call, body=call.query))


def attributes_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return the form's values under the attributes' names."""
    columns = {field.column for field in behaviour.fields.values()}
    return {name: text for name, text in decode_form(call.body) if name in columns}


def other_case_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return the form's values under the parameters' names in upper or lower case."""
    fields = {name.lower(): field.column for name, field in behaviour.fields.items()}
    return {
        fields[name.lower()]: text
        for name, text in decode_form(call.body)
        if name.lower() in fields and name not in behaviour.fields
    }


def json_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return what a JSON body holds, by the parameters' or the attributes' names."""
    if "json" not in (call.header(b"content-type") or ""):
        return {}
    try:
        document = json.loads(call.body)
    except ValueError:
        return {}
    columns = {name: field.column for name, field in behaviour.fields.items()}
    columns |= {column: column for column in columns.values()}
    items = document.items() if isinstance(document, dict) else ()
    return {columns[name]: str(value) for name, value in items if name in columns}


def multipart_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return what a multipart body holds, by the parameters' names."""
    if "multipart/form-data" not in (call.header(b"content-type") or ""):
        return {}
    found = re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', call.body, re.DOTALL)
    fields = behaviour.fields
    parts = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in found]
    return {fields[name].column: value for name, value in parts if name in fields}


def plain_text_unchecked(behaviour: Behaviour, call: Call) -> Changes:
    """Return what a body of plain text holds, read as a form."""
    return form_unchecked(behaviour, call) if "text/plain" in (call.header(b"content-type") or "") else {}


def other_account(behaviour: Behaviour, call: Call) -> Changes:
    """Write the form to the account that it names, whoever sends it."""
    sent = dict(decode_form(call.body))
    if sent.get("AccountSid") in behaviour.accounts:
        behaviour.store.update(sent["AccountSid"], form_unchecked(behaviour, call))
    return {}
