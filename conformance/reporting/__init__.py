"""The reports of a run: `build` makes the result document, everything else is rendered from that alone."""

from conformance.exceptions import ReportError
from conformance.reporting.curl import ShellAccount, curl
from conformance.reporting.differences import Difference, differences
from conformance.reporting.har import Archive
from conformance.reporting.har import join as join_archives
from conformance.reporting.observability import Observations
from conformance.reporting.progress import Progress
from conformance.reporting.reading import load, validate
from conformance.reporting.recorded import request_of
from conformance.reporting.result import Redact, build, record
from conformance.reporting.terminal import console_for
from conformance.reporting.terminal import render as print_result
from conformance.reporting.write import (
    ARCHIVE,
    OBSERVATIONS,
    RENDERERS,
    TIMER_PICTURE,
    check_writable,
    not_written,
    place_of,
    replacing,
    write_all,
    write_each,
)

__all__ = [
    "ARCHIVE",
    "OBSERVATIONS",
    "RENDERERS",
    "TIMER_PICTURE",
    "Archive",
    "Difference",
    "Observations",
    "Progress",
    "Redact",
    "ReportError",
    "ShellAccount",
    "build",
    "check_writable",
    "console_for",
    "curl",
    "differences",
    "join_archives",
    "load",
    "not_written",
    "place_of",
    "print_result",
    "record",
    "replacing",
    "request_of",
    "validate",
    "write_all",
    "write_each",
]
