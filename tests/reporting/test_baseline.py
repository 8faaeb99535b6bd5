"""Known deviations explain what they name and nothing else, and whatever is wrong with the file is said in one line."""

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import BaselineError
from conformance.http import NO_AUTH, Auth, ByHand, Request, update
from conformance.model import CLOSED, Level, Verdict, fingerprint
from conformance.reporting import build, validate
from conformance.reporting.baseline import (
    ANY_CLASS,
    Known,
    State,
    additions,
    apply,
    merged,
    parse,
    read,
    witnesses,
)
from conformance.rules import BY_ID
from reporting.samples import DOCUMENTS, REPORTS, exchange, finding, outcome, rule

TODAY = date(2026, 6, 1)
SYNTAX = rule("closed-timer-syntax", "timers")
LOOSE = rule("closed-timer-notation", "timers", Level.SHOULD)
RULES = (SYNTAX, LOOSE, BY_ID["closed-timer-echo"])
CATALOGUE = {each.id: each for each in RULES}


def _found(cls: str = "timer/words", rule: Any = SYNTAX, **fields: Any) -> Any:
    return finding(rule, cls, exchange(update((CLOSED.parameter, "P"))), **fields)


def _result(*findings: Any, **fields: Any) -> dict[str, Any]:
    outcomes = []
    for each in RULES:
        own = [found for found in findings if found.rule == each.id]
        broken = Verdict.DEVIATION if each.level is Level.MUST else Verdict.NON_STRICT
        outcomes.append(outcome(each, broken if own else Verdict.CONFORMANT, *own))
    must = any(found.level is Level.MUST for found in findings)
    given: dict[str, Any] = {
        "outcomes": tuple(outcomes),
        "verdict": Verdict.DEVIATION if must else Verdict.NON_STRICT if findings else Verdict.CONFORMANT,
        "exit_code": int(must),
    }
    return build(replace(REPORTS["clean"], **given | fields))


def _known(**fields: Any) -> Known:
    given = {"rule": SYNTAX.id, "cls": "timer/words", "outcome": "accepted", "reason": "being mended"}
    return Known(**given | fields)


def _apply(result: dict[str, Any], *known: Known, strict: bool = False) -> dict[str, Any]:
    before = copy.deepcopy(result)
    applied = apply(result, known, TODAY, catalogue=CATALOGUE, strict=strict)
    assert result == before
    validate(json.loads(json.dumps(applied)))
    return applied


def _states(applied: dict[str, Any]) -> list[str]:
    return [each["state"] for each in applied["known"]]


# What an entry explains


def test_a_match_is_known_and_does_not_fail() -> None:
    applied = _apply(_result(_found()), _known())

    assert (applied["verdict"], applied["exit_code"], _states(applied)) == ("known", 0, ["known"])
    assert (applied["rules"][0]["verdict"], applied["rules"][0]["reason"]) == ("known", "being mended")
    assert applied["findings"][0]["known"] == {"reason": "being mended", "link": "", "expires": ""}
    assert applied["counts"]["findings"] == {"must": 0, "should": 0, "unstable": 0, "known": 1}


@pytest.mark.parametrize(
    "other",
    [{"outcome": "server-error"}, {"cls": "timer/long"}, {"rule": LOOSE}],
    ids=["outcome", "class", "rule"],
)
def test_another_rule_class_or_outcome_is_new(other: dict[str, Any]) -> None:
    applied = _apply(_result(_found(), _found(**other)), _known())

    assert [("known" in each) for each in applied["findings"]].count(True) == 1
    assert applied["verdict"] == ("deviation" if "rule" not in other else "non-strict")
    assert applied["exit_code"] == (1 if "rule" not in other else 0)


def test_a_rule_with_new_findings_beside_known_ones_keeps_its_verdict() -> None:
    applied = _apply(_result(_found(), _found("timer/long")), _known())

    assert applied["rules"][0]["verdict"] == "deviation"
    assert applied["counts"]["findings"]["must"] == 1


def test_what_is_new_and_comes_and_goes_is_unstable() -> None:
    applied = _apply(_result(_found(), _found("timer/long", stable=False)), _known())

    assert (applied["verdict"], applied["rules"][0]["verdict"], applied["exit_code"]) == (
        "unstable",
        "unstable",
        1,
    )


