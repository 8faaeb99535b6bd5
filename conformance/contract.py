"""Reads the JSON documents of `schemas/`: the OpenAPI document and the JSON Schemas that the suite ships."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any


@cache
def load(name: str) -> Any:
    """
    Return the parsed document of that name. Every caller gets the same object, so no caller may change it.

    Args:
        name: The file's name, such as `result.schema.json`.

    Raises:
        FileNotFoundError: The suite ships no such document.
    """
    bundled = files("conformance") / "schemas" / name
    # A wheel carries the folder inside the package; a checkout has it beside the package.
    source = bundled if bundled.is_file() else Path(__file__).parents[1] / "schemas" / name
    return json.loads(source.read_text(encoding="utf-8"))
