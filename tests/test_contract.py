"""The contract as data says what the vendor publishes, and nothing that the vendor does not."""

import copy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.contract import SUITE, load, version_of
from conformance.http import PATH
from conformance.model import EXAMPLE, FIELDS

# The published facts, as of April 2026: the resource's page of twilio.com/docs/conversations, and
# spec/json/twilio_conversations_v1.json of github.com/twilio/twilio-oai.

OPERATIONS = {"get": "FetchConfiguration", "post": "UpdateConfiguration"}

PARAMETERS: dict[str, dict[str, Any]] = {
    "DefaultChatServiceSid": {"minLength": 34, "maxLength": 34, "pattern": "^IS[0-9a-fA-F]{32}$"},
    "DefaultMessagingServiceSid": {"minLength": 34, "maxLength": 34, "pattern": "^MG[0-9a-fA-F]{32}$"},
    "DefaultInactiveTimer": {},
    "DefaultClosedTimer": {},
}

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "account_sid": {"minLength": 34, "maxLength": 34, "pattern": "^AC[0-9a-fA-F]{32}$"},
    "default_chat_service_sid": {"minLength": 34, "maxLength": 34, "pattern": "^IS[0-9a-fA-F]{32}$"},
    "default_messaging_service_sid": {"minLength": 34, "maxLength": 34, "pattern": "^MG[0-9a-fA-F]{32}$"},
    "default_inactive_timer": {},
    "default_closed_timer": {},
    "url": {"format": "uri"},
    "links": {},
}

HEADERS = {
    "Access-Control-Allow-Origin": "string",
    "Access-Control-Allow-Methods": "string",
    "Access-Control-Allow-Headers": "string",
    "Access-Control-Allow-Credentials": "boolean",
    "Access-Control-Expose-Headers": "string",
}

EXAMPLE_RESPONSE = {
    "account_sid": "AC" + "a" * 32,
    "default_chat_service_sid": "IS" + "a" * 32,
    "default_messaging_service_sid": "MG" + "a" * 32,
    "default_inactive_timer": "PT1M",
    "default_closed_timer": "PT10M",
    "url": "https://conversations.twilio.com/v1/Configuration",
    "links": {
        "service": f"https://conversations.twilio.com/v1/Services/IS{'a' * 32}/Configuration",
        "webhooks": "https://conversations.twilio.com/v1/Configuration/Webhooks",
    },
}

SCHEMAS = ("response.schema.json", "error.schema.json")
PROSE = {"title", "description", "$schema", "$comment", "examples"}


