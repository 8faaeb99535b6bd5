"""The picture is drawn from points alone, the same for the same points, and says what it shows."""

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from conformance.explore import Point, from_exchanges, picture, picture_png
from conformance.http import Exchange, Request, Response, update
from conformance.model import CLOSED, INACTIVE

pytestmark = pytest.mark.slow

POINTS = (
    Point(INACTIVE.slug, "seconds", Decimal(59), False, "PT59S"),
    Point(INACTIVE.slug, "seconds", Decimal(60), True, "PT60S"),
    Point(CLOSED.slug, "weeks", Decimal(604_800), False),
    Point(CLOSED.slug, "days", Decimal(10) ** 4_990, True, "P" + "9" * 4_990 + "D"),
)


def test_a_picture_is_an_svg_document_with_its_labels_as_text() -> None:
    texts = [
        each.text for each in ElementTree.fromstring(picture(POINTS)).iter("{http://www.w3.org/2000/svg}text")
    ]
    for expected in (
        "× PT59S",
        "● PT60S",
        "seconds",
        "weeks",
        "nothing was accepted",
        "● P…D of 4,990 digits",
    ):
        assert expected in texts
    assert {"DefaultInactiveTimer", "DefaultClosedTimer", "documented minimum: 10 min"} <= set(texts)


def test_the_same_points_give_the_same_picture() -> None:
    assert picture(POINTS) == picture(POINTS)


def test_there_is_a_picture_of_no_points() -> None:
    assert "nothing was sent" in picture(())


def test_a_png_is_one() -> None:
    assert picture_png(POINTS).startswith(b"\x89PNG")


def exchange(request: Request, status: int) -> Exchange:
    return Exchange(number=1, request=request, response=Response(status=status))


def test_points_are_taken_from_what_a_run_has_seen() -> None:
    seen = [
        exchange(update((CLOSED.parameter, "PT599S")), 400),
        exchange(update((CLOSED.parameter, "PT1H30M")), 200),
        exchange(update((CLOSED.parameter, "banana")), 400),
        exchange(update((CLOSED.parameter, "PT2H")), 503),
        exchange(update((CLOSED.parameter, "PT2H"), (INACTIVE.parameter, "PT3H")), 200),
        exchange(update(("DefaultChatServiceSid", "IS")), 400),
    ]
    assert from_exchanges(seen) == (
        Point(CLOSED.slug, "seconds", Decimal(599), False, "PT599S"),
        Point(CLOSED.slug, "hours-minutes", Decimal(5400), True, "PT1H30M"),
    )
