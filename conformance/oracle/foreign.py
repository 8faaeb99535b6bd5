"""Recognises answers that show what another account of the run has set."""

from collections.abc import Iterable, Mapping

from conformance.http import Exchange
from conformance.model import BY_PARAMETER
from conformance.oracle.decisions import is_right
from conformance.oracle.mismatches import Kind, Mismatch
from conformance.oracle.setting import Setting


def foreign_writer(setting: Setting, value: str, theirs: Iterable[Setting]) -> Exchange | None:
    """
    Return the update of another account that a value comes from, which an answer shows; None where there is none.

    `theirs` is what is known of the same setting of the other accounts.
    """
    written = setting.writer.number if setting.writer else 0
    if value == setting.shown:
        return None
    for their in theirs:
        writer = their.writer
        # The account itself has had the value, and set another one since.
        if writer is None or (value in setting.former and writer.number <= written):
            continue
        sent = dict(writer.request.form() or ()).get(setting.about.parameter)
        if sent and is_right(setting.about, sent, value):
            return writer
    return None


def answer_of_another(
    own: Mapping[str, Setting],
    theirs: Mapping[str, Setting],
    exchange: Exchange,
    shown: Mapping[str, str | None],
) -> tuple[Mismatch, ...]:
    """
    Return what differs in an answer that is another account's in all that it shows; nothing where it is not.

    What is known of both accounts is changed: nobody knows to which of the two the update was written.
    """
    wrong = [name for name, value in shown.items() if not own[name].matches(value)]
    if all(shown[name] is None or theirs[name].ours != shown[name] for name in wrong):
        return ()  # nothing says that the other account keeps anything: a mock shows one example to all
    form = dict(exchange.request.form() or ()) if exchange.request.method == "POST" else {}
    sent = {BY_PARAMETER[name].attribute: value for name, value in form.items() if name in BY_PARAMETER}
    for name, value in shown.items():
        if not theirs[name].matches(value) and not is_right(own[name].about, sent.get(name, ""), value):
            return ()
    for name, value in sent.items() if wrong else ():
        right = theirs[name].right
        own[name].right, theirs[name].right = None, None if right is None else (*right, value)
    return tuple(
        Mismatch(
            kind=Kind.FOREIGN,
            outcome="foreign-value",
            about=own[name].about,
            shown=shown[name],
            sent=sent.get(name),
            related=(writer,) if (writer := theirs[name].writer) is not None else (),
        )
        for name in wrong
    )
