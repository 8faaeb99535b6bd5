"""The reports of a run: `build` makes the result document, everything else is rendered from that alone."""

from conformance.reporting.curl import ShellAccount, curl
from conformance.reporting.differences import Difference, differences
from conformance.reporting.progress import Progress
from conformance.reporting.reading import ReportError, load, validate
from conformance.reporting.recorded import request_of
from conformance.reporting.result import build, record
from conformance.reporting.terminal import console_for
from conformance.reporting.terminal import render as print_result
from conformance.reporting.write import RENDERERS, TIMER_PICTURE, check_writable, write_all

__all__ = [
    "RENDERERS",
    "TIMER_PICTURE",
    "Difference",
    "Progress",
    "ReportError",
    "ShellAccount",
    "build",
    "check_writable",
    "console_for",
    "curl",
    "differences",
    "load",
    "print_result",
    "record",
    "request_of",
    "validate",
    "write_all",
]
