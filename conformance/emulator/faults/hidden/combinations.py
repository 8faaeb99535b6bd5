"""Mistakes that show where two properties of a request come together."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, PATH, Behaviour, Changes
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults import sids, timer_mistakes
from conformance.emulator.faults.hidden.occasions import only, post, user
from conformance.emulator.faults.robustness_mistakes import header, method
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import Answer, ApiError, Call

SID, TOKEN = next(iter(WITNESS_ACCOUNTS.items()))
CHAT, MESSAGING, INACTIVE, CLOSED = (
    "DefaultChatServiceSid",
    "DefaultMessagingServiceSid",
    "DefaultInactiveTimer",
    "DefaultClosedTimer",
)
A, D = f"{INACTIVE}=PT1H", f"{CLOSED}=P1D"
IS, MG = f"{CHAT}=IS" + "a" * 32, f"{MESSAGING}=MG" + "b" * 32
READ = Step(method="GET")
FORM_TYPE = ("Content-Type", FORM)
UNREAD_CLOSED = "closed-timer-syntax closed-timer-minimum closed-timer-strictness closed-timer-echo"
UNREAD_INACTIVE = "inactive-timer-syntax inactive-timer-minimum inactive-timer-strictness inactive-timer-echo"
UNREAD_CHAT = " ".join(
    f"chat-service-sid-{aspect}"
    for aspect in ("prefix", "length", "alphabet", "anchoring", "strictness", "echo")
)

Values = dict[str, str]
Validate = Callable[[str, Values], Changes]


def named(behaviour: Behaviour, call: Call) -> str:
    """Return the account that a request names, or the first one."""
    return user(call) if user(call) in behaviour.accounts else logins.first_account(behaviour)


anybody = logins.credentials(named)
any_password = logins.passwords(lambda token, sent: token is not None)


def _wrong(*headers: tuple[str, str], body: str = A, **options: Any) -> Step:
    return Step(body, credentials=f"{SID}:wrong", headers=(FORM_TYPE, *headers), **options)


def cached_by_user(behaviour: Behaviour) -> None:
    """Answer an update that is equal to the last accepted one, before the password is looked at."""
    inner = behaviour.answer
    latest: dict[str, tuple[bytes, Answer]] = {}

    async def answer(call: Call) -> Answer:
        body, cached = latest.get(user(call), (b"", None))
        if cached and post(call) and call.body == body:
            return cached
        answered = await inner(call)
        if post(call) and call.body and answered.status == 200:
            latest[user(call)] = (call.body, answered)
        return answered

    behaviour.answer = answer


def unread(behaviour: Behaviour, *parameters: str) -> None:
    """Keep the texts of some parameters unread."""
    for parameter in parameters:
        behaviour.fields[parameter].validate = lambda text: text


def unread_where(condition: Callable[[Behaviour, Values], object], *parameters: str) -> Install:
    """Return a mistake: some parameters are kept unread where the values of a form meet a condition."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.validate

        def validate(account: str, values: Values) -> Changes:
            if not condition(behaviour, values):
                return inner(account, values)
            kept = {name: text for name, text in values.items() if name not in parameters}
            texts = {behaviour.fields[name].column: values[name] for name in parameters if name in values}
            return inner(account, kept) | texts

        behaviour.validate = validate

    return install


def passes(behaviour: Behaviour, parameter: str, values: Values) -> bool:
    """Tell whether the value of a parameter is there and right."""
    try:
        return parameter in values and behaviour.fields[parameter].validate(values[parameter]) is not None
    except ApiError:
        return False


def _both_wrong(behaviour: Behaviour, values: Values) -> bool:
    timers = [name for name in behaviour.timers if name in values]
    return len(timers) == 2 and not any(passes(behaviour, name, values) for name in timers)


def _exchanged(body: bytes) -> Pairs:
    """Put two SIDs under each other's names where their prefixes say so."""
    pairs = decode_form(body)
    sent = dict(pairs)
    if sent.get(CHAT, "").startswith("MG") and sent.get(MESSAGING, "").startswith("IS"):
        return [*(pair for pair in pairs if pair[0] not in (CHAT, MESSAGING)), (CHAT, sent[MESSAGING]),
                (MESSAGING, sent[CHAT])]  # fmt: skip
    return pairs


