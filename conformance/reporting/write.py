"""Writes all reports of a run into a directory, each whole or not at all. Only their owner can read them."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from conformance.exceptions import ReportError
from conformance.reporting import badge, ctrf, har, html, junit, markdown
from conformance.reporting.text import Document

ARCHIVE = "exchanges.har"
"""The file of exchanges: all of them where the run wrote it, else those of the counterexamples."""

OBSERVATIONS = "testcases.jsonl"
"""The file of what was sent in Hypothesis' observability format, named as Hypothesis names its own."""

RENDERERS: Mapping[str, Callable[[Document], str]] = MappingProxyType(
    {
        # ASCII: what a target sent may hold lone surrogates, which UTF-8 has no bytes for.
        "result.json": lambda document: json.dumps(document, indent=1) + "\n",
        "report.html": html.render,
        "junit.xml": junit.render,
        "ctrf.json": ctrf.render,
        "summary.md": markdown.render,
        ARCHIVE: har.render,
        "badge.json": badge.render,
    }
)
"""The reports by file name."""

TIMER_PICTURE = "timers.svg"
"""The file of the picture of how the target reads timers; `conformance report` puts it into the page again."""


def check_writable(directory: Path) -> None:
    """
    Makes sure, before a run, that reports can be written to the directory; creates it.

    Raises:
        ReportError: they cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise _unwritable(directory, error) from error


def write_all(
    document: Document,
    directory: Path,
    *,
    timer_svg: str | None = None,
    copies: Mapping[str, Callable[[BinaryIO], object]] = MappingProxyType({}),
) -> list[Path]:
    """
    Writes every report of a result document, `result.json` first, and returns their paths.

    Args:
        document: a valid result document.
        directory: created where it is missing; other files in it are left alone.
        timer_svg: a picture of how the target reads timers, shown by the page and written beside it.
        copies: by file name, a function that writes the file, such as `Archive.copy`. Without it the HTTP archive
            holds the counterexamples alone.

    Raises:
        ReportError: a report cannot be written; the ones before it have been.
    """
    renderers = dict(RENDERERS)
    if timer_svg is not None:
        renderers[TIMER_PICTURE] = lambda document: timer_svg
        renderers["report.html"] = partial(html.render, timer_svg=timer_svg)
    paths = []
    for name in dict.fromkeys([*renderers, *copies]):
        path = directory / name
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                if name in copies:
                    copies[name](file)
                else:
                    file.write(renderers[name](document).encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise _unwritable(path, error) from error
        paths.append(path)
    return paths


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that replaces the one at the path once it is complete."""
    # mkstemp creates the file with mode 0600: reports hold what the target answered.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _unwritable(path: Path, error: OSError) -> ReportError:
    return ReportError(
        f"cannot write reports to {path}: {error.strerror or error}; choose another --report-dir"
    )
