"""
Writes all reports of a run into a directory, each whole or not at all. Only their owner can read them.

What cannot be written, or not be rendered, costs that report alone.
"""

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
from conformance.model import described
from conformance.reporting import badge, ctrf, har, html, junit, markdown
from conformance.reporting.reading import load
from conformance.reporting.text import UNJUDGED, Document

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
    Make sure, before a run, that reports can be written to a directory; it is created where it is missing.

    Raises:
        ReportError: They cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ReportError(
            f"cannot write reports to {directory}: {error.strerror or error}; choose another --report-dir"
        ) from error


def write_all(
    document: Document,
    directory: Path,
    *,
    timer_svg: str | None = None,
    copies: Mapping[str, Callable[[BinaryIO], object]] = MappingProxyType({}),
) -> list[Path]:
    """
    Write every report of a result document, `result.json` first, and return their paths.

    Args:
        document: A valid result document.
        directory: The directory, created where it is missing; other files in it are left alone.
        timer_svg: A picture of how the target reads timers, shown by the page and written beside it.
        copies: By file name, a function that writes the file, such as `Archive.copy`. Without it, or where it fails,
            the HTTP archive holds the counterexamples alone.

    Raises:
        ReportError: Some reports cannot be written; it names each of them. All others were written.
    """
    written = dict(write_each(document, directory, timer_svg=timer_svg, copies=copies))
    if failed := not_written(written):
        raise ReportError(failed)
    return list(written)


def write_each(
    document: Document,
    directory: Path,
    *,
    timer_svg: str | None = None,
    copies: Mapping[str, Callable[[BinaryIO], object]] = MappingProxyType({}),
) -> Iterator[tuple[Path, str]]:
    """
    Write every report as `write_all` does, and go on after one that cannot be written.

    Yields:
        The path of each report, and the reason why it was not written; empty where it was.
    """
    renderers: dict[str, Callable[[Document], str]] = dict(RENDERERS)
    if timer_svg is not None:
        renderers[TIMER_PICTURE] = lambda document: timer_svg
        renderers["report.html"] = partial(html.render, timer_svg=timer_svg)
    for name in dict.fromkeys([*renderers, *copies]):
        path, reason = directory / name, ""
        ways: list[Callable[[BinaryIO], object]] = [copies[name]] if name in copies else []
        if name in renderers:
            ways.append(partial(_write_text, document, renderers[name]))
        for way in ways:
            reason = _reason(path, way)
            if not reason:
                break
        yield path, reason


def not_written(written: Mapping[Path, str]) -> str:
    """Return one line that names the reports that could not be written, and why; empty where all were."""
    failed = {path: reason for path, reason in written.items() if reason}
    if not failed:
        return ""
    names = ", ".join(path.name for path in failed)
    directory = next(iter(failed)).parent
    return (
        f"cannot write reports to {directory}: {'; '.join(dict.fromkeys(failed.values()))} ({names}); "
        "choose another --report-dir"
    )


def _write_text(document: Document, render: Callable[[Document], str], file: BinaryIO) -> None:
    file.write(render(document).encode("utf-8", "backslashreplace"))


def _reason(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Write a file, and return why that failed; empty where it did not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
    except Exception as error:  # noqa: BLE001  # what a target has sent must not cost the other reports
        return described(error)
    return ""


WITHOUT_VERDICT = "without-verdict"
"""The folder, in that of the reports, for a run without a verdict, so that it overwrites no report that has one."""


def place_of(document: Document, directory: Path) -> Path:
    """Return the directory that a result document is written to, given the one that was asked for."""
    if document["verdict"] not in UNJUDGED:
        return directory
    try:
        earlier = load(directory)
    except ReportError:  # there is none, or nothing that could be read is lost
        return directory
    return directory if earlier["verdict"] in UNJUDGED else directory / WITHOUT_VERDICT


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Return a new file, for use in a `with` statement, that replaces the one at the path once it is complete."""
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
