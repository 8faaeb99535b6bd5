"""Says what an answer proves that shows the right value of a setting: a wrong target would have shown another one."""

from collections.abc import Iterator, Sequence

from conformance.http import Exchange
from conformance.oracle.decisions import is_right
from conformance.oracle.mismatches import Kind, Proof
from conformance.oracle.setting import Setting


def proofs_of(
    exchange: Exchange,
    setting: Setting,
    value: str | None,
    sent: Sequence[str],
    last_update: Exchange | None,
    last_safe: Exchange | None,
    there: Sequence[Setting],
) -> Iterator[Proof | Kind]:
    """
    Yield what an answer has proved of one setting, of which it shows the right value.

    The last update came before it, and the last request with a safe method since then. `there` is what is known of the
    same setting of the other accounts.
    """
    if setting.right is None or value is None:
        return
    if exchange.request.method != "POST":
        if value == setting.ours:
            yield Proof.READ_BACK
        return
    if sent:
        # Where the value before is right, too, an update that was ignored would look the same.
        is_sent = any(is_right(setting.about, each, value) for each in sent)
        if is_sent and setting.looked and not is_right(setting.about, sent[-1], setting.last):
            yield Proof.ECHOED
            if setting.last is not None:
                yield Proof.REPLACED
            if len(sent) > 1:
                yield Kind.REPEATED
        if value == setting.ours and last_update is not None and last_update.request == exchange.request:
            yield Proof.REPEATED
        return
    if setting.contested:
        yield Proof.TOGETHER
    if value != setting.ours:
        return
    yield Proof.KEPT
    if last_safe is not None:
        yield Proof.AFTER_SAFE
    yield from {suspect.kind for suspect in setting.suspects}
    written = setting.writer.number if setting.writer is not None else 0
    for theirs in there:
        later = theirs.writer is not None and theirs.writer.number > written
        if later and theirs.ours is not None and not is_right(setting.about, theirs.ours, value):
            yield Proof.APART
