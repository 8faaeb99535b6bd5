"""
What is installed: the version of the suite and of other packages, and the JSON documents of `schemas/`.

The documents are the OpenAPI document, and the JSON Schemas that files are checked against.
"""

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # its import costs more than this module, and `load` does without
    from jsonschema import Draft202012Validator, ValidationError

SUITE = "twilio-configuration-conformance"
"""The name of the suite's distribution."""


@cache
def version_of(package: str) -> str:
    """Return the version of an installed package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def load(name: str) -> Any:
    """
    Return the parsed document of a name, such as `result.schema.json`. All callers get the same: none may change it.

    Raises:
        FileNotFoundError: The suite ships no such document.
    """
    bundled = files("conformance") / "schemas" / name
    # A wheel carries the folder inside the package; a checkout has it beside the package.
    source = bundled if bundled.is_file() else Path(__file__).parents[1] / "schemas" / name
    return json.loads(source.read_text(encoding="utf-8"))


@cache
def _validator(schema: str, part: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    whole = load(schema)
    return Draft202012Validator(
        {**whole, "$ref": f"#/$defs/{part}"} if part else whole,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def error_in(document: Any, schema: str, part: str = "") -> "ValidationError | None":
    """
    Return the error that tells best why a parsed document is not as a schema describes it; None where it is.

    `part` names the definition in the file that describes the document; it is empty for the whole schema.
    """
    from jsonschema.exceptions import best_match

    error: ValidationError | None = best_match(_validator(schema, part).iter_errors(document))
    return error
