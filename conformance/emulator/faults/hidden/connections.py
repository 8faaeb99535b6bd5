"""Mistakes that show on certain connections: on their first request, after another one, or beside another one."""

from dataclasses import replace

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour, Changes, parse_credentials
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import response, state_mistakes, timer_mistakes
from conformance.emulator.faults.hidden.combinations import any_password
from conformance.emulator.faults.hidden.history import with_form
from conformance.emulator.faults.hidden.occasions import After, Counted, connection, on, only
from conformance.emulator.faults.robustness_mistakes import hang, header
from conformance.emulator.faults.robustness_mistakes import on as instead
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

(SID, TOKEN), (OTHER_SID, OTHER_TOKEN) = WITNESS_ACCOUNTS.items()
A, B = "DefaultInactiveTimer=PT1H", "DefaultInactiveTimer=PT2H"
READ = Step(method="GET")
EMPTY = Step()
FORM_TYPE = ("Content-Type", FORM)
WRONG = Step(A, credentials=f"{SID}:wrong")
ONE_MINUTE = "DefaultClosedTimer=PT1M"
_forgets = state_mistakes.shows_but_forgets(lambda count, changes: True)


def _first(install: Install) -> Install:
    """Return a mistake that is made in the first request of a connection."""
    return on(lambda: Counted(lambda count: count == 1, of=connection), install)


def _closed_minimum_unchecked(behaviour: Behaviour) -> None:
    timer_mistakes.at_least(lambda minimum: -1e99)(behaviour.timers["DefaultClosedTimer"])


def _stays_authenticated(behaviour: Behaviour) -> None:
    """Take the account of a connection's last good credentials for bad ones."""
    known: dict[object, str] = {}
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        try:
            known[call.client] = inner(call)
        except ApiError:
            if call.client not in known:
                raise
        return known[call.client]

    behaviour.authenticate = authenticate


def _token_of_connection(behaviour: Behaviour) -> None:
    """Let a token that was right on a connection pass for every account there."""
    tokens: dict[object, set[str]] = {}
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        name, password = parse_credentials(call) or ("", "")
        seen = tokens.setdefault(call.client, set())
        if name in behaviour.accounts and password in seen:
            return name
        account = inner(call)
        seen.add(password)
        return account

    behaviour.authenticate = authenticate


def _committed_late(behaviour: Behaviour) -> None:
    """Commit what a connection writes with its next request; until then nobody else sees it."""
    pending: dict[object, tuple[str, Changes]] = {}
    current: list[object] = []
    inner_answer, inner_write, inner_read = behaviour.answer, behaviour.write, behaviour.read

    async def answer(call: Call) -> Answer:
        if call.client in pending:
            behaviour.store.update(*pending.pop(call.client))
        current[:] = [call.client]
        return await inner_answer(call)

    async def write(account: str, changes: Changes) -> Row:
        if not changes:
            return await inner_write(account, changes)
        pending[current[0]] = (account, changes)
        return behaviour.store.read(account) | changes

    behaviour.answer, behaviour.write, behaviour.read = answer, write, inner_read


def _reads_by_connection(behaviour: Behaviour) -> None:
    """Keep what a connection has read until it writes itself."""
    cached: dict[tuple[object, str], Answer] = {}
    inner = dict(behaviour.methods)

    async def get(call: Call, account: str) -> Answer:
        key = (call.client, account)
        if key not in cached:
            cached[key] = await inner["GET"](call, account)
        return cached[key]

    async def handle(call: Call, account: str) -> Answer:
        cached.pop((call.client, account), None)
        return await inner["POST"](call, account)

    behaviour.methods.update(GET=get, POST=handle)


def _one_behind(behaviour: Behaviour) -> None:
    """Show the state before the last update to the first request of a connection that writes nothing."""
    before: dict[str, Row] = {}
    seen: set[object] = set()
    inner_answer, inner_write = behaviour.answer, behaviour.write
    mistaken: list[bool] = []

    async def answer(call: Call) -> Answer:
        mistaken[:] = [call.client not in seen]
        seen.add(call.client)
        return await inner_answer(call)

    async def write(account: str, changes: Changes) -> Row:
        if changes:
            before[account] = behaviour.store.read(account)
            return await inner_write(account, changes)
        return await read(account)

    async def read(account: str) -> Row:
        return (before.get(account) if mistaken[0] else None) or behaviour.store.read(account)

    behaviour.answer, behaviour.write, behaviour.read = answer, write, read


def _without_body(behaviour: Behaviour) -> None:
    """Lose the body of an answer."""
    response.answers(lambda answer: replace(answer, body=b""))(behaviour)


def _labelled_html(behaviour: Behaviour) -> None:
    response.sets_header("Content-Type", "text/html")(behaviour)


def _after(trigger: After, install: Install) -> Install:
    """Return a mistake that is made in the next request of a connection after another one."""
    return on(lambda: replace(trigger, left={}), install)