def test_an_entry_for_any_class_explains_all_of_them() -> None:
    applied = _apply(_result(_found(), _found("timer/long")), _known(cls=ANY_CLASS))

    assert (applied["verdict"], applied["exit_code"]) == ("known", 0)


@pytest.mark.parametrize(
    ("profile", "put_down", "code"),
    [
        ("quick", {"consequence_of": SYNTAX.id, "rule": "closed-timer-echo"}, 0),
        ("quick", {"consequence_of": SYNTAX.id}, 1),  # it is not about what is shown
        ("quick", {}, 0),  # another input class of the same difference
        ("quick", {"cause": "another"}, 1),
        ("standard", {"consequence_of": SYNTAX.id, "rule": "closed-timer-echo"}, 1),
    ],
)
def test_a_quick_run_takes_a_difference_as_known_where_what_it_is_told_under_is(
    profile: str, put_down: dict[str, str], code: int
) -> None:
    result = _result(_found(), _found("timer/other"), profile=profile)
    result["findings"][1] |= put_down
    assert _apply(result, _known())["exit_code"] == code
    # What is told under it explains nothing of the rest.
    result["findings"][1] |= {"consequence_of": SYNTAX.id}
    assert _apply(result, _known(cls="timer/other"))["exit_code"] == 1


def test_a_should_is_known_too_when_it_fails_the_run() -> None:
    result = _result(_found(rule=LOOSE), exit_code=1, settings={"fail_on": "should"})

    assert _apply(result)["exit_code"] == 1
    assert _apply(result, _known(rule=LOOSE.id))["exit_code"] == 0


def test_without_entries_nothing_changes() -> None:
    for document in DOCUMENTS.values():
        applied = apply(document, (), TODAY, catalogue={})
        assert applied == {**document, "known": []}


@pytest.mark.parametrize("code", [3, 4, 130])
def test_graver_exit_statuses_stand(code: int) -> None:
    assert _apply(_result(_found(), exit_code=code), _known(), strict=True)["exit_code"] == code


def test_a_run_that_was_stopped_is_without_verdict_when_all_else_is_known() -> None:
    applied = _apply(_result(_found(), stopped="the target is gone"), _known())

    assert (applied["verdict"], applied["exit_code"]) == ("error", 3)


def test_a_run_without_a_verdict_on_most_rules_has_none_when_all_else_is_known() -> None:
    result = _result(_found())
    undecided = {**result["rules"][0], "verdict": "undecided", "level": "must"}
    result["rules"] += [{**undecided, "id": f"rule-{letter}"} for letter in "abcdef"]
    applied = _apply(result, _known())

    assert (applied["verdict"], applied["exit_code"]) == ("undecided", 3)


def test_a_budget_that_is_spent_leaves_a_verdict_and_finds_what_is_fixed() -> None:
    spent: dict[str, Any] = {
        "stopped": "the budget is spent",
        "settings": {"max_requests": 300},
        "requests": 300,
    }
    known, fixed = _known(), _known(rule=LOOSE.id, witness=(update(),))
    applied = _apply(_result(_found(), **spent), known, fixed)

    assert (applied["verdict"], applied["exit_code"], _states(applied)) == ("known", 0, ["known", "fixed"])


# What becomes of entries


@pytest.mark.parametrize(("expires", "state"), [(TODAY, "known"), (date(2026, 5, 31), "expired")])
def test_an_entry_counts_through_its_last_day(expires: date, state: str) -> None:
    applied = _apply(_result(_found()), _known(expires=expires))

    assert _states(applied) == [state]
    assert applied["exit_code"] == (0 if state == "known" else 1)


def test_what_is_no_longer_there_is_fixed() -> None:
    applied = _apply(_result(_found(rule=LOOSE)), _known(witness=(update(),)))

    assert _states(applied) == ["fixed"]
    assert (applied["rules"][0]["verdict"], applied["rules"][0]["reason"]) == (
        "fixed",
        "was known: being mended",
    )


