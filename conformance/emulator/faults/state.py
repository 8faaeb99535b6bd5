"""Mistakes in keeping state: partial updates, atomicity, staleness, isolation, concurrency."""

import re

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.faults import sharing_mistakes as sharing
from conformance.emulator.faults import state_mistakes as mistakes
from conformance.emulator.faults.state_mistakes import CHAT, CLOSED, INACTIVE, MESSAGING
from conformance.emulator.store import COLUMNS

IS = "DefaultChatServiceSid=IS" + "0123456789abcdef" * 2
MG = "DefaultMessagingServiceSid=MG" + "fedcba9876543210" * 2
READ = Step(method="GET")
A, B = "DefaultInactiveTimer=PT1H", "DefaultInactiveTimer=PT2H"
OTHER = "DefaultClosedTimer=P1D"
EMPTY = Step("")


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "state", text, install, witness)


def _written_though_refused(field: str) -> Fault:
    name = re.sub("(?<=[a-z])(?=[A-Z])", "-", field).lower()
    return _fault(
        f"refused-{name}-written",
        "rejected-update-changes-nothing",
        f"Default{field} is written although it is refused.",
        mistakes.writes_what_it_refuses(f"Default{field}"),
        f"Default{field}=banana",
        READ,
    )


def _forgotten(n: int) -> Fault:
    return _fault(
        f"every-{n}th-update-forgotten",
        "read-after-write read-reflects-writes",
        f"Every {n}th update is answered, but not committed.",
        mistakes.shows_but_forgets(lambda count, changes: count % n == 0),
        *([A, OTHER] * n)[: n - 1],
        IS,
        EMPTY,
    )


REFUSED_BESIDE = (A, f"{OTHER}&DefaultInactiveTimer=banana", READ)

# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("omitted-reset", "omitted-parameters-kept", "What is not sent is set to null, as PUT would.",
      mistakes.resets(*COLUMNS), A, OTHER, READ),
    _fault("omitted-timers-reset", "omitted-parameters-kept", "An update of a SID resets the timers.",
      mistakes.resets(INACTIVE, CLOSED, beside=(CHAT, MESSAGING)), A, IS, READ),
    _fault("omitted-sids-reset", "omitted-parameters-kept", "An update of a timer resets the SIDs.",
      mistakes.resets(CHAT, MESSAGING, beside=(INACTIVE, CLOSED)), IS, A, READ),
    _fault("omitted-other-timer-reset", "omitted-parameters-kept",
      "An update of the inactive timer resets the closed one.", mistakes.resets(CLOSED, beside=(INACTIVE,)),
      OTHER, A, READ),
    _fault("omitted-inactive-timer-reset", "omitted-parameters-kept",
      "An update of the closed timer resets the inactive one.", mistakes.resets(INACTIVE, beside=(CLOSED,)),
      A, OTHER, READ),
    _fault("omitted-messaging-sid-reset", "omitted-parameters-kept",
      "A new chat service resets the messaging service.", mistakes.resets(MESSAGING, beside=(CHAT,)), MG, IS,
      READ),
    _fault("omitted-chat-sid-reset", "omitted-parameters-kept",
      "A new messaging service resets the chat service.", mistakes.resets(CHAT, beside=(MESSAGING,)), IS, MG,
      READ),
    _fault("omitted-timers-default", "omitted-parameters-kept",
      "Timers that are not sent fall back to a day.", mistakes.writes(mistakes.falls_back), A, OTHER, READ),
    _fault("omitted-third-reset", "omitted-parameters-kept",
      "Every third update of an account sets the rest to null.",
      mistakes.counted(lambda count: count % 3 == 0, lambda changes, row: dict.fromkeys(COLUMNS) | changes),
      IS, A, OTHER, READ),
    _fault("empty-update-resets", "omitted-parameters-kept",
      "An update without parameters resets everything.", mistakes.posts(mistakes.empty_resets), A, EMPTY,
      READ),
    _fault("refused-partly-written", "rejected-update-changes-nothing",
      "Each value is written once it has passed.",
      mistakes.writes_before_it_refuses(lambda fields: sorted(fields, key=lambda field: field.parameter)),
      *REFUSED_BESIDE),
    _fault("refused-partly-written-in-order", "rejected-update-changes-nothing",
      "Values are written in the order in which they come, until one does not pass.",
      mistakes.writes_before_it_refuses(lambda fields: fields), *REFUSED_BESIDE),
    _fault("refused-sids-written", "rejected-update-changes-nothing",
      "SIDs are written before the timers are read.", mistakes.writes_before_it_refuses(mistakes.sids_first),
      f"{IS}&DefaultInactiveTimer=banana", READ),
    *(_written_though_refused(field) for field in ("InactiveTimer", "ClosedTimer")),
    *(_written_though_refused(field) for field in ("ChatServiceSid", "MessagingServiceSid")),
    _fault("refused-clears", "rejected-update-changes-nothing", "What is refused clears what was there.",
      mistakes.posts(mistakes.refusal_clears), A, "DefaultInactiveTimer=banana", READ),
    _fault("update-shows-previous", "last-write-wins", "An update is answered with the state before it.",
      mistakes.posts(mistakes.shows_previous), A, B),
    _fault("first-write-wins", "last-write-wins", "Only what is null is written, as INSERT OR IGNORE does.",
      mistakes.writes(mistakes.keeps_first), A, B),
    _fault("longer-text-wins", "last-write-wins", "A shorter text does not replace a longer one.",
      mistakes.writes(mistakes.keeps_longer_text), "DefaultInactiveTimer=PT3600S", A),
    _fault("longer-timer-wins", "last-write-wins", "A timer can only be lengthened.",
      mistakes.timers_only(lambda new, old: new >= old), B, A),
    _fault("shorter-timer-wins", "last-write-wins", "A timer can only be shortened.",
      mistakes.timers_only(lambda new, old: new <= old), A, B),
    _fault("seen-values-ignored", "last-write-wins", "A value that an account once had is not written again.",
      mistakes.ignores_seen_values, A, B, A),
    _fault("writes-debounced", "last-write-wins", "A second write of a parameter within 50 ms is dropped.",
      mistakes.debounces, A, B),
    _fault("same-length-ignored", "last-write-wins",
      "A text as long as the present one is taken for the same.", mistakes.writes(mistakes.keeps_same_length),
      A, B),
    _fault("update-shows-sent-only", "read-after-write",
      "An update is answered with what was sent and null for the rest.",
      mistakes.posts(mistakes.shows_what_was_sent_only), A, OTHER),
    _fault("updates-forgotten", "read-after-write read-reflects-writes",
      "Updates are answered, but not committed.",
      mistakes.shows_but_forgets(lambda count, changes: True), A, OTHER),
    _fault("sids-forgotten", "read-after-write read-reflects-writes",
      "Updates of SIDs are answered, but not committed.",
      mistakes.shows_but_forgets(lambda count, changes: changes.keys() <= {CHAT, MESSAGING}), IS, A),
    _fault("closed-timer-forgotten", "read-after-write read-reflects-writes",
      "Updates of the closed timer alone are not committed.",
      mistakes.shows_but_forgets(lambda count, changes: changes.keys() == {CLOSED}), OTHER, A),
    *(_forgotten(n) for n in (5, 10, 25, 50)),
    _fault("updates-expire", "read-after-write read-reflects-writes",
      "What was written is gone after a second.", mistakes.expires,
      A, Step(OTHER, after=1.1)),
    _fault("two-workers", "read-after-write read-reflects-writes",
      "Two workers keep the state in their own memory and take turns.", mistakes.two_workers, A, OTHER, IS),
    _fault("stale-updates", "read-after-write",
      "What an update does not send is shown as it was a second ago.", mistakes.cached_answer(1.0, "POST"), A,
      OTHER, IS),
    _fault("reads-cached", "read-reflects-writes", "What was read once is read for ever.",
      mistakes.cached_answer(1e9, "GET"), READ, A, READ),
    _fault("reads-cached-for-a-second", "read-reflects-writes", "What was read once is read for a second.",
      mistakes.cached_answer(1.0, "GET"), READ, A, READ),
    _fault("reads-one-behind", "read-reflects-writes", "A read shows the state before the last update.",
      mistakes.one_behind, A, B, READ),
    _fault("reads-empty", "read-reflects-writes", "A read shows null for everything.",
      mistakes.reads(lambda row: dict.fromkeys(COLUMNS)), A, READ),
    _fault("reads-without-timers", "read-reflects-writes", "A read shows null for the timers.",
      mistakes.reads(lambda row: row | {INACTIVE: None, CLOSED: None}), A, READ),
    _fault("reads-without-messaging-sid", "read-reflects-writes",
      "A read shows null for the messaging service.", mistakes.reads(lambda row: row | {MESSAGING: None}), MG,
      READ),
    _fault("repeat-conflicts", "idempotence", "The same body twice in a row is a conflict.",
      mistakes.same_body_again(mistakes.conflict), A, A),
    _fault("repeat-refused", "idempotence", "The same body twice in a row is refused.",
      mistakes.same_body_again(mistakes.unchanged), A, A),
    _fault("repeat-clears", "idempotence", "The same body twice in a row clears what it set.",
      mistakes.same_body_again(mistakes.toggled), A, A),
    _fault("present-values-refused", "idempotence", "An update to the present values is refused.",
      mistakes.same_value_refused, A, OTHER, A),
    _fault("state-shared", "accounts-apart", "All accounts share one state.",
      sharing.under_key(lambda behaviour, account: next(iter(behaviour.accounts))), A,
      Step(method="GET", account=1)),
    _fault("state-of-the-last-account", "accounts-apart", "A read shows the account that wrote last.",
      sharing.last_writer, A, Step(method="GET", account=1)),
    _fault("inactive-timer-shared", "accounts-apart", "The inactive timer is written to every account.",
      sharing.shared_after(INACTIVE), A, Step(method="GET", account=1)),
    _fault("messaging-sid-shared", "accounts-apart", "The messaging service is written to every account.",
      sharing.shared_after(MESSAGING), MG, Step(method="GET", account=1)),
    _fault("connection-keeps-account", "accounts-apart account-sid read-response",
      "A connection is authenticated once, for its first account.", sharing.remembers_connection, A,
      Step(OTHER, account=1)),
    _fault("writers-overwrite", "concurrent-writers", "The whole row is read, changed and written back.",
      sharing.read_modify_write(COLUMNS, 0.002), Step(A, beside=(Step(OTHER), Step(IS), Step(MG))), READ),
    _fault("timers-overwrite", "concurrent-writers", "Both timers are read, changed and written back.",
      sharing.read_modify_write((INACTIVE, CLOSED), 0.002), Step(A, beside=(Step(OTHER),)), READ),
    _fault("sids-overwrite", "concurrent-writers", "Both SIDs are read, changed and written back.",
      sharing.read_modify_write((CHAT, MESSAGING), 0.002), Step(IS, beside=(Step(MG),)), READ),
    _fault("writers-mixed-up", "concurrent-writers",
      "The update in hand is kept in one place for all requests.", sharing.answers_another,
      Step(A, beside=(Step(OTHER), Step(IS), Step(MG))), READ),
    _fault("writers-locked-out", "concurrent-writers",
      "An update is refused while another one is being written.", sharing.locked,
      Step(A, beside=(Step(OTHER), Step(IS), Step(MG))), READ),
    _fault("read-resets", "safe-methods", "A read resets everything.",
      mistakes.reading(mistakes.reset_all, "GET", "HEAD"), A, READ, READ),
    _fault("read-resets-timers", "safe-methods", "A read resets the timers.",
      mistakes.reading(mistakes.reset_timers, "GET"), A, READ, EMPTY),
    _fault("read-lengthens", "safe-methods", "A read lengthens the closed timer.",
      mistakes.reading(mistakes.lengthen, "GET"), OTHER, READ, EMPTY),
    _fault("head-resets", "safe-methods", "HEAD resets everything.",
      mistakes.reading(mistakes.reset_all, "HEAD"), A, Step(method="HEAD"), READ),
    _fault("head-updates", "safe-methods", "HEAD is handled as POST.", mistakes.handled_as_post("HEAD"),
      Step(A, method="HEAD"), READ),
    _fault("read-with-body-updates", "safe-methods", "GET with a form is handled as POST.",
      mistakes.handled_as_post("GET"), Step(A, method="GET"), READ),
    _fault("read-with-query-updates", "safe-methods", "GET with parameters in its query updates.",
      mistakes.get_with_query_writes, Step(method="GET", path=f"/v1/Configuration?{A}"), READ),
    _fault("empty-update-refused", "empty-update", "An update without parameters is refused.",
      mistakes.empty_refused(400, 20161), EMPTY),
    _fault("empty-update-unsupported", "empty-update", "An update without a body lacks its media type.",
      mistakes.empty_refused(415, 19056), EMPTY),
    _fault("empty-update-needs-length", "empty-update", "An update without a body needs a length.",
      mistakes.empty_refused(411, 20001), EMPTY),
)
# fmt: on