def resolved(node: Any) -> Any:
    """A part of the OpenAPI document with every reference replaced by what it refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            found = load("openapi.json")
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            return resolved(found)
        return {name: resolved(value) for name, value in node.items()}
    return [resolved(each) for each in node] if isinstance(node, list) else node


def facts(schema: dict[str, Any], *but: str) -> dict[str, Any]:
    """The assertions of a schema, without its prose."""
    return {name: value for name, value in schema.items() if name not in PROSE and name not in but}


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert (bool(version_of(SUITE)), version_of("no-such-package-as-this")) == (True, "")


@pytest.fixture
def operations() -> dict[str, Any]:
    """The operations of the resource, references resolved."""
    paths = load("openapi.json")["paths"]
    assert list(paths) == [PATH]
    return {name: resolved(operation) for name, operation in paths[PATH].items()}


class TestOpenAPI:
    """`schemas/openapi.json` holds the published facts."""

    @pytest.mark.slow
    def test_it_is_a_valid_openapi_3_1_document(self) -> None:
        from openapi_spec_validator import validate  # its import makes the test slow

        document = load("openapi.json")
        validate(copy.deepcopy(document))
        assert document["openapi"].startswith("3.1.")

    def test_it_has_the_published_operations(self, operations: dict[str, Any]) -> None:
        assert {name: operation["operationId"] for name, operation in operations.items()} == OPERATIONS

    def test_it_has_the_published_server_and_security(self) -> None:
        document = load("openapi.json")
        (requirement,) = document["security"]
        ((name, scopes),) = requirement.items()
        scheme = document["components"]["securitySchemes"][name]
        assert (scheme["type"], scheme["scheme"], scopes) == ("http", "basic", [])
        assert [server["url"] for server in document["servers"]] == ["https://conversations.twilio.com"]

    def test_the_body_is_an_optional_form_of_the_published_parameters(
        self, operations: dict[str, Any]
    ) -> None:
        body = operations["post"]["requestBody"]
        assert body["required"] is False
        assert list(body["content"]) == ["application/x-www-form-urlencoded"]
        schema = body["content"]["application/x-www-form-urlencoded"]["schema"]
        assert facts(schema, "properties") == {"type": "object"}
        expected = {name: {"type": "string", **rest} for name, rest in PARAMETERS.items()}
        assert {name: facts(value) for name, value in schema["properties"].items()} == expected
        assert "requestBody" not in operations["get"]

    def test_the_documented_example_is_the_example_request(self, operations: dict[str, Any]) -> None:
        content = operations["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
        (example,) = content["examples"].values()
        assert list(example["value"].items()) == list(EXAMPLE.items())
        Draft202012Validator(content["schema"]).validate(example["value"])

    @pytest.mark.parametrize("method", OPERATIONS)
    def test_200_is_json_with_the_published_attributes(self, operations: dict[str, Any], method: str) -> None:
        content = operations[method]["responses"]["200"]["content"]
        assert list(content) == ["application/json"]
        schema = content["application/json"]["schema"]
        assert facts(schema, "properties") == {"type": "object"}
        expected = {
            name: {"type": ["object" if name == "links" else "string", "null"], **rest}
            for name, rest in ATTRIBUTES.items()
        }
        assert {name: facts(value) for name, value in schema["properties"].items()} == expected

    @pytest.mark.parametrize("method", OPERATIONS)
    def test_200_has_the_published_headers(self, operations: dict[str, Any], method: str) -> None:
        headers = operations[method]["responses"]["200"]["headers"]
        assert {name: header["schema"]["type"] for name, header in headers.items()} == HEADERS
        assert not any(header.get("required") for header in headers.values())

    @pytest.mark.parametrize("method", OPERATIONS)
    def test_every_other_answer_is_an_error(self, operations: dict[str, Any], method: str) -> None:
        responses = operations[method]["responses"]
        assert set(responses) == {"200", "401", "429", "default"}
        schemas = [
            responses[status]["content"]["application/json"]["schema"] for status in ("401", "429", "default")
        ]
        assert [facts(schema) for schema in schemas] == [facts(resolved(load("error.schema.json")))] * 3
        assert set(responses["401"]["headers"]) == {"WWW-Authenticate"}
        assert set(responses["429"]["headers"]) == {"Retry-After"}

    def test_its_schemas_are_those_that_stand_alone(self) -> None:
        components = load("openapi.json")["components"]["schemas"]
        assert facts(components["Configuration"]) == facts(load("response.schema.json"))
        assert facts(components["Error"]) == facts(load("error.schema.json"))


class TestModel:
    """The nouns of the suite are those of the contract."""

    def test_each_field_is_a_parameter_and_an_attribute(self) -> None:
        assert {field.parameter for field in FIELDS} == set(PARAMETERS)
        assert {field.attribute for field in FIELDS} == set(ATTRIBUTES) - {"account_sid", "url", "links"}

    @pytest.mark.parametrize("field", [field for field in FIELDS if field.kind == "sid"])
    def test_a_sid_has_the_published_prefix(self, field: Any) -> None:
        assert PARAMETERS[field.parameter]["pattern"] == f"^{field.prefix}[0-9a-fA-F]{{32}}$"


@pytest.mark.parametrize("name", SCHEMAS)
class TestSchemas:
    """The JSON Schemas are sound, and so are their examples."""

    def test_it_is_a_valid_schema(self, name: str) -> None:
        schema = load(name)
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]

    def test_its_examples_are_valid(self, name: str) -> None:
        schema = load(name)
        assert schema["examples"]
        for example in schema["examples"]:
            Draft202012Validator(schema).validate(example)


class TestResponseSchema:
    """`response.schema.json` takes every representation that the document allows, and no other."""

    def valid(self, document: object) -> bool:
        return bool(Draft202012Validator(load("response.schema.json")).is_valid(document))

    def test_the_documented_example_is_its_example(self) -> None:
        assert load("response.schema.json")["examples"] == [EXAMPLE_RESPONSE]

    @pytest.mark.parametrize("name", EXAMPLE_RESPONSE)
    def test_each_attribute_may_be_null_or_absent(self, name: str) -> None:
        assert self.valid(EXAMPLE_RESPONSE | {name: None})
        assert self.valid({key: value for key, value in EXAMPLE_RESPONSE.items() if key != name})

    @pytest.mark.parametrize("name", EXAMPLE_RESPONSE)
    @pytest.mark.parametrize("value", [1, True, ["PT1M"]])
    def test_no_attribute_may_be_of_another_type(self, name: str, value: object) -> None:
        assert not self.valid(EXAMPLE_RESPONSE | {name: value})

    @pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name.endswith("_sid")])
    def test_a_sid_matches_from_end_to_end(self, name: str) -> None:
        sid = str(EXAMPLE_RESPONSE[name])
        assert self.valid({name: sid[:2] + "0123456789abcdefABCDEF0123456789"})
        for wrong in (sid + "\n", sid[:-1] + "\n", sid[:-1], sid + "a", "XX" + sid[2:], sid[:-1] + "g", ""):
            assert not self.valid({name: wrong})

    @pytest.mark.parametrize("value", ["P1W", "PT60S", "PT0S", "banana"])
    def test_what_a_timer_may_say_is_not_for_a_schema_to_judge(self, value: str) -> None:
        assert self.valid({"default_inactive_timer": value, "default_closed_timer": value})

    @pytest.mark.parametrize("document", [None, [], "x", 1])
    def test_a_representation_is_an_object(self, document: object) -> None:
        assert not self.valid(document)

    def test_more_attributes_may_be_added(self) -> None:
        assert self.valid(EXAMPLE_RESPONSE | {"date_updated": 1})


class TestErrorSchema:
    """`error.schema.json` is the vendor's convention: message and status, and more when there is more."""

    @pytest.mark.parametrize(
        ("change", "valid"),
        [
            ({}, True),
            ({"code": None, "more_info": None}, True),
            ({"details": {"a": 1}, "other": 1}, True),
            ({"code": "50375"}, False),
            ({"code": 50375.5}, False),
            ({"status": "400"}, False),
            ({"status": 200}, False),
            ({"message": None}, False),
            ({"more_info": 1}, False),
            ({"details": []}, False),
        ],
    )
    def test_types(self, change: dict[str, object], valid: bool) -> None:
        schema = load("error.schema.json")
        assert Draft202012Validator(schema).is_valid(schema["examples"][0] | change) is valid

    @pytest.mark.parametrize("name", ["message", "status"])
    def test_message_and_status_are_always_there(self, name: str) -> None:
        schema = load("error.schema.json")
        body = {key: value for key, value in schema["examples"][0].items() if key != name}
        assert not Draft202012Validator(schema).is_valid(body)
