"""The vendor's document against ours: what changed in words, and whether a rule rests on it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.contract import load
from conformance.exceptions import ConfigurationError
from conformance.fidelity.contract_drift import Change, drift
from conformance.http import PATH
from conformance.model import CLOSED, Aspect
from conformance.rules import BY_ID, CATALOGUE

Document = dict[str, Any]
NOTHING: Document = {"schema": {"properties": {}}}


@pytest.fixture
def vendor() -> Document:
    """Our document in the dialect of the vendor: OpenAPI 3.0, with its null, its wording and one schema in place."""
    document: Document = copy.deepcopy(load("openapi.json"))
    document["openapi"] = "3.0.1"
    document["info"]["description"] = "Another wording."
    schemas = document["components"]["schemas"]
    for member in schemas["Configuration"]["properties"].values():
        member.update(type=member["type"][0], nullable=True)
        member.pop("description", None)
    form = schemas.pop("UpdateConfigurationRequest")
    form["properties"]["DefaultClosedTimer"]["description"] = "Minimum value for this timer is 10 minutes."
    document["paths"][PATH]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"][
        "schema"
    ] = form
    for method in ("get", "post"):
        responses = document["paths"][PATH][method]["responses"]
        document["paths"][PATH][method]["responses"] = {"200": responses["200"]}
    return document


def post(document: Document) -> Document:
    made: Document = document["paths"][PATH]["post"]
    return made


def parameters(document: Document) -> Document:
    content = post(document)["requestBody"]["content"]["application/x-www-form-urlencoded"]
    made: Document = content["schema"]["properties"]
    return made


def attributes(document: Document) -> Document:
    made: Document = document["components"]["schemas"]["Configuration"]["properties"]
    return made


def changes(document: Document) -> list[Change]:
    return drift(load("openapi.json"), document, CATALOGUE)


def test_another_dialect_and_other_words_are_no_change(vendor: Document) -> None:
    assert changes(vendor) == []


@pytest.mark.parametrize(
    ("edit", "sentence", "aspect"),
    [
        (
            lambda doc: parameters(doc)["DefaultClosedTimer"].update(description="At least 5 minutes."),
            "parameter DefaultClosedTimer: stated minimum is 5 minutes; it was 10 minutes",
            Aspect.CONTENT,
        ),
        (
            lambda doc: parameters(doc)["DefaultChatServiceSid"].update(pattern="^CH[0-9a-f]{32}$"),
            "parameter DefaultChatServiceSid: pattern is ^CH[0-9a-f]{32}$; it was ^IS[0-9a-fA-F]{32}$",
            Aspect.SYNTAX,
        ),
        (
            lambda doc: parameters(doc)["DefaultMessagingServiceSid"].pop("maxLength"),
            "parameter DefaultMessagingServiceSid: maxLength is gone; it was 34",
            Aspect.SYNTAX,
        ),
        (
            lambda doc: post(doc)["requestBody"].update(required=True),
            "body: required is true; it was false",
            Aspect.ACCEPTANCE,
        ),
        (
            lambda doc: attributes(doc)["url"].pop("nullable"),
            "attribute url: null is gone; it was allowed",
            Aspect.REPRESENTATION,
        ),
        (
            lambda doc: post(doc).update(security=[]),
            "security http basic is gone; it was accepted",
            Aspect.CREDENTIALS,
        ),
        (
            lambda doc: post(doc)["responses"].update({"202": post(doc)["responses"].pop("200")}),
            "status 200 is gone",
            Aspect.STATUS,
        ),
        (
            lambda doc: doc["components"]["headers"]["Access-Control-Allow-Origin"]["schema"].update(
                type="integer"
            ),
            "header Access-Control-Allow-Origin: type is integer; it was string",
            Aspect.REPRESENTATION,
        ),
        (
            lambda doc: post(doc)["requestBody"]["content"].update(
                {"application/json": {"schema": {"properties": {}}}}
            ),
            "media type application/json: of a request is new: accepted",
            Aspect.METHOD,
        ),
    ],
    ids=["minimum", "pattern", "length", "body", "attribute", "security", "status", "header", "media-type"],
)
def test_a_change_is_said_in_words_with_the_rules_that_rest_on_it(
    vendor: Document, edit: Callable[[Document], None], sentence: str, aspect: Aspect
) -> None:
    edit(vendor)
    found = {each.sentence: each for each in changes(vendor)}
    assert sentence in found
    rules = [BY_ID[each] for each in found[sentence].rules]
    assert aspect in {rule.aspect for rule in rules}


def test_the_rules_under_a_parameter_are_those_about_its_setting(vendor: Document) -> None:
    del parameters(vendor)["DefaultClosedTimer"]
    gone, *_ = changes(vendor)
    assert gone.sentence == "parameter DefaultClosedTimer is gone"
    assert {BY_ID[each].field for each in gone.rules} == {CLOSED}


def test_no_rule_rests_on_what_is_new(vendor: Document) -> None:
    parameters(vendor)["DefaultPauseTimer"] = {"type": "string"}
    assert [(each.sentence, each.rules) for each in changes(vendor)] == [
        ("parameter DefaultPauseTimer is new", ()),
    ]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"paths": {PATH: {"get": {}}}},
        {"paths": {PATH: {"post": {"requestBody": {"$ref": "#/a"}}}}, "a": 1},
    ],
    ids=str,
)
def test_what_describes_no_update_is_refused(document: Any) -> None:
    with pytest.raises(ConfigurationError, match="no OpenAPI document with POST /v1/Configuration"):
        changes(document)


def test_the_command_ends_with_1_only_where_a_rule_rests_on_a_change(
    tmp_path: Path, vendor: Document
) -> None:
    file = tmp_path / "vendor.json"

    def run() -> tuple[int, str]:
        file.write_text(json.dumps(vendor), encoding="utf-8")
        done = CliRunner().invoke(main, ["contract", "diff", str(file)])
        return done.exit_code, done.output

    assert run() == (0, "nothing changed\n")
    parameters(vendor)["DefaultPauseTimer"] = {"type": "string"}
    status, output = run()
    assert (status, output.splitlines()[-1]) == (0, "1 change, 0 of them under a rule")
    del parameters(vendor)["DefaultClosedTimer"]
    assert run()[0] == 1


@pytest.mark.parametrize("text", ["", "[", "ftp://localhost/a.json", "http://127.0.0.1:1/a.json"])
def test_what_cannot_be_read_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "vendor.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["contract", "diff", text if "//" in text else str(file)])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("conformance: cannot read ")
