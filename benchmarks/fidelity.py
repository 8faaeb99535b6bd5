"""
Measures how well a comparison tells targets apart: faults, variants and pairs of variants beside a recording.

    python benchmarks/fidelity.py faults [--every N] [--offset K] [--hidden] [--json FILE]
    python benchmarks/fidelity.py variants [--seeds N] [--only GLOB]
    python benchmarks/fidelity.py manners [--seeds N]
    python benchmarks/fidelity.py pairs [--count N]
    python benchmarks/fidelity.py cost

The reference is a recording of the emulator, by the quick script. `faults` compares each fault with it: a difference
is right if it has a kind that the broken rule's claim can bring, at an input class of that rule or under its name.
`variants` records each variant and compares it with itself, for each seed, and compares it with the reference: a
difference beyond what the document allows is a false alarm. `manners` compares targets that limit the rate of requests,
are slow, or close idle connections, with the emulator and with themselves: each is the reference, the candidate, and
both. `pairs` compares variants with each other: the causes must be those of each variant beside the reference. `cost`
takes the time of a comparison beside a bare loop that sends the same bytes.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import httpx
from between import Answer, Ask, between

from conformance import emulator
from conformance.exceptions import RunEnded
from conformance.fidelity.comparing import Kind
from conformance.fidelity.grouping import Document, Group
from conformance.fidelity.playing import Player
from conformance.fidelity.recording import Recording
from conformance.fidelity.running import Compared, run
from conformance.fidelity.script import Script, draw
from conformance.model import Aspect, Level
from conformance.rules import BY_ID
from conformance.safety.safeguard import Safeguard
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

_ACCOUNTS = {account.sid or "": account.token for account in THROWAWAY}

_KINDS = {
    Aspect.WIRE: {Kind.ACCEPT, Kind.CODE},
    Aspect.CREDENTIALS: {Kind.ACCEPT, Kind.CODE, Kind.STATE, Kind.SPELLING},
    Aspect.METHOD: set(Kind),
    Aspect.STATUS: {Kind.ACCEPT, Kind.CODE},
    Aspect.REPRESENTATION: {Kind.STATE, Kind.SPELLING, Kind.CODE},
    Aspect.SYNTAX: {Kind.ACCEPT},
    Aspect.CONTENT: {Kind.ACCEPT},
    Aspect.ACCEPTANCE: {Kind.ACCEPT, Kind.STATE},
    Aspect.ECHO: {Kind.STATE, Kind.SPELLING},
    Aspect.STATE: {Kind.STATE, Kind.ACCEPT},  # the same update may be refused when it comes again
    Aspect.CONSISTENCY: {Kind.STATE, Kind.SPELLING, Kind.CODE, Kind.ACCEPT},
}
"""The kinds of differences that a broken claim can bring."""


_BUSY = (
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)


def _limiting() -> Answer:
    """Take 100 requests a second at most; whatever is more gets 429 and has to wait a second."""
    began: list[float] = []

    def answer(number: int, request: bytes, ask: Ask) -> bytes:
        now = time.monotonic()
        began[:] = [each for each in began if now - each < 1]
        if len(began) >= 100:
            return _BUSY
        began.append(now)
        return ask()

    return answer


def _slow(number: int, request: bytes, ask: Ask) -> bytes:
    """Take 20 ms for an answer, and every 20th time ten times as long."""
    time.sleep(0.2 if number % 20 == 0 else 0.02)  # the target is slow: this is what is measured
    return ask()


_MANNERS: Mapping[str, tuple[Callable[[], Answer], float | None]] = {
    "limits the rate": (_limiting, None),
    "slow": (lambda: _slow, None),
    "closes idle connections": (lambda: lambda number, request, ask: ask(), 0.002),
}
"""Targets that are right and hard to talk to: how each answers, and after how many idle seconds it closes."""


@contextmanager
def _player(
    faults: Sequence[str] = (), variants: Sequence[str] = (), manner: str | None = None
) -> Iterator[Player]:
    """Serve the emulator and look at it."""
    with ExitStack() as stack:
        url = stack.enter_context(emulator.serving(accounts=_ACCOUNTS, faults=faults, variants=variants))
        if manner is not None:
            answer, idle = _MANNERS[manner]
            url = stack.enter_context(between(url, answer(), idle)).url
        yield stack.enter_context(_looked_at(url))


@contextmanager
def _looked_at(url: str) -> Iterator[Player]:
    with Target(TargetSettings(url=url, accounts=THROWAWAY, timeout=2.0)) as target:
        player = Player(target, Safeguard())
        player.read_settings(2)
        yield player


def _script(seed: int = 0) -> Script:
    """The quick script."""
    return draw(seed=seed, accounts=2)


def _unhurried(script: Script) -> Script:
    """The script without its pauses, which show faults alone."""
    steps = (replace(step, request=replace(step.request, after=0.0)) for step in script.steps)
    return replace(script, steps=tuple(steps))


def _recorded(script: Script, variants: Sequence[str] = ()) -> Recording:
    with _player(variants=variants) as player:
        return player.play(script)


def _compared(
    reference: Recording, faults: Sequence[str] = (), variants: Sequence[str] = ()
) -> Compared | str:
    try:
        with _player(faults, variants) as player:
            return run((reference, player), None)
    except RunEnded as error:
        return str(error)


def _faults(every: int, offset: int, json_file: Path | None, *, hidden: bool) -> None:
    reference = _recorded(_script())
    counts = Counter[tuple[str, str]]()
    rows: list[dict[str, Any]] = []
    examined = [fault for name, fault in emulator.FAULTS.items() if (name in emulator.HIDDEN) == hidden]
    for fault in examined[offset::every]:
        rule = BY_ID[fault.rule]
        level = rule.level.upper()
        compared = _compared(reference, [fault.name])
        counts[level, "faults"] += 1
        if isinstance(compared, str):
            counts[level, "no verdict"] += 1
            print(f"no verdict  {fault.name}: {compared}", flush=True)
            continue
        named = {fault.rule, *fault.consequences}
        documented = [group for group in compared.groups if group.document is not Document.BOTH]
        right = [group for group in compared.groups if _is_right(group, compared, rule.id)]
        seen = {
            "found": bool(compared.groups),
            "found within the document": bool(documented),
            "right kind and class": bool(right),
            "rule named": any(named & set(group.rules) for group in compared.groups),
            "at most three groups": 1 <= len(compared.groups) <= 3,
        }
        counts.update((level, name) for name, is_so in seen.items() if is_so)
        rows.append(
            {
                "fault": fault.name,
                "rule": fault.rule,
                "groups": [_row(each) for each in compared.groups],
                **seen,
            }
        )
        missing = [name for name, is_so in seen.items() if not is_so]
        if missing:
            print(f"{level:6} {fault.name} ({fault.rule}): not {', not '.join(missing)}", flush=True)
            for group in compared.groups or ():
                print(f"         {' | '.join(_row(group))}", flush=True)
    for level in (each.upper() for each in Level):
        for (of, name), count in counts.items():
            if of == level:
                print(f"{level:6} {name:28} {count:4} of {counts[level, 'faults']}")
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _is_right(group: Group, compared: Compared, rule: str) -> bool:
    """Whether a group has a kind that the rule's claim can bring, at an input class of the rule or under its name."""
    row = BY_ID[rule]
    classes = {cls.id for cls in row.classes}
    at = {
        cls
        for each in group.differences
        for cls in compared.comparison.pairs[each.culprit].step.cls.split("+")
    }
    of_answers = any(cls.startswith("answer/") for cls in classes)
    kinds = {each.kind for each in group.differences}
    return bool(kinds & _KINDS[row.aspect]) and (rule in group.rules or of_answers or bool(classes & at))


