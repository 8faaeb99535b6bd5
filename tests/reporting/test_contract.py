"""The contract's documents are found, and the result's schema is itself sound."""

import pytest
from jsonschema import Draft202012Validator

from conformance.contract import load


def test_the_result_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(load("result.schema.json"))


def test_a_document_is_read_once() -> None:
    assert load("result.schema.json") is load("result.schema.json")


def test_an_unknown_document_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        load("no-such.json")
