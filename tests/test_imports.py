"""Imports run one way; the rooms that must be able to disagree share nothing."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import conformance
import conformance_strategies

ORDER = (
    # values, and what needs nothing of ours
    "exceptions",
    "http",
    "model",
    "contract",
    "strategies",
    "emulator",
    # judgement, without I/O
    "oracle",
    "rules",
    "attribution",
    # the way to the network
    "transport",
    "safety",
    # what is made of a run
    "reporting",
    # a run
    "settings",
    "harness",
    "explore",
    # fronts
    "api",
    "testing",
    "fidelity",
    "commands",
    "cli",
    "__main__",
    "pytest_results",
    "pytest_plugin",
    "conformance",
)
"""A room, which is a module or a package of `conformance`, imports only rooms before it."""

CONFINED = {
    "exceptions": set(),
    "http": {"exceptions"},
    "model": {"exceptions", "http"},
    "contract": set(),
    "strategies": set(),
    "emulator": set(),
    "oracle": {"exceptions", "http", "model"},
    "attribution": {"exceptions", "http", "model", "oracle", "rules"},
    "reporting": {"attribution", "contract", "exceptions", "http", "model"},
}
"""What these rooms may import at most: generator, judge and emulator know nothing of each other."""

FRONTS = {"cli", "commands", "testing"}
"""The rooms that may import the emulator; the others start it as a process."""


def _modules() -> dict[str, Path]:
    found = {}
    for package in (conformance, conformance_strategies):
        root = Path(package.__file__ or "").parent
        for path in root.rglob("*.py"):
            parts = (root.name, *path.relative_to(root).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of every import, wherever it stands, unless it is for type checkers alone."""
    if isinstance(tree, ast.If) and isinstance(tree.test, ast.Name) and tree.test.id == "TYPE_CHECKING":
        return
    if isinstance(tree, ast.Import):
        yield from ((alias.name, "") for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        assert tree.module is not None
        assert tree.level == 0, "imports are absolute"
        yield from ((tree.module, alias.name) for alias in tree.names)
    for child in ast.iter_child_nodes(tree):
        # No expression has an import in it.
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _imported(child)


MODULES = _modules()


@cache
def _needed(name: str) -> set[str]:
    return {
        full
        for module, member in _imported(ast.parse(MODULES[name].read_text(encoding="utf-8")))
        for full in [f"{module}.{member}" if f"{module}.{member}" in MODULES else module]
        if full in MODULES and full != name
    }


def _room(module: str) -> str:
    package, _, rest = module.partition(".")
    return "strategies" if package == "conformance_strategies" else rest.partition(".")[0] or package


ROOMS = sorted({_room(module) for module in MODULES})


def _needs(room: str) -> set[str]:
    needed = {_room(each) for name in MODULES if _room(name) == room for each in _needed(name)}
    return needed - {room}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    assert room in ORDER, "a new room: say where it stands"
    assert _needs(room) <= set(ORDER[: ORDER.index(room)])


@pytest.mark.parametrize("room", CONFINED)
def test_confined_rooms_import_what_they_may(room: str) -> None:
    assert _needs(room) <= CONFINED[room]


def test_only_fronts_import_the_emulator() -> None:
    assert {room for room in ROOMS if "emulator" in _needs(room)} <= FRONTS


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = list(
        TopologicalSorter({name: _needed(name) for name in MODULES}).static_order()
    )  # raises CycleError
    assert sorted(order) == sorted(MODULES)


def test_every_import_is_seen() -> None:
    """The graph is not empty by mistake."""
    assert {"conformance.harness.executor", "conformance.reporting"} <= _needed("conformance.api")
    assert "conformance_strategies" in {each.partition(".")[0] for each in _needed("conformance.rules.sids")}
