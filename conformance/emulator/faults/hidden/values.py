"""Mistakes that show at one position of a SID, for a few lengths of a timer, or beside the value that is there."""

import re
from collections.abc import Callable
from decimal import Decimal

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, Changes
from conformance.emulator.faults import sids, state_mistakes
from conformance.emulator.faults import timer_mistakes as timers
from conformance.emulator.fields import SidField, TimerField
from conformance.emulator.store import COLUMNS, Row

CHAT, MESSAGING, INACTIVE, CLOSED = COLUMNS
HEX = "0123456789abcdefABCDEF9876543210"
DIGIT = "[0-9a-fA-F]"
_PARAMETERS = {
    "chat-service-sid": "DefaultChatServiceSid",
    "messaging-service-sid": "DefaultMessagingServiceSid",
    "inactive-timer": "DefaultInactiveTimer",
    "closed-timer": "DefaultClosedTimer",
}


def _in_sid(parameter: str, alter: Callable[[SidField], None]) -> Install:
    return lambda behaviour: alter(behaviour.sids[parameter])


def _in_timer(parameter: str, alter: Callable[[TimerField], None]) -> Install:
    return lambda behaviour: alter(behaviour.timers[parameter])


def _sid(name: str, rules: str, text: str, alter: Callable[[SidField], None], *digits: str) -> Fault:
    """Return a fault of a SID; its name begins with that of the SID, and `rules` are what follows it in the ids."""
    setting = "chat-service-sid" if name.startswith("chat") else "messaging-service-sid"
    parameter, prefix = _PARAMETERS[setting], "IS" if name.startswith("chat") else "MG"
    named = " ".join(rule if rule == "response-schema" else f"{setting}-{rule}" for rule in rules.split())
    witness = [Step(f"{parameter}={prefix}{each}") for each in digits]
    return fault(name, named, "positions", f"{parameter}: {text}", _in_sid(parameter, alter), witness)


def _group(start: int, end: int, characters: str) -> Callable[[SidField], None]:
    """Return a mistake: in the digits from `start` to before `end` another class of characters is matched."""
    return sids.matches(f"{{p}}{DIGIT}{{{start}}}{characters}{{{end - start}}}{DIGIT}{{{32 - end}}}")


def _with(place: int, character: str) -> str:
    return HEX[:place] + character + HEX[place + 1 :]


def _timer(
    name: str,
    rules: str,
    text: str,
    alter: Callable[[TimerField], None],
    *values: str,
    group: str = "lengths",
) -> Fault:
    """Return a fault of a timer; its name begins with that of the timer, and `rules` are what follows it in the ids."""
    setting = "-".join(name.split("-")[:2])
    parameter = _PARAMETERS[setting]
    named = " ".join(
        rule if rule == "timer-representation" else f"{setting}-{rule}" for rule in rules.split()
    )
    witness = [Step(f"{parameter}={each}") for each in values]
    return fault(name, named, group, f"{parameter}: {text}", _in_timer(parameter, alter), witness)


def _beginning(pattern: str) -> Callable[[str], str]:
    """Return a mistake: of a text that begins as a pattern has it only the beginning is read."""

    def read(text: str) -> str:
        match = re.match(pattern, text)
        return match[0] if match else text

    return read


def _number(text: str, unit: str) -> int:
    """Return a component of the time, 0 without it, or where it is too long or has a fraction."""
    match = re.search(rf"T(?:[0-9.,]+[HMS])*?(?<![0-9.,])([0-9]{{1,9}}){unit}", text)
    return int(match[1]) if match else 0


def _carried_twice(text: str, length: Decimal) -> Decimal:
    """Carry whole minutes of seconds over, and count the seconds all the same."""
    minutes, seconds = _number(text, "M"), _number(text, "S")
    return length + seconds // 60 * 60 if minutes and seconds else length


def _modulo(bound: int) -> Callable[[str, Decimal], Decimal]:
    return lambda text, length: length % bound if length < 10**15 else length


def _minutes_in_a_byte(text: str, length: Decimal) -> str:
    return re.sub(r"T([0-9]{1,9})M", lambda match: f"T{int(match[1]) % 256 or 1}M", text)


def _one_carried(unit: str, over: str, size: int) -> Callable[[str, Decimal], str]:
    """Return a mistake: of a lone component one unit is carried over, and the rest is taken modulo."""

    def keep(text: str, length: Decimal) -> str:
        match = re.fullmatch(rf"PT([0-9]{{1,9}}){unit}", text)
        if not match or int(match[1]) < size:
            return text
        rest = int(match[1]) % size
        head = f"P1{over}" if over == "D" else f"PT1{over}"
        time = "T" if over == "D" else ""
        return head + (f"{time}{rest}{unit}" if rest else "")

    return keep