def _wrong_type(call: Call, answer: Answer) -> bool:
    return answer.status == 415


def _not_allowed(behaviour: Behaviour) -> None:
    def find(call: Call) -> None:
        raise ApiError(405, 20004, "Method not allowed", ("Allow", "GET"))

    behaviour.find = find


def _omitted_reset(behaviour: Behaviour) -> None:
    state_mistakes.resets(*COLUMNS)(behaviour)


def _changes_account(behaviour: Behaviour) -> None:
    """Look up whose request it is only after the account of the last request on a connection was used."""
    latest: dict[object, str] = {}
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        account = inner(call)
        used = latest.get(call.client, account) if with_form(call) else account
        latest[call.client] = account
        return used

    behaviour.authenticate = authenticate


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "connections", text, install, witness)


def _elsewhere(step: Step, connection: int = 1) -> Step:
    return replace(step, connection=connection)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("first-of-connection-minimum-unchecked", "closed-timer-minimum closed-timer-strictness",
      "In the first request of a connection the minimum of the closed timer is not loaded yet.",
      _first(_closed_minimum_unchecked), ONE_MINUTE),
    _fault("first-of-connection-any-password", "credentials-required",
      "In the first request of a connection any password of a known account passes.", _first(any_password), WRONG),
    _fault("first-of-connection-challenge-missing", "challenge",
      "A 401 to the first request of a connection carries no challenge.", _first(logins.unauthorized_as(401)), WRONG),
    _fault("first-of-connection-refusal-written", "rejected-update-changes-nothing",
      "Where the first request of a connection is refused, its inactive timer is written.",
      _first(state_mistakes.writes_what_it_refuses("DefaultInactiveTimer")), "DefaultInactiveTimer=banana", READ),
    _fault("first-of-connection-unauthorized-as-404", "credentials-status",
      "Refused credentials get 404 in the first request of a connection.", _first(logins.unauthorized_as(404)), WRONG),
    _fault("connection-stays-authenticated", "credentials-required credentials-status",
      "After good credentials, bad ones pass on the same connection.", _stays_authenticated, A, WRONG),
    _fault("token-of-connection-passes-for-all", "credentials-required",
      "A token that was right on a connection passes there for every account.", _token_of_connection,
      A, Step(A, credentials=f"{OTHER_SID}:{TOKEN}")),
    _fault("update-committed-with-next-of-connection", "read-after-write read-reflects-writes concurrent-writers",
      "What a connection writes is committed with its next request.", _committed_late, A, _elsewhere(READ)),
    _fault("reads-cached-by-connection", "read-reflects-writes",
      "What a connection has read is kept until it writes itself.", _reads_by_connection,
      READ, _elsewhere(Step(A)), READ),
    _fault("first-of-connection-one-behind", "read-after-write read-reflects-writes",
      "The first request of a connection is answered by a replica that lags one update behind.", _one_behind,
      A, B, _elsewhere(EMPTY)),
    _fault("answer-after-head-empty", "stays-usable json-body",
      "The answer after that to a HEAD has no body on the same connection.",
      _after(After(lambda call, answer: call.method == "HEAD", of=connection), _without_body),
      Step(method="HEAD"), A),
    _fault("html-sticks-to-connection", "media-type stays-usable read-response",
      "After a request that accepts HTML the next answer on its connection is labelled as a page.",
      _after(After(lambda call, answer: header(b"accept", "text/html")(call), of=connection), _labelled_html),
      Step(A, headers=(FORM_TYPE, ("Accept", "text/html"))), A),
    _fault("wrong-media-type-sticks-to-connection", "stays-usable",
      "After a 415 the next request on its connection is not allowed.",
      _after(After(_wrong_type, of=connection), _not_allowed), Step(A, headers=(("Content-Type", "text/plain"),)), A),
    _fault("refusal-resets-omitted-on-connection", "omitted-parameters-kept",
      "After a refusal, the next update on its connection replaces the whole configuration.",
      _after(After(lambda call, answer: answer.status == 400, of=connection, among=with_form), _omitted_reset),
      "DefaultClosedTimer=P1D", "DefaultInactiveTimer=banana", A),
    _fault("account-changes-on-connection", "accounts-apart account-sid",
      "Where an account follows on another one on a connection, its first update goes to the other one.",
      _changes_account, A, Step(B, account=1)),
    _fault("close-announced-unanswered", "every-request-answered",
      "A request that asks for its connection to be closed is not answered where it has a body.",
      instead(lambda call: with_form(call) and header(b"connection", "(?i)close")(call), hang),
      Step(A, headers=(FORM_TYPE, ("Connection", "close")))),
    _fault("cut-off-where-close-is-asked", "framing",
      "Where a client asks for the connection to be closed, it is closed half-way through the answer.",
      only(header(b"connection", "(?i)close"), response.answers(lambda answer: replace(answer, wire="drop-half-way"))),
      Step(A, headers=(FORM_TYPE, ("Connection", "close")))),
)
# fmt: on
