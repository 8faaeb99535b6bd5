"""A comparison tells what is new from what was there, and never takes silence for a cure."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.http import update
from conformance.model import CLOSED, Level, Verdict, fingerprint
from conformance.reporting import build
from conformance.reporting.compare import FORMATS, compare, summary

from .samples import DOCUMENTS, REPORTS, exchange, finding, outcome, rule

SYNTAX = rule("closed-timer-syntax", "timers")
LOOSE = rule("closed-timer-notation", "timers", Level.SHOULD)


def _result(*findings: Any, verdict: Verdict | None = None, rules: tuple[Any, ...] = (SYNTAX, LOOSE)) -> Any:
    outcomes = []
    for each in rules:
        own = [found for found in findings if found.rule == each.id]
        outcomes.append(outcome(each, verdict or (Verdict.DEVIATION if own else Verdict.CONFORMANT), *own))
    return build(replace(REPORTS["clean"], outcomes=tuple(outcomes)))


def _found(cls: str = "timer/words", rule: Any = SYNTAX, **fields: Any) -> Any:
    return finding(rule, cls, exchange(update((CLOSED.parameter, "P"))), **fields)


def _names(found: Any) -> list[str]:
    return [f"{each['class']} {each['outcome']}" for each in found]


def test_what_only_the_later_has_is_new_and_fails() -> None:
    comparison = compare(_result(), _result(_found()))

    assert _names(comparison.new) == ["timer/words accepted"]
    assert comparison.fails()


def test_what_both_have_is_neither() -> None:
    comparison = compare(_result(_found(observed="200")), _result(_found(observed="201")))

    assert summary(comparison) == "new 0 · changed 0 · unstable 0 · fixed 0 · not judged 0 · as before 1"
    assert not comparison.fails(Level.SHOULD)


def test_what_only_the_earlier_has_is_fixed() -> None:
    comparison = compare(_result(_found()), _result())

    assert _names(comparison.fixed) == ["timer/words accepted"]
    assert not comparison.fails(Level.SHOULD)


@pytest.mark.parametrize("verdict", [Verdict.NOT_RUN, Verdict.UNDECIDED, Verdict.ERROR])
def test_what_was_not_judged_is_not_fixed(verdict: Verdict) -> None:
    comparison = compare(_result(_found()), _result(verdict=verdict))

    assert (_names(comparison.fixed), _names(comparison.not_judged)) == ([], ["timer/words accepted"])


def test_a_rule_that_is_gone_fixes_nothing() -> None:
    comparison = compare(_result(_found()), _result(rules=(LOOSE,)))

    assert _names(comparison.not_judged) == ["timer/words accepted"]
    assert (comparison.rules_added, comparison.rules_gone) == ((), (SYNTAX.id,))


def test_another_outcome_of_the_same_input_is_a_change_and_fails() -> None:
    comparison = compare(_result(_found()), _result(_found(outcome="server-error")))

    assert [(old["outcome"], new["outcome"]) for old, new in comparison.changed] == [
        ("accepted", "server-error")
    ]
    assert (comparison.new, comparison.fixed) == ((), ())
    assert comparison.fails()


def test_what_comes_and_goes_is_unstable_and_fails_only_where_it_was_not() -> None:
    shaky = _result(_found(stable=False))

    assert _names(compare(_result(), shaky).unstable) == ["timer/words accepted"]
    assert compare(_result(), shaky).fails()
    assert not compare(_result(_found()), shaky).fails()


def test_a_should_fails_only_when_asked() -> None:
    comparison = compare(_result(), _result(_found(rule=LOOSE)))

    assert (comparison.fails(), comparison.fails(Level.SHOULD)) == (False, True)


def test_what_is_known_does_not_fail() -> None:
    new = _result(_found())
    new["findings"][0]["known"] = {"reason": "being mended", "link": "", "expires": ""}

    assert not compare(_result(), new).fails()


def test_rules_that_were_added_and_verdicts_that_changed_are_told() -> None:
    comparison = compare(_result(rules=(SYNTAX,)), _result(_found()))

    assert comparison.rules_added == (LOOSE.id,)
    assert comparison.verdicts == ((SYNTAX.id, "conformant", "deviation"),)


def test_findings_of_one_cause_are_told_once() -> None:
    text = FORMATS["terminal"](compare(_result(), _result(*(_found(f"timer/{name}") for name in "abc"))))

    assert text.count("new  ") == 1
    assert "and 2 more findings of the same cause" in text


def test_json_has_every_finding() -> None:
    told = json.loads(FORMATS["json"](compare(_result(_found()), _result(_found(outcome="server-error")))))

    assert told["fails"] == {"must": True, "should": True}
    (changed,) = told["changed"]
    assert changed["was"] == "accepted"
    assert changed["fingerprint"] == fingerprint(SYNTAX.id, "timer/words", "server-error")


def test_how_the_rules_of_both_stand_is_said_in_every_format() -> None:
    comparison = compare(_result(), _result(_found()))
    later = "MUST 0 hold, 1 broken, 0 undecided · SHOULD 1 hold, 0 broken, 0 undecided · conformant"

    for name in ("terminal", "markdown", "html"):
        assert later in FORMATS[name](comparison)
    counts = json.loads(FORMATS["json"](comparison))["new_run"]["counts"]
    assert counts["must"] == {"hold": 0, "broken": 1, "undecided": 0, "not_run": 0, "errors": 0}


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("old", sorted(DOCUMENTS))
def test_any_two_results_can_be_compared_in_any_format(name: str, old: str) -> None:
    before = copy.deepcopy(DOCUMENTS)
    for new in DOCUMENTS.values():
        text = FORMATS[name](compare(DOCUMENTS[old], new))
        assert "\x1b" not in text
        assert "<img" not in text or name in ("terminal", "json")
        assert text.count("<script>") == (1 if name == "html" else 0)
    assert before == DOCUMENTS