def _thirty_days(text: str, length: Decimal) -> str:
    days, rest = divmod(length, 30 * 86400) if length < 10**12 else (Decimal(0), Decimal(1))
    return f"P{days}M" if days and not rest else text


def _hours_as_float(text: str, length: Decimal) -> Decimal:
    """Multiply a fraction of hours as a float."""
    match = re.fullmatch(r"PT([0-9]{1,9}[.,][0-9]+)H", text)
    return Decimal(float(match[1].replace(",", ".")) * 3600) if match else length


def _days_in_thousandths(text: str, length: Decimal) -> Decimal:
    """Round a fraction of days to three digits."""
    match = re.fullmatch(r"P([0-9]{1,9}[.,][0-9]+)D", text)
    return Decimal(round(Decimal(match[1].replace(",", ".")), 3) * 86400) if match else length


def _length_modulo(bound: int) -> Callable[[str], str]:
    """Return what is left of a text whose length is counted in few bits."""
    return lambda text: text[: len(text) % bound]


def _case_ignored(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    """Leave out a chat service that differs from the present one in the case of its digits alone."""
    same = (changes.get(CHAT) or "").lower() == (row[CHAT] or "").lower()
    return {column: value for column, value in changes.items() if not (column == CHAT and same)}


def _zero_clears_closed(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    """Clear the closed timer with the inactive one."""
    cleared: Changes = {CLOSED: None}
    return cleared | changes if changes.get(INACTIVE) == "PT0S" else changes


def _reads_as_float(digits: str) -> bool:
    return re.fullmatch("[0-9]+[eE][0-9]+", digits) is not None


# fmt: off
ALL: tuple[Fault, ...] = (
    # Positions of a SID
    _sid("chat-service-sid-g-in-second-group", "alphabet",
      "Digits are matched in the groups of a UUID, and the class of the second group ends at g.",
      _group(8, 12, "[0-9a-gA-F]"), _with(10, "g")),
    _sid("messaging-service-sid-any-last-letter", "alphabet", r"The last digit is matched with \w.",
      _group(31, 32, "[0-9a-zA-Z_]"), _with(31, "Z")),
    _sid("chat-service-sid-grave-in-third-group", "alphabet",
      "Digits are matched in the groups of a UUID, and a class of the third group begins before a.",
      _group(12, 16, "[0-9`-fA-F]"), _with(15, "`")),
    _sid("messaging-service-sid-at-sign-first", "alphabet", "The class of the first digit begins before A.",
      _group(0, 1, "[0-9a-f@-F]"), _with(0, "@")),
    _sid("chat-service-sid-slash-in-fourth-group", "alphabet",
      "Digits are matched in the groups of a UUID, and a class of the fourth group begins before 0.",
      _group(16, 20, "[/-9a-fA-F]"), _with(18, "/")),
    _sid("messaging-service-sid-colon-in-last-group", "alphabet",
      "Digits are matched in the groups of a UUID, and a class of the last group ends behind 9.",
      _group(20, 32, "[0-:a-fA-F]"), _with(27, ":")),
    _sid("chat-service-sid-upper-g-at-the-end", "alphabet", "The class of the last two digits ends at G.",
      _group(30, 32, "[0-9a-fA-G]"), _with(30, "G")),
    _sid("messaging-service-sid-hyphen-in-the-middle", "alphabet", "A hyphen passes for the seventeenth digit.",
      _group(16, 17, "[-0-9a-fA-F]"), _with(16, "-")),
    _sid("chat-service-sid-upper-f-refused-in-third-group", "accept",
      "Digits are matched in the groups of a UUID, and the class of the third group ends at E.",
      _group(12, 16, "[0-9a-fA-E]"), _with(13, "F")),
    _sid("messaging-service-sid-nine-refused-in-second-group", "accept",
      "Digits are matched in the groups of a UUID, and the class of the second group ends at 8.",
      _group(8, 12, "[0-8a-fA-F]"), _with(9, "9")),
    _sid("chat-service-sid-refused-as-float", "accept",
      "Digits that read as a number with an exponent are refused as one.", sids.refuses(_reads_as_float),
      "1" * 15 + "e" + "2" * 16),
    _sid("messaging-service-sid-nil-refused", "accept", "Zeros alone are refused as no identifier.",
      sids.refuses(lambda digits: not digits.strip("0")), "0" * 32),
    _sid("chat-service-sid-echo-without-last-zeros", "echo response-schema", "Zeros at the end are lost.",
      sids.keeps(lambda text: text.rstrip("0")), "a" * 30 + "00"),
    _sid("messaging-service-sid-of-equal-digits-refused", "accept",
      "More than twenty equal digits in a row are refused as a mistake of typing.",
      sids.refuses(lambda digits: re.search(r"(.)\1{20}", digits)), "a" * 32),
    _sid("chat-service-sid-length-in-a-byte", "length anchoring",
      "The length is kept in a byte, so that 256 characters more are not noticed.",
      sids.also_matches(_length_modulo(256), keep_rewritten=True), HEX + "x" * 256),
    fault("chat-service-sid-kept-in-other-case", "chat-service-sid-verbatim", "positions",
      "A chat service that differs from the present one in case alone is not written.",
      state_mistakes.writes(_case_ignored),
      [Step(f"DefaultChatServiceSid=IS{'ab' * 16}"), Step(f"DefaultChatServiceSid=IS{'AB' * 16}")]),
    # Alternatives of a pattern
    _timer("closed-timer-hours-and-minutes-without-end", "syntax",
      "The alternative for hours and minutes lacks its end: anything may stand behind it.",
      timers.also_reads(_beginning(r"PT[0-9]{1,9}H[0-9]{1,9}M")), "PT1H30Mx", group="positions"),
    # Lengths of timers
    _timer("closed-timer-carry-counted-twice", "minimum",
      "Beside minutes, seconds from 60 on are carried over and counted all the same.",
      timers.measures(_carried_twice), "PT6M180S"),
    _timer("inactive-timer-in-sixteen-bits", "accept notation",
      "The length in seconds is kept in sixteen bits without sign.", timers.measures(_modulo(65536)),
      "PT65537S"),
    _timer("closed-timer-milliseconds-in-unsigned-bits", "notation",
      "The length in milliseconds is kept in 32 bits without sign, and overflows after 49 days.",
      timers.measures(lambda text, length: _modulo(2**32)(text, length * 1000) / 1000), "PT4294968S"),
    _timer("inactive-timer-minutes-kept-in-a-byte", "echo notation", "The minutes are kept in a byte.",
      timers.keeps(_minutes_in_a_byte), "PT300M"),
    _timer("closed-timer-cut-after-sixteen-characters", "echo notation timer-representation",
      "The database column cuts the text after sixteen characters.",
      timers.keeps(lambda text, length: text[:16]), "PT000000000000600S"),
    _timer("inactive-timer-at-most-sixteen-characters", "accept boundary notation",
      "A text of more than sixteen characters is refused.", timers.refuses(lambda text: len(text) > 16),
      "PT000000000000600S"),
    _timer("closed-timer-carries-one-day-only", "echo notation",
      "Of hours one day is carried over, and the rest of all days is kept.",
      timers.keeps(_one_carried("H", "D", 24)), "PT50H"),
    _timer("inactive-timer-carries-one-hour-only", "echo notation",
      "Of minutes one hour is carried over, and the rest of all hours is kept.",
      timers.keeps(_one_carried("M", "H", 60)), "PT130M"),
    _timer("closed-timer-thirty-days-as-a-month", "echo notation",
      "A length of whole thirty days comes back in months.", timers.keeps(_thirty_days), "P30D"),
    _timer("inactive-timer-fraction-of-hours-in-floats", "minimum", "A fraction of hours is a float.",
      timers.measures(_hours_as_float), "PT0.01666666666666666666H"),
    _timer("closed-timer-days-in-thousandths", "minimum", "A fraction of days is rounded to three digits.",
      timers.measures(_days_in_thousandths), "P0.0066D"),
    _timer("inactive-timer-length-in-two-bytes", "syntax",
      "The length of the text is kept in two bytes, so that 65,536 characters more are not noticed.",
      timers.also_reads(_length_modulo(65536), keep_rewritten=True), "PT10M" + "x" * 65536),
    _timer("closed-timer-multiples-of-256-refused", "accept notation",
      "A length whose last byte is zero ends there, as a text of C does, and is taken for absent.",
      timers.refuses(lambda text: _number(text, "S") and not _number(text, "S") % 256), "PT768S"),
    _timer("inactive-timer-one-digit-compared-as-text", "minimum",
      "Seconds of one digit are compared with 60 as text, so that 7, 8 and 9 reach it.",
      timers.measures(lambda text, length: Decimal(60) if text in ("PT7S", "PT8S", "PT9S") else length), "PT7S"),
    fault("inactive-timer-zero-clears-closed", "omitted-parameters-kept", "lengths",
      "Where PT0S disables the inactive timer, the closed one is cleared.",
      state_mistakes.writes(_zero_clears_closed),
      [Step("DefaultClosedTimer=P1D"), Step("DefaultInactiveTimer=PT0S")]),
)
# fmt: on
