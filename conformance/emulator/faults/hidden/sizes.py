"""Mistakes that show from a certain size on."""

from collections.abc import Callable

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults.hidden.combinations import chunked
from conformance.emulator.faults.hidden.occasions import post
from conformance.emulator.faults.robustness_mistakes import credentials, hang, on
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import Answer, ApiError, Call

SID = next(iter(WITNESS_ACCOUNTS))
A = "DefaultInactiveTimer=PT1H"
READ = Step(method="GET")
FORM_TYPE = ("Content-Type", FORM)


def _first_thousand(body: bytes) -> Pairs:
    return decode_form(body)[:1000]


def _last_byte_lost(body: bytes) -> Pairs:
    """Lose the last byte of a form that fills buffers of 64 bytes."""
    return decode_form(body[: len(body) - (len(body) % 64 == 0)])


def _values_cut(body: bytes) -> Pairs:
    """Cut the pairs off after the first 8,192 bytes of a form."""
    return decode_form(body[:8192])


def _written_before_refused(behaviour: Behaviour) -> None:
    """Refuse a large form after its first 64 KiB have been handled."""
    inner = behaviour.methods["POST"]

    async def handle(call: Call, account: str) -> Answer:
        if len(call.body) <= 65536:
            return await inner(call, account)
        fields = behaviour.fields
        for name, text in decode_form(call.body[:65536].rpartition(b"&")[0]):
            if name in fields:
                behaviour.store.update(account, {fields[name].column: fields[name].validate(text)})
        raise ApiError(413, 20413, "Payload Too Large")

    behaviour.methods["POST"] = handle


def _known(call: Call) -> int:
    return sum(name.startswith("Default") for name, _ in decode_form(call.body))


def _longest_header(call: Call) -> int:
    return max((len(value) for name, value in call.headers if name != b"authorization"), default=0)


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "sizes", text, install, witness)


def _crash(name: str, text: str, condition: Callable[[Call], object], *witness: str | Step) -> Fault:
    return _fault(
        f"crash-on-{name}", "no-server-error", f"A server error comes {text}.", on(condition), *witness
    )


def _with(*headers: tuple[str, str]) -> Step:
    return Step(A, headers=(FORM_TYPE, *headers))


# fmt: off
ALL: tuple[Fault, ...] = (
    _crash("long-headers", "on a header of more than 4 KiB", lambda call: _longest_header(call) > 4096,
      _with(("X-Long", "x" * 5000))),
    _crash("many-headers", "on more than 64 header fields", lambda call: len(call.headers) > 64,
      _with(*((f"X-{number}", "x") for number in range(70)))),
    _crash("long-queries", "on a query of more than 2,000 characters", lambda call: len(call.query) > 2000,
      Step(A, path="/v1/Configuration?x=" + "y" * 2500)),
    _crash("long-passwords", "on credentials of more than 512 bytes, which a column does not hold",
      credentials(lambda pair: len(pair) > 512),
      Step(A, credentials=f"{SID}:{'x' * 600}")),
    _crash("passwords-of-73-bytes", "on a password of more than 72 bytes, which bcrypt refuses",
      credentials(lambda pair: len(pair.partition(b":")[2]) > 72),
      Step(A, credentials=f"{SID}:{'x' * 80}")),
    _crash("many-known-pairs", "on more than 500 pairs with a known name",
      lambda call: post(call) and len(call.body) > 5000 and _known(call) > 500, "&".join([A] * 600)),
    _fault("pairs-after-thousand-lost", "parameter-order last-write-wins",
      "Pairs after the thousandth are dropped.", forms.decodes(_first_thousand), "&".join(["x=y"] * 1100 + [A])),
    _fault("full-buffers-lose-a-byte", "any-subset closed-timer-accept inactive-timer-accept",
      "A form that fills its buffers of 64 bytes loses its last byte.", forms.decodes(_last_byte_lost),
      "DefaultInactiveTimer=PT13H13M3S&DefaultClosedTimer=P1DT13H13M13S"),
    _fault("form-cut-after-eight-kilobytes", "parameter-order last-write-wins",
      "What follows the first 8 KiB of a form is dropped.", forms.decodes(_values_cut),
      f"x={'y' * 9000}&{A}"),
    _fault("empty-chunked-body-unanswered", "every-request-answered",
      "A chunked body without a byte is waited for.",
      on(lambda call: chunked(call) and not call.body, hang), Step(chunked=True)),
    _fault("large-form-written-before-refused", "rejected-update-changes-nothing",
      "A form of more than 64 KiB gets 413 after what its first 64 KiB hold was written.",
      _written_before_refused, f"{A}&x={'y' * 70_000}", READ),
)
# fmt: on
