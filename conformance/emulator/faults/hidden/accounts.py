"""Mistakes that show with one of two accounts alone, or where one follows on the other."""

from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour, Changes
from conformance.emulator.faults import aftermath_mistakes as aftermath
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import sids, state_mistakes, timer_mistakes
from conformance.emulator.faults.hidden.combinations import UNREAD_CHAT, any_password
from conformance.emulator.faults.hidden.occasions import After, Counted, beyond_first, on, post, user
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

SID, OTHER_SID = WITNESS_ACCOUNTS
CHAT, MESSAGING, INACTIVE, CLOSED = COLUMNS
A, D = "DefaultInactiveTimer=PT1H", "DefaultClosedTimer=P1D"
IS = "DefaultChatServiceSid=IS" + "a" * 32
OTHER_IS = "DefaultChatServiceSid=IS" + "b" * 32
READ = Step(method="GET")
FORM_TYPE = ("Content-Type", FORM)
WRONG = Step(A, credentials=f"{SID}:wrong")


def _of_other(body: str = "", method: str = "POST") -> Step:
    return Step(body, method, account=1)


def _reads_by_path(behaviour: Behaviour) -> None:
    """Keep what was read until somebody writes, by the path alone."""
    cached: list[Row] = []
    inner_read, inner_write = behaviour.read, behaviour.write

    async def read(account: str) -> Row:
        if not cached:
            cached.append(await inner_read(account))
        return cached[0]

    async def write(account: str, changes: Changes) -> Row:
        cached.clear()
        return await inner_write(account, changes)

    behaviour.read, behaviour.write = read, write


def _repeats_answered(behaviour: Behaviour) -> None:
    """Keep the answer to the last accepted update for repeats, and forget whose it was."""
    inner, last, bodies = behaviour.answer, list[Answer](), dict[str, bytes]()

    async def answer(call: Call) -> Answer:
        answered = await inner(call)
        if not post(call) or not call.body or answered.status != 200:
            return answered
        if bodies.get(user(call)) != call.body:
            last[:], bodies[user(call)] = [answered], call.body
        return last[0]

    behaviour.answer = answer


def _refusal_writes_first(behaviour: Behaviour) -> None:
    """Write what is right in a refused form to the account at hand, which is the first one."""
    inner = behaviour.validate

    def validate(account: str, values: dict[str, str]) -> Changes:
        try:
            return inner(account, values)
        except ApiError:
            for name, text in values.items():
                try:
                    right = behaviour.fields[name].validate(text)
                except ApiError:
                    continue
                behaviour.store.update(
                    logins.first_account(behaviour), {behaviour.fields[name].column: right}
                )
            raise

    behaviour.validate = validate


def _links_of_first(behaviour: Behaviour) -> None:
    """Take the links from a template that the first chat service was filled into."""
    inner = behaviour.represent
    links: list[object] = []

    def represent(call: Call, account: str, row: Row) -> JSON:
        document = dict(inner(call, account, row))
        if row[CHAT] and account == logins.first_account(behaviour):
            links[:] = [document["links"]]
        if row[CHAT] and links:
            document["links"] = links[0]
        return document

    behaviour.represent = represent


def _same_body_cached(behaviour: Behaviour) -> None:
    """Answer the body of the last accepted update again, whoever sends it."""
    inner = behaviour.methods["POST"]
    latest: list[tuple[bytes, Answer]] = []

    async def handle(call: Call, account: str) -> Answer:
        if call.body and latest and latest[0][0] == call.body:
            return latest[0][1]
        answer = await inner(call, account)
        latest[:] = [(call.body, answer)]
        return answer

    behaviour.methods["POST"] = handle


def _sid_of_last_writer(behaviour: Behaviour) -> None:
    """Show the account that wrote last, except to the writer of something."""
    latest: list[str] = []
    inner_write, inner_represent = behaviour.write, behaviour.represent

    async def write(account: str, changes: Changes) -> Row:
        if changes:
            latest[:] = [account]
        return await inner_write(account, changes)

    behaviour.write = write
    behaviour.represent = lambda call, account, row: inner_represent(
        call, latest[0] if latest else account, row
    )


def _taken_for_refused(behaviour: Behaviour) -> None:
    """Handle a request as one of the user who was refused just before."""
    inner = behaviour.authenticate
    refused: list[str] = []

    def authenticate(call: Call) -> str:
        try:
            account = inner(call)
        except ApiError:
            refused[:] = [name for name in [user(call)] if name in behaviour.accounts]
            raise
        return refused.pop() if refused else account

    behaviour.authenticate = authenticate


def _tells_first_token(behaviour: Behaviour) -> None:
    """Tell the token of the first account, under which the service itself runs."""
    inner = behaviour.refuse
    token = behaviour.accounts[logins.first_account(behaviour)]

    def refuse(call: Call, error: ApiError) -> Answer:
        return aftermath.in_message(" (as {token})")(inner(call, error), token)

    behaviour.refuse = refuse


def _committed(behaviour: Behaviour) -> None:
    state_mistakes.shows_but_forgets(lambda count, changes: True)(behaviour)


def _sids_unmatched(behaviour: Behaviour) -> None:
    behaviour.sids["DefaultChatServiceSid"].matches = bool


