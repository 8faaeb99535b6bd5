"""
Writes the pages of the reference that follow from the code: rules.md and command-line.md.

`python docs/generate.py` writes them; with `--check` it says which are out of date, and fails.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from conformance.cli import main
from conformance.model import Level
from conformance.rules import CATALOGUE

_LEAD = "<!-- Written by docs/generate.py; change the code instead. -->"


def rules() -> Iterator[str]:
    """The page of the rules, line by line."""
    count = {level: sum(rule.level is level for rule in CATALOGUE) for level in Level}
    yield f"# Rules\n\n{_LEAD}\n"
    yield f"{count[Level.MUST]} MUST rules and {count[Level.SHOULD]} SHOULD rules, in the order in which they are told."
    yield "`conformance explain ID` shows one with an example request; what the levels mean:"
    yield "[levels](explanation.md#levels)."
    for group in dict.fromkeys(rule.group for rule in CATALOGUE):
        yield f"\n## {group}"
        for rule in (each for each in CATALOGUE if each.group == group):
            yield f"\n### {rule.id}\n\n**{rule.level.upper()}.** {rule.statement}\n\nSource: {rule.source}\n"
            yield from (f"* `{cls.id}`: {cls.reason}" for cls in rule.classes)


def command_line() -> Iterator[str]:
    """The page of the commands, line by line."""
    yield f"# Command line\n\n{_LEAD}"
    for name, command in sorted(main.commands.items()):
        arguments = (each for each in command.params if isinstance(each, click.Argument))
        names = "".join(f" {_value(each)}" for each in arguments)
        yield f"\n## conformance {name}{names}\n\n{command.help}\n"
        options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
        if options:
            yield "| option | |\n|---|---|"
        for option in options:
            value = "" if option.is_flag else f" {_value(option)}"
            row = (f"`{', '.join(option.opts)}{value}`", option.help or "")
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _value(parameter: click.Parameter) -> str:
    return parameter.metavar or (parameter.name or "").upper()


def pages() -> dict[str, str]:
    """The text of every page by its file's name."""
    return {
        name: "\n".join(lines) + "\n"
        for name, lines in (("rules.md", rules()), ("command-line.md", command_line()))
    }


if __name__ == "__main__":
    directory = Path(__file__).parent
    stale = []
    for name, text in pages().items():
        path = directory / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/generate.py")