def _last_of_four_lost(body: bytes) -> Pairs:
    """Lose the last of four parameters, unless they come in alphabetical order or in the document's."""
    pairs = decode_form(body)
    names = [name for name, _ in pairs]
    in_order = names in (sorted(names), [CLOSED, INACTIVE, CHAT, MESSAGING])
    return pairs if len(names) != 4 or in_order else pairs[:-1]


def _ten_minutes_after_closed(behaviour: Behaviour, account: str, values: Values, inner: Validate) -> Changes:
    """Apply the minimum of a closed timer to the inactive one behind it."""
    names = [*values]
    if {CLOSED, INACTIVE} <= values.keys() and names.index(CLOSED) < names.index(INACTIVE):
        changes = inner(account, values)
        if behaviour.timers[INACTIVE].parse(values[INACTIVE]) < behaviour.timers[CLOSED].minimum:
            raise behaviour.timers[INACTIVE].too_short()
        return changes
    return inner(account, values)


def _equal_digits_refused(behaviour: Behaviour, account: str, values: Values, inner: Validate) -> Changes:
    if {CHAT, MESSAGING} <= values.keys() and values[CHAT][2:] == values[MESSAGING][2:]:
        raise ApiError(400, 20001, "The digits are in use already")
    return inner(account, values)


def _sids_written_in_pairs(behaviour: Behaviour, account: str, values: Values, inner: Validate) -> Changes:
    """Write both SIDs at once, before the timers are read."""
    if {CHAT, MESSAGING} <= values.keys():
        behaviour.store.update(account, inner(account, {name: values[name] for name in (CHAT, MESSAGING)}))
    return inner(account, values)


def _first_two_written(behaviour: Behaviour, account: str, values: Values, inner: Validate) -> Changes:
    """Write two parameters at a time."""
    if len(values) > 2:
        behaviour.store.update(account, inner(account, dict([*values.items()][:2])))
    return inner(account, values)


def validates(change: Callable[[Behaviour, str, Values, Validate], Changes]) -> Install:
    """Return a mistake: values are validated by a function around the right one."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.validate
        behaviour.validate = lambda account, values: change(behaviour, account, values, inner)

    return install


def _query_kept(behaviour: Behaviour) -> None:
    """Keep the query's inactive timer where the form has one that passes."""
    inner = behaviour.methods["POST"]

    async def handle(call: Call, account: str) -> Answer:
        answer = await inner(call, account)
        queried = dict(decode_form(call.query)).get(INACTIVE)
        if queried is None or INACTIVE not in dict(decode_form(call.body)):
            return answer
        return behaviour.show(
            call, account, behaviour.store.update(account, {"default_inactive_timer": queried})
        )

    behaviour.methods["POST"] = handle


def _own_account_taken(behaviour: Behaviour) -> None:
    """Match a chat service with the SIDs that the account knows, its own among them."""
    inner = behaviour.validate

    def validate(account: str, values: Values) -> Changes:
        if values.get(CHAT) != account:
            return inner(account, values)
        rest = {name: text for name, text in values.items() if name != CHAT}
        return inner(account, rest) | {"default_chat_service_sid": account}

    behaviour.validate = validate


def _repeated(call: Call) -> bool:
    names = [name for name, _ in decode_form(call.body)]
    return names.count(INACTIVE) > 1


def _closed_unread_and_first_of_repeated(behaviour: Behaviour) -> None:
    forms.collects(lambda sent: sent[0])(behaviour)
    unread(behaviour, CLOSED)


def _closed_minimum_unchecked(behaviour: Behaviour) -> None:
    timer_mistakes.at_least(lambda minimum: -1e99)(behaviour.timers[CLOSED])


def _unanchored_messaging(behaviour: Behaviour) -> None:
    sids.matches("{p}[0-9a-fA-F]{32}", how="match")(behaviour.sids[MESSAGING])


def _unknown(call: Call) -> bool:
    return any(not name.startswith("Default") for name, _ in decode_form(call.body))


