"""What is made for other programs is as their published schemas have it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator, Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

from conformance.contract import load
from conformance.http import ByHand
from conformance.reporting import badge, ctrf, har, junit

from .samples import REPORTS

_SCHEMAS = Path(__file__).with_name("schemas")


def _schema(name: str) -> Any:
    return json.loads((_SCHEMAS / name).read_text(encoding="utf-8"))


def test_ctrf_is_valid(document: dict[str, Any]) -> None:
    errors = Draft7Validator(_schema("ctrf.schema.json")).iter_errors(json.loads(ctrf.render(document)))

    assert [error.message for error in errors] == []


def _har_errors(archive: Any) -> list[str]:
    schemas = {path.name: _schema(f"har/{path.name}") for path in (_SCHEMAS / "har").glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema, DRAFT6)) for name, schema in schemas.items()
    )
    validator = Draft6Validator(schemas["har.json"], registry=registry)
    return [error.message for error in validator.iter_errors(archive)]


def test_har_is_valid(document: dict[str, Any]) -> None:
    assert _har_errors(json.loads(har.render(document))) == []


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_har_of_a_run_is_valid(tmp_path: Path, name: str) -> None:
    file = io.BytesIO()
    with har.Archive(tmp_path, target=REPORTS[name].target) as archive:
        for outcome in REPORTS[name].outcomes:
            for finding in outcome.findings:
                for exchange in finding.exchanges:
                    archive.add(exchange)
        archive.copy(file)

    assert _har_errors(json.loads(file.getvalue())) == []


@pytest.fixture(scope="module")
def junit_schema() -> Any:
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed")
    return xmlschema.XMLSchema(_SCHEMAS / "junit-10.xsd")


def test_junit_is_valid(document: dict[str, Any], junit_schema: Any) -> None:
    assert [
        error.reason for error in junit_schema.iter_errors(junit.render(document).split("\n", 1)[1])
    ] == []


def test_the_badge_has_the_members_that_shields_demands_and_no_others(document: dict[str, Any]) -> None:
    content = json.loads(badge.render(document))

    assert {"schemaVersion", "label", "message"} <= content.keys()
    assert content.keys() <= {"schemaVersion", "label", "message", "color", "isError"}
    assert content["schemaVersion"] == 1 and content["message"]


@pytest.mark.parametrize("name", ["known-deviations", "recording", "result"])
def test_every_way_to_write_by_hand_is_in_the_schemas(name: str) -> None:
    schema = load(f"{name}.schema.json")
    definitions = [each for each in schema["$defs"].values() if "by_hand" in each.get("properties", {})]
    assert [set(each["properties"]["by_hand"]["enum"]) for each in definitions] == [set(ByHand)]