def _row(group: Group) -> tuple[str, ...]:
    first = group.differences[0]
    shown = f"{first.name}: {first.reference[:40]} -> {first.candidate[:40]}"
    return group.kind.name, group.cause, group.document, ", ".join(group.rules[:3]), shown


def _variants(seeds: int, only: str) -> None:
    alarms, own = 0, 0
    reference = _recorded(_unhurried(_script()))
    names = [name for name in emulator.VARIANTS if fnmatchcase(name, only)]
    for name in names:
        compared = _compared(reference, variants=[name])
        wrong = (
            []
            if isinstance(compared, str)
            else [each for each in compared.groups if each.document is not Document.BOTH]
        )
        if isinstance(compared, str) or wrong:
            alarms += 1
            print(
                f"alarm  {name}: {compared if isinstance(compared, str) else [_row(each) for each in wrong]}",
                flush=True,
            )
        for seed in range(seeds):
            recording = _recorded(_unhurried(_script(seed)), [name])
            again = _compared(recording, variants=[name])
            if isinstance(again, str) or again.groups:
                own += 1
                told = again if isinstance(again, str) else [_row(each) for each in again.groups]
                print(f"differs from itself  {name}, seed {seed}: {told}", flush=True)
    print(f"variants with a difference that the document does not allow: {alarms} of {len(names)}")
    print(f"recordings that differ from their own variant: {own} of {len(names) * seeds}")