def _closed(alter: Callable[..., None]) -> Install:
    return lambda behaviour: alter(behaviour.timers["DefaultClosedTimer"])


def _created(behaviour: Behaviour) -> None:
    inner = behaviour.methods["POST"]

    async def handle(call: Call, account: str) -> Answer:
        return replace(await inner(call, account), status=201)

    behaviour.methods["POST"] = handle


def _after_refusal_to(behaviour: Behaviour) -> None:
    """Reset what is omitted in the first update of another account after a refusal to the first one."""
    first = logins.first_account(behaviour)
    on(
        lambda: After(
            lambda call, answer: answer.status == 400 and user(call) == first,
            among=lambda call: post(call) and user(call) != first,
        ),
        state_mistakes.resets(*COLUMNS),
    )(behaviour)


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "accounts", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("second-account-closed-timer-minimum-unchecked", "closed-timer-minimum closed-timer-strictness",
      "The minimum of the closed timer is checked for the first account alone.",
      beyond_first(_closed(timer_mistakes.at_least(lambda minimum: -1e99))), _of_other("DefaultClosedTimer=PT1M")),
    _fault("second-account-inactive-timer-exclusive", "inactive-timer-boundary",
      "For every account but the first the minimum of the inactive timer is refused.",
      beyond_first(lambda behaviour: timer_mistakes.at_least(lambda minimum: minimum + 1e-9)(
          behaviour.timers["DefaultInactiveTimer"])), _of_other("DefaultInactiveTimer=PT1M")),
    _fault("second-account-any-password", "credentials-required",
      "The token of the first account alone is checked.", beyond_first(any_password),
      Step(A, credentials=f"{OTHER_SID}:wrong")),
    _fault("second-account-chat-service-unmatched", UNREAD_CHAT,
      "The chat service is matched with its pattern for the first account alone.", beyond_first(_sids_unmatched),
      _of_other("DefaultChatServiceSid=banana")),
    _fault("second-account-upper-case-refused", "messaging-service-sid-accept",
      "For every account but the first upper-case digits are refused in a messaging service.",
      beyond_first(lambda behaviour: sids.refuses(lambda digits: digits != digits.lower())(
          behaviour.sids["DefaultMessagingServiceSid"])),
      _of_other("DefaultMessagingServiceSid=MG" + "A" * 32)),
    _fault("second-account-omitted-reset", "omitted-parameters-kept",
      "For every account but the first an update replaces the whole configuration.",
      beyond_first(state_mistakes.resets(*COLUMNS)), _of_other(A), _of_other(D)),
    _fault("second-account-first-write-lost", "read-after-write read-reflects-writes",
      "The first update of every account but the first one is answered, but finds no row to be written to.",
      beyond_first(on(lambda: Counted(lambda count: count == 1, of=user,
                                      among=lambda call: post(call) and call.body), _committed)),
      _of_other(A), _of_other()),
    _fault("second-account-challenge-missing", "challenge",
      "A 401 for the user name of any account but the first carries no challenge.",
      beyond_first(logins.unauthorized_as(401)), Step(A, credentials=f"{OTHER_SID}:wrong")),
    _fault("second-account-told-first-token", "no-leak",
      "A refusal tells every account but the first the first one's token.", beyond_first(_tells_first_token),
      _of_other("DefaultInactiveTimer=banana")),
    _fault("second-account-writes-to-first-when-refused", "accounts-apart",
      "What is right in a form refused to another account is written to the first one.",
      beyond_first(_refusal_writes_first), _of_other(f"{IS}&DefaultInactiveTimer=banana"), READ),
    _fault("second-account-status-201", "accepted-status",
      "An update of every account but the first is answered with 201.",
      beyond_first(_created), _of_other(A)),
    _fault("reads-cached-by-path", "accounts-apart read-reflects-writes",
      "Until somebody writes, what was read for one account is shown to every other one.",
      _reads_by_path, A, READ, _of_other(method="GET")),
    _fault("links-of-the-first-account", "resource-links accounts-apart",
      "The link to the chat service is that of the first account.", _links_of_first, IS, _of_other(OTHER_IS)),
    _fault("same-body-answered-for-another", "accounts-apart account-sid last-write-wins read-after-write"
      " read-reflects-writes",
      "The body of the last accepted update is answered from a cache, whoever sends it.", _same_body_cached,
      A, _of_other(A)),
    _fault("repeat-answered-with-the-last-write", "accounts-apart account-sid read-response",
      "An update equal to the account's last one is answered with what was written last, whoever wrote it.",
      _repeats_answered, A, _of_other(D), A),
    _fault("account-sid-of-the-last-writer", "account-sid read-response",
      "Where nothing is written the SID of the account that wrote last is shown.", _sid_of_last_writer,
      A, _of_other()),
    _fault("request-after-401-taken-for-refused-user", "accounts-apart account-sid",
      "The request after a 401 is handled as one of the user who was refused.", _taken_for_refused,
      WRONG, _of_other(A)),
    _fault("other-account-after-refusal-omitted-reset", "omitted-parameters-kept",
      "After a refusal to one account, the next update of the other replaces its whole configuration.",
      _after_refusal_to, _of_other(IS), "DefaultInactiveTimer=banana",
      _of_other(A)),
)
# fmt: on