def test_a_result_whose_known_deviations_are_all_gone_is_fixed() -> None:
    applied = _apply(_result(), _known(witness=(update(),)))

    assert (applied["verdict"], applied["exit_code"], applied["counts"]["must"]["conformant"]) == (
        "fixed",
        0,
        2,
    )


@pytest.mark.parametrize("entry", [_known(rule="gone"), _known(cls="timer/gone")], ids=["rule", "class"])
def test_an_entry_about_nothing_that_there_is_is_unused(entry: Known) -> None:
    assert _states(_apply(_result(), entry)) == ["unused"]


def test_what_this_run_did_not_look_for_is_neither_fixed_nor_unused() -> None:
    stopped = _apply(_result(stopped="interrupted"), _known(witness=(update(),)))
    deselected = apply(DOCUMENTS["clean"], [_known()], TODAY, catalogue={SYNTAX.id: SYNTAX})

    assert _states(stopped) == _states(deselected) == ["not-run"]


@pytest.mark.parametrize(
    ("result", "entry", "state"),
    [
        (_result(), _known(witness=(update(),)), State.FIXED),
        (_result(), _known(rule="gone"), State.UNUSED),
        (_result(_found(rule=LOOSE)), _known(rule=LOOSE.id, expires=date(2026, 1, 1)), State.EXPIRED),
    ],
)
def test_stale_entries_fail_only_a_strict_run(result: dict[str, Any], entry: Known, state: State) -> None:
    assert _states(_apply(result, entry)) == [state]
    assert (_apply(result, entry)["exit_code"], _apply(result, entry, strict=True)["exit_code"]) == (0, 1)


# The file

ENTRY = f"""
[[deviation]]
fingerprint = "{_known().fingerprint}"
rule = "closed-timer-syntax"
class = "timer/words"
outcome = "accepted"
reason = "being mended"
"""
WHOLE = (
    "# ours\n"
    + ENTRY
    + """link = "https://example.org/1"
expires = 2026-06-30

[[deviation.witness]]
method = "POST"
body = "DefaultClosedTimer=P"
content_type = "application/x-www-form-urlencoded"

[[deviation.witness]]
method = "GET"
auth = {user = "", secret = ""}
account = 1
"""
)


def test_an_entry_has_all_that_the_file_says() -> None:
    assert parse(WHOLE) == (
        _known(
            link="https://example.org/1",
            expires=date(2026, 6, 30),
            witness=(
                update((CLOSED.parameter, "P")),
                Request(
                    method="GET", content_type=None, auth=replace(NO_AUTH, user="", secret=""), account=1
                ),
            ),
        ),
    )


def test_an_empty_file_knows_nothing() -> None:
    assert parse("") == parse("# nothing yet\n") == ()


MALFORMED = [
    ("[[deviation]\n", 1, "not TOML"),
    ("\n\na = \n", 3, "not TOML"),
    (ENTRY + "a = 'b\n", 8, "not TOML"),
    ("[[deviations]]\n", 1, "have entries written by"),
    (ENTRY.replace('reason = "being mended"\n', ""), 2, "'reason' is a required property"),
    (ENTRY.replace("being mended", " "), 7, "say why"),
    (ENTRY + 'expires = "soon"', 8, "write it as a TOML date, such as 2030-01-31"),
    (ENTRY + "expires = 2030-01-31T00:00:00Z", 8, "write it as a TOML date"),
    (ENTRY + 'link = "ticket 4"', 8, "write an http:// or https:// URL"),
    (ENTRY.replace("timer/words", "timer/word"), 3, "the fingerprint is not that of rule"),
    (ENTRY.replace('fingerprint = "', 'fingerprint = "x'), 3, "copy the 64 hexadecimal digits"),
    (ENTRY + ENTRY, 9, "the same deviation is in line 2: remove one"),
    (ENTRY + 'wittness = "a"', 2, "'wittness' was unexpected"),
    (ENTRY + "witness = []", 8, "witness"),
    (ENTRY + '[[deviation.witness]]\nmethod = "TRACE"', 8, "is not one of"),
    (ENTRY + '[[deviation.witness]]\nmethod = "POST"\nbody_base64 = "abc"', 8, "body_base64 is not base64"),
    (
        ENTRY + ENTRY.replace("timer/words", "b").replace('outcome = "accepted"', "outcome = 4"),
        13,
        "4 is not of type",
    ),
]


