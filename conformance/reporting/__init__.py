"""The reports of a run: `build` makes the result document, and every report is rendered from that alone."""

from conformance.reporting.curl import ShellAccount as ShellAccount
from conformance.reporting.curl import curl as curl
from conformance.reporting.differences import differences as differences
from conformance.reporting.har import Archive as Archive
from conformance.reporting.har import join_archives as join_archives
from conformance.reporting.observability import Observations as Observations
from conformance.reporting.progress import Progress as Progress
from conformance.reporting.reading import load as load
from conformance.reporting.reading import validate as validate
from conformance.reporting.recorded import request_of as request_of
from conformance.reporting.result import Redact as Redact
from conformance.reporting.result import build as build
from conformance.reporting.result import record as record
from conformance.reporting.terminal import console_for as console_for
from conformance.reporting.terminal import print_result as print_result
from conformance.reporting.write import ARCHIVE as ARCHIVE
from conformance.reporting.write import OBSERVATIONS as OBSERVATIONS
from conformance.reporting.write import RENDERERS as RENDERERS
from conformance.reporting.write import TIMER_PICTURE as TIMER_PICTURE
from conformance.reporting.write import check_writable as check_writable
from conformance.reporting.write import not_written as not_written
from conformance.reporting.write import place_of as place_of
from conformance.reporting.write import replacing as replacing
from conformance.reporting.write import write_all as write_all
from conformance.reporting.write import write_each as write_each
