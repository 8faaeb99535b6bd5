import ast
import inspect
import sys
from pathlib import Path

import hypothesis.strategies
import pytest

import conformance_strategies

MODULES = list(Path(conformance_strategies.__file__).parent.glob("*.py"))


def test_the_public_names_are_those_listed() -> None:
    public = {name for name, value in vars(conformance_strategies).items() if not name.startswith(("_", "@"))}
    modules = {path.stem for path in MODULES}
    assert public - modules | {"durations", "forms", "sids"} & public == set(conformance_strategies.__all__)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_nothing_but_hypothesis_and_the_standard_library_is_imported(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "hypothesis", "conformance_strategies"}
    if path.name == "hooks.py":  # schemathesis loads it, and nothing else does
        allowed.add("schemathesis")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.module.partition(".")[0] in allowed


@pytest.mark.parametrize(
    "name",
    ["durations", "durations_near", "forms", "invalid_durations", "invalid_sids", "sids", "wire_forms"],
)
def test_strategies_follow_the_style_of_hypothesis(name: str) -> None:
    """Functions with plural names and keyword-only options, documented, that return a strategy."""
    function = getattr(conformance_strategies, name)
    optional = [
        each for each in inspect.signature(function).parameters.values() if each.default is not each.empty
    ]
    assert all(each.kind is each.KEYWORD_ONLY for each in optional)
    assert function.__doc__.startswith("Generates ")
    assert "Raises:" in function.__doc__
    required = {"sids": ("IS",), "invalid_sids": ("IS",), "durations_near": (60,)}.get(name, ())
    options = {"side": "at"} if name == "durations_near" else {}
    assert isinstance(function(*required, **options), hypothesis.strategies.SearchStrategy)


def test_nothing_is_filtered() -> None:
    """No strategy of the package rejects what it has drawn."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("filter", "from_regex", "assume")
