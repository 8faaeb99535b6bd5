"""Reads result documents: checks their version and their form, and brings old ones up to date."""

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.contract import load as load_schema
from conformance.exceptions import ReportError

SCHEMA_VERSION = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns a document of one version into the next version; the caller sets `schema_version`."""

MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})
"""By the version that each starts from; one for every version before `SCHEMA_VERSION`."""


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema("result.schema.json"))


def validate(document: Any) -> None:
    """
    Checks a document against `schemas/result.schema.json`.

    Raises:
        ReportError: it is not a result document; the message names the first member that is wrong.
    """
    error = best_match(_validator().iter_errors(document))
    if error is not None:
        raise ReportError(f"not a result document: {error.json_path}: {error.message[:200]!r}")
    unknown = {each["rule"] for each in document["findings"]} - {each["id"] for each in document["rules"]}
    if unknown:
        names = str(sorted(unknown))[:200]
        raise ReportError(f"not a result document: findings of rules it does not have: {names}")


def migrate(
    document: Any, migrations: Mapping[int, Migration] = MIGRATIONS, current: int = SCHEMA_VERSION
) -> Any:
    """
    The document in the current version of its format; anything but a result document is returned as it is.

    Args:
        document: as it was read.
        migrations: from each version to the next.
        current: the version to arrive at.

    Raises:
        ReportError: it is of a version that is later than the current one.
    """
    while isinstance(document, dict) and type(version := document.get("schema_version")) is int:
        if version > current:
            raise ReportError(
                f"of version {version}, and this conformance reads up to version {current}: install a later one"
            )
        if version not in migrations or version == current:
            break
        document = {**migrations[version](document), "schema_version": version + 1}
    return document


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is beyond what a number holds")
    return number


def load(path: Path) -> dict[str, Any]:
    """
    The result document in a file, or in the `result.json` of a directory, in the current version of its format.

    Raises:
        ReportError: the file cannot be read, is not JSON, or is not a result document.
    """
    if path.is_dir():
        path = path / "result.json"
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not JSON: {error}") from error
    try:
        current: dict[str, Any] = migrate(document)
        validate(current)
    except ReportError as error:
        raise ReportError(f"{path} is {error}") from error
    return current
