"""The contract as data: reads the JSON documents of `schemas/`, wherever they are installed."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any


@cache
def load(name: str) -> Any:
    """
    The parsed JSON document of that name; every caller gets the same object and leaves it as it is.

    Args:
        name: the file's name, such as `result.schema.json`.

    Raises:
        FileNotFoundError: no such document is shipped.
    """
    bundled = files("conformance") / "schemas" / name
    # A wheel carries the folder inside the package; a checkout has it beside the package.
    source = bundled if bundled.is_file() else Path(__file__).parents[1] / "schemas" / name
    return json.loads(source.read_text(encoding="utf-8"))
