"""Deviations as workflow commands: one for each difference, and none that a target has written."""

import copy
from typing import Any

import pytest

from conformance.reporting.annotations import annotations, command

from .samples import DOCUMENTS


def test_a_deviation_is_an_error_with_its_rule_and_what_to_paste(deviating: dict[str, Any]) -> None:
    lines = list(annotations(deviating))
    assert all("\n" not in line for line in lines)
    must = [line for line in lines if line.startswith("::error title=MUST ")]
    assert must
    assert all("%0Aexpected " in line and "%0Aobserved " in line for line in must)
    assert "%0Acurl " in must[0]


def test_a_broken_should_rule_is_an_error_only_where_it_fails_the_run(deviating: dict[str, Any]) -> None:
    strict = copy.deepcopy(deviating)
    strict["settings"]["fail_on"] = "should"
    assert any(line.startswith("::warning title=SHOULD ") for line in annotations(deviating))
    assert not any(line.startswith("::warning") for line in annotations(strict))


def test_a_run_without_a_verdict_on_most_rules_is_an_error() -> None:
    first, *_ = annotations(DOCUMENTS["undecided"])
    assert first.startswith("::error title=conformance::No verdict on most rules")


def test_a_clean_run_says_nothing(clean: dict[str, Any]) -> None:
    assert list(annotations(clean)) == []


@pytest.mark.parametrize(
    "forged", ["x\n::error::forged", "x\r\n##[error]forged", "::warning::forged", "%0A::error::x"]
)
def test_what_a_target_says_begins_no_command(deviating: dict[str, Any], forged: str) -> None:
    document = copy.deepcopy(deviating)
    for finding in document["findings"]:
        finding["summary"] = finding["expected"] = finding["observed"] = forged
    for line in annotations(document):
        name, title, rest = line.partition("::")[2].partition("::")
        assert name.partition(" ")[0] in ("error", "warning", "notice")
        assert "forged" not in name
        assert not {"\r", "\n"} & set(title + rest)


def test_a_command_is_escaped_as_the_runner_reads_it() -> None:
    assert command("error", "a:b,c%", "50%\r\n") == "::error title=a%3Ab%2Cc%25::50%25%0D%0A"
