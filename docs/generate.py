"""
Writes what follows from the code: rules.md, command-line.md, the totals in pages, and the kept rows of manners.

`python docs/generate.py` writes them. With `--check` it writes nothing, names the files that are out of date, and
fails if there is one.
"""

import json
import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from conformance.api import select
from conformance.cli import main
from conformance.harness import covering
from conformance.model import Level
from conformance.rules import CATALOGUE
from conformance.rules.manners import DESIGNS, PLAIN, Carrier

_DOCS = Path(__file__).parent
_LEAD = "<!-- Written by docs/generate.py; change the code instead. -->"
_COUNT = {level: sum(rule.level is level for rule in CATALOGUE) for level in Level}


def rules() -> Iterator[str]:
    """The page of the rules, line by line."""
    yield f"# Rules\n\n{_LEAD}\n"
    yield f"{_COUNT[Level.MUST]} MUST rules and {_COUNT[Level.SHOULD]} SHOULD rules, in the order of the reports."
    yield "`conformance explain ID` shows one rule with an example request. [Levels](explanation.md#levels) says what"
    yield "MUST and SHOULD mean here."
    for group in dict.fromkeys(rule.group for rule in CATALOGUE):
        yield f"\n## {group}"
        for rule in (each for each in CATALOGUE if each.group == group):
            yield f"\n### {rule.id}\n\n**{rule.level.upper()}.** {rule.statement}\n\nSource: {rule.source}\n"
            yield from (f"* `{cls.id}`: {cls.reason}" for cls in rule.classes)


def command_line() -> Iterator[str]:
    """The page of the commands, line by line."""
    yield f"# Command line\n\n{_LEAD}\n"
    yield "`conformance --help` lists the commands. A shell completes them once it has read what this prints;"
    yield "`zsh_source` and `fish_source` are for other shells:"
    yield '\n```sh\neval "$(_CONFORMANCE_COMPLETE=bash_source conformance)"\n```'
    yield from _commands(main, "conformance")


def _commands(group: click.Group, prefix: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}")
            continue
        arguments = (each for each in command.params if isinstance(each, click.Argument))
        names = "".join(f" {_value(each)}" for each in arguments)
        yield f"\n## {prefix} {name}{names}\n\n{cleandoc(command.help or '')}\n"
        options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
        if options:
            yield "| option | |\n|---|---|"
        for option in options:
            value = "" if option.is_flag else f" {_value(option)}"
            row = (f"`{', '.join(option.opts)}{value}`", option.help or "")
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _value(parameter: click.Parameter) -> str:
    return parameter.metavar or (parameter.name or "").upper()


def rows_of_manners() -> str:
    """The file of covering arrays; the rows of a design that has not changed stay."""
    kept = covering.kept()
    content = {
        str(carrier): kept[carrier]
        if kept[carrier]["design"] == covering.digest(design)
        else _covering(carrier)
        for carrier, design in DESIGNS.items()
    }
    return json.dumps(content, indent=0) + "\n"


def _covering(carrier: Carrier) -> dict[str, Any]:
    """The covering arrays of a design. Of triples a simpler search finds an eighth more rows, in half the time."""
    from covertable import criteria, make

    design = DESIGNS[carrier]
    names = list(design.factors)
    factors = {name: list(values) for name, values in design.factors.items()}
    constraints = [
        {
            "operator": "or",
            "conditions": [
                {
                    "operator": "not",
                    "condition": {"operator": "in", "left": each.dimension, "values": list(each.values)},
                },
                {"operator": "eq", "left": each.other, "value": PLAIN},
            ],
        }
        for each in design.constraints
    ]
    found: dict[str, Any] = {"design": covering.digest(design)}
    for strength, criterion in ((2, criteria.greedy), (3, criteria.simple)):
        made = make(factors, strength=strength, criterion=criterion, constraints=constraints)
        found[str(strength)] = [
            "".join(
                covering.PLACES[names.index(name)] + covering.PLACES[factors[name].index(value)]
                for name, value in row.items()
            )
            for row in made
        ]
    return found


def totals(text: str) -> str:
    """A page in which the numbers of rules that hold, are broken and are undecided add up to those of a plain run."""

    def counted(found: re.Match[str]) -> str:
        level = Level(found[1].lower())
        hold = sum(rule.level is level for rule in select(())) - int(found[2]) - int(found[3])
        return f"{found[1]} {hold} hold, {found[2]} broken, {found[3]} undecided"

    return re.sub(r"(MUST|SHOULD) \d+ hold, (\d+) broken, (\d+) undecided", counted, text)


def pages() -> dict[Path, str]:
    """The text of every page that is written here, by its file."""
    written = {_DOCS / "rules.md": rules(), _DOCS / "command-line.md": command_line()}
    counted = (_DOCS.parent / "README.md", _DOCS / "reports.md")
    rows = Path(covering.__file__).with_name(covering.FILE)
    return {
        **{path: "\n".join(lines) + "\n" for path, lines in written.items()},
        **{path: totals(path.read_text(encoding="utf-8")) for path in counted},
        rows: rows_of_manners(),
    }


if __name__ == "__main__":
    stale = []
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/generate.py")