def chunked(call: Call) -> bool:
    """Tell whether a body comes in chunks."""
    return (call.header(b"transfer-encoding") or "").lower() == "chunked"


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "combinations", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    # Credentials and the shape of a request
    _fault("chunked-update-unauthenticated", "credentials-required",
      "A chunked update is handled before its credentials are looked at.", only(chunked, anybody),
      Step(A, credentials="", chunked=True)),
    _fault("empty-update-unauthenticated", "credentials-required",
      "An update without a body needs no credentials, since it writes nothing.",
      only(lambda call: post(call) and not call.body, anybody), Step(credentials="")),
    _fault("head-unauthenticated", "credentials-status", "HEAD needs no credentials.",
      logins.unauthenticated("HEAD"), Step(method="HEAD", credentials="")),
    _fault("overridden-method-unauthenticated", "credentials-required",
      "A POST whose X-HTTP-Method-Override says OPTIONS passes for a preflight, and is handled as an update.",
      only(header(b"x-http-method-override", "(?i)options"), anybody),
      Step(A, credentials="", headers=(FORM_TYPE, ("X-HTTP-Method-Override", "OPTIONS")))),
    _fault("password-unchecked-with-query", "credentials-required",
      "Where the target has a query, any password of a known account passes.",
      only(lambda call: call.query, any_password), _wrong(path="/v1/Configuration?x=y")),
    _fault("password-unchecked-in-upper-case-scheme", "credentials-required",
      "Where the scheme is written BASIC, any password of a known account passes.",
      only(header(b"authorization", r"\ABASIC "), any_password),
      _wrong(("Authorization", f"BASIC {b64encode(f'{SID}:wrong'.encode()).decode()}"))),
    _fault("password-unchecked-with-cookie", "credentials-required",
      "A cookie is taken for a session of the user name, whose password is not checked.",
      only(header(b"cookie", "."), any_password), _wrong(("Cookie", "session=1"))),
    _fault("password-unchecked-for-plain-text", "credentials-required",
      "Of a client that would have plain text, any password of a known account passes.",
      only(header(b"accept", "text/plain"), any_password), _wrong(("Accept", "text/plain"))),
    _fault("closed-timer-unread-beside-query", "unvalidated-write",
      "Where the target has a query, the closed timer is kept unread.",
      only(lambda call: call.query, lambda behaviour: unread(behaviour, CLOSED)),
      Step(f"{CLOSED}=banana", path=f"{PATH}?x=y")),
    _fault("origin-trusted", "credentials-required",
      "A request with an Origin counts as one of the own console, and needs no credentials.",
      only(header(b"origin", "."), anybody), _wrong(("Origin", "https://console.example.com"))),
    _fault("browsers-redirected-to-login", "credentials-status",
      "Clients that accept HTML are redirected to a login where their credentials are refused.",
      logins.unauthorized_as(303, ("Location", "/login"), when=header(b"accept", "text/html")),
      _wrong(("Accept", "text/html"))),
    _fault("password-unchecked-in-large-forms", "credentials-required",
      "A form of more than 8 KiB is handed on, and its password is not checked.",
      only(lambda call: len(call.body) > 8192, any_password), _wrong(body=f"{A}&x={'y' * 8192}")),
    _fault("repeat-unauthenticated", "credentials-required",
      "An update equal to the last accepted one is answered from a cache by user name, whatever its password is.",
      cached_by_user, A, _wrong()),
    # Invalid, and what stands beside
    _fault("closed-timer-unchecked-beside-equal", "closed-timer-minimum",
      "Two equal timers are validated once, as the inactive one.",
      unread_where(lambda behaviour, values: len({values.get(CLOSED, "c"), values.get(INACTIVE, "i")}) == 1, CLOSED),
      f"{CLOSED}=PT5M&{INACTIVE}=PT5M"),
    _fault("exchanged-sids-put-right", "chat-service-sid-prefix messaging-service-sid-prefix",
      "Two SIDs that come under each other's names are put right.", forms.decodes(_exchanged),
      f"{CHAT}=MG{'a' * 32}&{MESSAGING}=IS{'a' * 32}"),
    _fault("closed-timer-unread-among-four", UNREAD_CLOSED,
      "In a form of all four parameters the closed timer is kept unread.",
      unread_where(lambda behaviour, values: len(values) == 4, CLOSED), f"{A}&{IS}&{MG}&{CLOSED}=banana"),
    _fault("two-wrong-timers-pass", f"{UNREAD_INACTIVE} {UNREAD_CLOSED}",
      "Each wrong timer turns one flag over, so that two of them pass.",
      unread_where(_both_wrong, INACTIVE, CLOSED), f"{INACTIVE}=banana&{CLOSED}=PT1S"),
    _fault("inactive-timer-unread-beside-closed", UNREAD_INACTIVE,
      "The result for the inactive timer is overwritten by that for a right closed timer.",
      unread_where(lambda behaviour, values: passes(behaviour, CLOSED, values), INACTIVE),
      f"{D}&{INACTIVE}=banana"),
    _fault("chat-service-sid-unmatched-beside-unknown", UNREAD_CHAT,
      "A form with an unknown parameter is read by a lenient schema, which does not match the chat service.",
      only(_unknown, lambda behaviour: unread(behaviour, CHAT)), f"x=y&{CHAT}=banana"),
    _fault("closed-timer-unread-beside-repeated", UNREAD_CLOSED,
      "Where the inactive timer is repeated the first one counts, and the closed timer is kept unread.",
      only(_repeated, _closed_unread_and_first_of_repeated), f"{A}&{A}&{CLOSED}=banana"),
    _fault("query-kept-where-form-passes", "unvalidated-write inactive-timer-echo last-write-wins",
      "Where form and query name the inactive timer, the form's value is validated and the query's is kept.",
      _query_kept, Step(A, path=f"/v1/Configuration?{INACTIVE}=banana")),
    _fault("closed-timer-minimum-unchecked-in-chunks", "chunked-body closed-timer-minimum closed-timer-strictness",
      "In a chunked body the minimum of the closed timer is not checked.",
      only(chunked, _closed_minimum_unchecked), Step(f"{CLOSED}=PT1M", chunked=True)),
    _fault("messaging-service-sid-unanchored-with-charset",
      "messaging-service-sid-anchoring messaging-service-sid-length messaging-service-sid-strictness"
      " messaging-service-sid-echo unvalidated-write",
      "A form whose media type has a charset is read by another parser, which ignores what follows a SID.",
      only(header(b"content-type", ";"), _unanchored_messaging),
      Step(f"{MG}x", headers=(("Content-Type", FORM + "; charset=utf-8"),))),
    _fault("inactive-timer-needs-ten-minutes-after-closed", "parameter-order",
      "Behind a closed timer the inactive one has to reach ten minutes too.",
      validates(_ten_minutes_after_closed), f"{D}&{INACTIVE}=PT5M"),
    _fault("last-of-four-lost-out-of-order", "parameter-order last-write-wins",
      "Of four parameters the last is lost, unless they come in alphabetical order or in the document's.",
      forms.decodes(_last_of_four_lost), f"{MG}&{A}&{IS}&{D}"),
    _fault("sids-of-equal-digits-refused", "any-subset", "Two SIDs with the same digits are not taken together.",
      validates(_equal_digits_refused), f"{CHAT}=IS{'a' * 32}&{MESSAGING}=MG{'a' * 32}"),
    _fault("own-account-as-chat-service", "chat-service-sid-prefix",
      "The account's own SID passes for a chat service.", _own_account_taken, f"{CHAT}={SID}"),
    _fault("refused-sids-written-in-pairs", "rejected-update-changes-nothing",
      "Two right SIDs are written although a timer beside them is refused.", validates(_sids_written_in_pairs),
      f"{IS}&{MG}&{INACTIVE}=banana", READ),
    _fault("refused-third-leaves-two", "rejected-update-changes-nothing",
      "Of three parameters the first two are written before the third is refused.", validates(_first_two_written),
      f"{IS}&{A}&{CLOSED}=banana", READ),
    _fault("head-with-form-updates", "safe-methods",
      "HEAD with X-HTTP-Method-Override: POST is handled as an update.",
      only(lambda call: method("HEAD", "GET")(call) and header(b"x-http-method-override", "(?i)post")(call),
           lambda behaviour: behaviour.methods.update(HEAD=behaviour.methods["POST"], GET=behaviour.methods["POST"])),
      Step(A, "HEAD", headers=(FORM_TYPE, ("X-HTTP-Method-Override", "POST"))), READ),
)
# fmt: on
