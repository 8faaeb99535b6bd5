"""
Known ways to read a duration, as executable models.

A model gives the length of a text, or refuses it. It knows no minimum: a target that reads with a dialect accepts a
text that the model reads and that is long enough. Five models are readings of `conformance.oracle.durations`.
`isodate` is the library itself. The others follow the sources named beside them; `tests/explore/test_parsers.py` runs
them beside the real parsers.
"""

from decimal import Decimal

from conformance.explore.dialects import go, javascript, pandas, php, postgresql, python, ruby
from conformance.explore.dialects.base import Dialect, Reader
from conformance.oracle.durations import Length, read

__all__ = ["DIALECTS", "Dialect"]


def _named(name: str) -> Reader:
    return lambda text: read(text).get(name)


def _upper_case(reader: Reader) -> Reader:
    return lambda text: reader(text) if text == text.upper() else None


_ENDLESS = Length(Decimal("Infinity"), Decimal("Infinity"))

_ISO = "ISO 8601-1:2019 5.5.2"
DIALECTS = (
    Dialect("iso8601-1", _named("iso8601-1"), _ISO),
    Dialect("iso8601-2", _named("iso8601-2"), "ISO 8601-2:2019 4.4.1.9 and 11.3.2"),
    Dialect("xsd", _named("xsd"), "XML Schema 1.1 part 2, 3.3.6"),
    Dialect("rfc3339", _named("rfc3339"), "RFC 3339 appendix A", "letters of either case"),
    Dialect(
        "rfc3339",
        _upper_case(_named("rfc3339")),
        "RFC 3339 appendix A, as jsonschema-rs checks JSON Schema's format",
        "capitals only",
    ),
    Dialect("ajv-formats", javascript.ajv, "JSON Schema's format as ajv-formats checks it"),
    Dialect("java", _named("java"), "java.time.Duration.parse"),
    Dialect("isodate", python.isodate_itself, "isodate.parse_duration, called"),
    Dialect("temporal", javascript.temporal, "Temporal.Duration.from"),
    Dialect("luxon", javascript.luxon, "luxon's Duration.fromISO"),
    Dialect("moment", javascript.moment, "moment.duration"),
    Dialect("go-sosodev", go.sosodev, "github.com/sosodev/duration"),
    Dialect("php", php.documented, "the manual of DateInterval", "as documented"),
    Dialect("php", php.scanned, "timelib, the scanner under DateInterval", "as scanned"),
    Dialect("django", python.django, "django.utils.dateparse.parse_duration"),
    Dialect("pydantic", python.pydantic, "pydantic's timedelta, read by speedate"),
    Dialect("pandas", pandas.timedelta, "pandas.Timedelta"),
    Dialect("postgresql", postgresql.interval, "PostgreSQL's interval"),
    Dialect("activesupport", ruby.activesupport, "ActiveSupport::Duration.parse"),
    Dialect("none", lambda text: _ENDLESS, "no reading: every value is accepted"),
)
"""In the order in which they are preferred when two explain the answers as well."""
