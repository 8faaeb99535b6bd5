"""Reads result documents, and checks their version and their form."""

import json
import math
from pathlib import Path
from typing import Any

from conformance.contract import error_in
from conformance.exceptions import ReportError
from conformance.http import refuse_constant

SCHEMA_VERSION = 1


def validate(document: Any) -> None:
    """
    Check a document against `schemas/result.schema.json`.

    Raises:
        ReportError: It is not a result document; the message names the first member that is wrong.
    """
    error = error_in(document, "result.schema.json")
    if error is not None:
        raise ReportError(f"not a result document: {error.json_path}: {error.message[:200]!r}")
    unknown = {each["rule"] for each in document["findings"]} - {each["id"] for each in document["rules"]}
    if unknown:
        names = str(sorted(unknown))[:200]
        raise ReportError(f"not a result document: findings of rules it does not have: {names}")


def parsed(text: str) -> Any:
    """
    Parse a JSON text strictly: Python alone would also take NaN, and numbers that no float holds.

    Raises:
        ValueError: It is no JSON text.
        RecursionError: It is nested too deep.
    """
    return json.loads(text, parse_constant=refuse_constant, parse_float=_finite)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is beyond what a number holds")
    return number


def load(path: Path) -> dict[str, Any]:
    """
    Return the result document in a file, or in the `result.json` of a directory.

    Raises:
        ReportError: The file cannot be read, is not JSON, is not a result document, or is one of a later version.
    """
    document = _json_in(path / "result.json" if path.is_dir() else path)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise ReportError(
            f"{path} is of version {version}, and this conformance reads up to version {SCHEMA_VERSION}: "
            "install a later one"
        )
    try:
        validate(document)
    except ReportError as error:
        raise ReportError(f"{path} is {error}") from error
    found: dict[str, Any] = document
    return found


def comparison_in(path: Path) -> dict[str, Any] | None:
    """
    Return the comparison in a file; None where there is no file.

    Raises:
        ReportError: The file cannot be read, is not JSON, or is not a comparison.
    """
    if not path.exists():
        return None
    document = _json_in(path)
    error = error_in(document, "comparison.schema.json")
    if error is not None:
        raise ReportError(f"{path} is not a comparison: {error.json_path}: {error.message[:200]!r}")
    found: dict[str, Any] = document
    return found


def _json_in(path: Path) -> Any:
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is not JSON: {error}") from error