def _manners(seeds: int) -> None:
    tried = differing = unsettled = 0
    for seed in range(seeds):
        script = _unhurried(_script(seed))
        plain = _recorded(script)
        for name in _MANNERS:
            for place in ("reference", "recorded reference", "candidate", "both"):
                with (
                    _player(manner=None if place == "candidate" else name) as one,
                    _player(manner=name if place in ("candidate", "both") else None) as other,
                ):
                    reference: Recording | Player = plain if place == "candidate" else one
                    if place == "recorded reference":
                        reference = one.play(script)
                    try:
                        compared = run((reference, other), script)
                    except RunEnded as error:
                        told: object = str(error)
                    else:
                        told = [_row(each) for each in compared.groups]
                        unsettled += compared.comparison.unsettled
                tried += 1
                if told:
                    differing += 1
                    print(f"differs  {name}, {place}, seed {seed}: {told}", flush=True)
    print(f"comparisons of a right target in a manner that differ: {differing} of {tried}")
    print(f"steps of them to which an answer once did not come, or was another one: {unsettled}")


_REVERSED = {"accepted": "refused", "refused": "accepted", "added": "left out", "left out": "added"}


def _causes(groups: Sequence[Group], *, reverse: bool = False) -> dict[str, str]:
    """By what causes are about, which way they go."""
    parts = [each.cause.partition(": ")[::2] for each in groups]
    return {about: _REVERSED.get(way, way) if reverse else way for about, way in parts}


def _pairs(count: int) -> None:
    script = _unhurried(_script())
    reference = _recorded(script)
    alone = {}
    for name in emulator.VARIANTS:
        compared = _compared(reference, variants=[name])
        alone[name] = compared.groups if isinstance(compared, Compared) else ()
    differing = [name for name, groups in alone.items() if groups]
    pairs = [(one, other) for one in differing for other in differing if one != other]
    random.Random(0).shuffle(pairs)
    tried = right = 0
    for one, other in pairs:
        first, second = _causes(alone[one], reverse=True), _causes(alone[other])
        if first.keys() & second.keys() or tried == count:
            continue  # what both change cannot be told by construction
        tried += 1
        compared = _compared(_recorded(script, [one]), variants=[other])
        found = _causes(compared.groups) if isinstance(compared, Compared) else {}
        right += found == {**first, **second}
        if found != {**first, **second}:
            print(f"{one} / {other}: {found}, not { ({**first, **second}) }", flush=True)
    print(f"pairs of variants with the causes that are true by construction: {right} of {tried}")


def _cost() -> None:
    script = _unhurried(_script())
    ratios: dict[str, list[float]] = {"time": [], "processor time, without the targets": []}
    with Embedded(THROWAWAY) as first, Embedded(THROWAWAY) as second:
        for _ in range(10):
            with ExitStack() as stack:
                ends = [stack.enter_context(_looked_at(each.url())) for each in (first, second)]
                before = _times()
                compared = run(ends, script)
                took = [now - then for now, then in zip(_times(), before, strict=True)]
            each_end = zip(ends, (compared.reference, compared.candidate), (2, 1), strict=True)
            sent = [
                (player.target.url, taken.exchange.request)
                for player, recording, times in each_end
                for taken in recording.taken * times
            ]
            with httpx.Client(auth=(THROWAWAY[0].user, THROWAWAY[0].token)) as client:
                before = _times()
                for url, request in sent:
                    content_type = {"Content-Type": request.content_type} if request.content_type else {}
                    client.request(request.method, url, content=request.body, headers=content_type)
                bare = [now - then for now, then in zip(_times(), before, strict=True)]
            for each, one, other in zip(ratios.values(), took, bare, strict=True):
                each.append(one / other)
    for name, each in ratios.items():
        print(
            f"comparison / bare loop, {name}: median {statistics.median(each):.2f}, "
            f"{min(each):.2f} to {max(each):.2f}"
        )


def _times() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("what", choices=["faults", "variants", "manners", "pairs", "cost"])
    parser.add_argument("--every", type=int, default=1, help="only every Nth fault")
    parser.add_argument(
        "--offset", type=int, default=0, help="with --every, the first fault to examine, from 0"
    )
    parser.add_argument("--hidden", action="store_true", help="the faults that hide, in place of the others")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="*", help="only variants whose name matches a glob")
    parser.add_argument("--count", type=int, default=60, help="pairs of variants")
    parser.add_argument("--json", type=Path, help="file for all groups of all faults")
    asked = parser.parse_args()
    if asked.what == "faults":
        _faults(asked.every, asked.offset, asked.json, hidden=asked.hidden)
    elif asked.what == "variants":
        _variants(asked.seeds, asked.only)
    elif asked.what == "manners":
        _manners(asked.seeds)
    elif asked.what == "pairs":
        _pairs(asked.count)
    else:
        _cost()


if __name__ == "__main__":
    main()