@pytest.mark.parametrize(("text", "line", "problem"), MALFORMED)
def test_what_is_malformed_is_told_with_file_line_and_advice(text: str, line: int, problem: str) -> None:
    with pytest.raises(BaselineError) as error:
        parse(text, "known.toml")

    assert str(error.value).startswith(f"known.toml:{line}: ")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"# \xff")

    for name, problem in (("none", "cannot be read"), ("latin", "not UTF-8 at byte 2: save it as UTF-8")):
        with pytest.raises(BaselineError, match=problem) as error:
            read(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)


# Witnesses


def test_witnesses_are_those_that_the_accounts_suffice_for() -> None:
    one, two, other = update(), Request(account=1), Request(auth=Auth(user="{other_sid}"))
    known = [_known(witness=(one,)), _known(witness=(one, two)), _known(witness=(other,)), _known()]

    assert witnesses(known, 1) == [(known[0].cls, (one,))]
    assert [sent for _, sent in witnesses(known, accounts=2)] == [each.witness for each in known[:3]]


def test_a_witness_is_sent_as_the_input_class_that_it_is_of() -> None:
    known = [_known(witness=(update(),)), _known(cls=ANY_CLASS, witness=(update(),))]
    assert [cls for cls, _ in witnesses(known, 1)] == ["timer/words", "known/witness"]


# Baseline


def test_what_a_result_shows_can_be_taken_as_known() -> None:
    result = DOCUMENTS["deviating"]
    known = parse(merged("", additions(result, (), reason="as it was")))

    stable = [each for each in result["findings"] if each["stable"]]
    assert [each.fingerprint for each in known] == [each["fingerprint"] for each in stable]
    applied = apply(result, known, TODAY, catalogue={})
    assert ["known" in each for each in applied["findings"]] == [
        each["stable"] for each in result["findings"]
    ]


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        update((CLOSED.parameter, "P")),
        Request(method="PUT", body=b"\x00\xff", content_type=None, headers=(("Accept", "a/b"),), query="a=b"),
        Request(body=b"", auth=Auth(header="Bearer {token}"), account=1, chunked=True, fresh=True),
        Request(body=b"a", chunked=True, by_hand=ByHand.TRAILERS),
        Request(body=b"a=b", after=2.0),
        Request(auth=NO_AUTH, body='"\\\u007f\u00e4\n\U0001f600'.encode()),
    ],
)
def test_a_pinned_witness_is_exact(request_: Request) -> None:
    result = _result(finding(SYNTAX, "timer/words", exchange(request_)))
    (entry,) = parse(merged("", additions(result, (), reason="as it was")))

    assert entry.witness == (request_,)


def test_what_comes_and_goes_is_never_taken_as_known() -> None:
    assert additions(_result(_found(stable=False)), (), reason="as it was") == []


def test_a_target_without_the_endpoint_is_never_taken_as_known() -> None:
    assert additions(DOCUMENTS["unimplemented"], (), reason="as it was") == []


def test_what_is_known_already_is_not_added_again() -> None:
    for known in (_known(), _known(cls=ANY_CLASS)):
        assert additions(_result(_found()), [known], reason="as it was") == []


def test_one_entry_may_stand_for_all_classes() -> None:
    entries = additions(_result(_found(), _found("timer/long")), (), reason="as it was", any_class=True)

    assert [each["fingerprint"] for each in entries] == [fingerprint(SYNTAX.id, ANY_CLASS, "accepted")]


def test_what_was_in_the_file_stays_as_it_was() -> None:
    whole = merged(WHOLE, additions(_result(_found(outcome="x")), parse(WHOLE), reason="as it was"))

    assert whole.startswith(WHOLE.rstrip())
    assert [each.outcome for each in parse(whole)] == ["accepted", "x"]


def test_a_file_that_cannot_be_added_to_is_left_alone() -> None:
    inline = "deviation = []\n"
    assert parse(inline) == ()

    with pytest.raises(BaselineError, match="not TOML"):
        merged(inline, additions(_result(_found()), (), reason="as it was"))
