"""
The models read as the real parsers do, and a target that reads with a real parser is told to.

What the suite does not depend on is looked for in the directory that DURATION_PARSERS names (benchmarks/timers.py says
how to fill it), and on the PATH; what is not there is skipped, with the reason.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.explore import explore
from conformance.explore.dialects import DIALECTS
from conformance.model import TIMERS
from explore.doors import InProcess, Settings
from explore.parsers import PARSERS, NotInstalled, Parse, Parser, differences, takes, texts_to_compare

pytestmark = pytest.mark.slow

PACKAGES = os.environ.get("DURATION_PARSERS")


@pytest.fixture(scope="module", params=PARSERS, ids=lambda parser: parser.package)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Parser, Parse]]:
    parser: Parser = request.param
    try:
        with parser.running(Path(PACKAGES) if PACKAGES else None) as parse:
            yield parser, parse
    except NotInstalled as error:
        pytest.skip(str(error))


def test_a_model_reads_as_its_parser_does(running: tuple[Parser, Parse]) -> None:
    parser, parse = running
    assert differences(parser.dialect, parse) == []


def test_a_target_that_reads_with_a_parser_is_named_exactly(running: tuple[Parser, Parse]) -> None:
    parser, parse = running
    accepts = {each.slug: takes(parser.dialect, parse, each.minimum) for each in TIMERS}
    found = explore(InProcess(Settings(accepts)))
    for reading in found.timers:
        assert (reading.dialect.name, reading.dialect.variant) == (
            parser.dialect.name,
            parser.dialect.variant,
        )
        assert reading.dialect.exact, reading.dialect.disagreements
        assert reading.dialect.requests <= 25
    stages = dict(found.requests_by_stage)
    assert stages["first boundary"] + stages["boundaries"] <= 600


def test_the_model_of_json_schema_reads_as_jsonschema_rs_does() -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    validator = jsonschema_rs.validator_for({"format": "duration"}, validate_formats=True)
    model = next(each for each in DIALECTS if each.variant == "capitals only")
    for text in texts_to_compare():
        assert validator.is_valid(text) == (model.read(text) is not None), text


def test_the_model_of_xsd_reads_as_elementpath_does() -> None:
    datatypes = pytest.importorskip("elementpath.datatypes")
    model = next(each for each in DIALECTS if each.name == "xsd")

    def parses(text: str) -> bool:
        try:
            datatypes.Duration.fromstring(text.strip(" \t\r\n"))
        except ValueError:
            return False
        return True

    # It strips white space of any script, which XML Schema does not, and counts months in 32 bits.
    for text in filter(str.isascii, texts_to_compare(longest_number=8)):
        assert parses(text) == (model.read(text) is not None), text
