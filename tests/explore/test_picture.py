"""The picture is drawn from points alone, the same for the same points, and says what it shows."""

from decimal import Decimal
from xml.etree import ElementTree

from whole_runs import Fault, judged

from conformance.cli import _timer_picture
from conformance.explore import from_exchanges, picture, picture_png
from conformance.explore.values import Point
from conformance.http import Exchange, Request, Response, update
from conformance.model import CLOSED, INACTIVE

POINTS = (
    Point(INACTIVE.slug, "seconds", Decimal(59), False, "PT59S"),
    Point(INACTIVE.slug, "seconds", Decimal(60), True, "PT60S"),
    Point(CLOSED.slug, "weeks", Decimal(604_800), False),
    Point(CLOSED.slug, "days", Decimal(10) ** 4_990, True, "P" + "9" * 4_990 + "D"),
)


SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """Every text of a picture; where one has parts, each part."""
    root = ElementTree.fromstring(svg)
    return [(each.text or "").strip() for name in ("text", "tspan") for each in root.iter(SVG + name)]


def test_a_picture_is_an_svg_document_with_its_labels_as_text() -> None:
    found = texts(picture(POINTS))
    for expected in (
        "× PT59S",
        "● PT60S",
        "seconds",
        "weeks",
        "nothing was accepted",
        "● P…D of 4,990 digits",
    ):
        assert expected in found
    assert {"DefaultInactiveTimer", "DefaultClosedTimer", "documented minimum: 10 min"} <= set(found)


def test_a_point_that_deviates_has_a_ring_and_its_label_says_so() -> None:
    plain, marked = (ElementTree.fromstring(picture(POINTS, points)) for points in ((), POINTS[1:2]))
    assert [each.text for each in marked.iter(f"{SVG}tspan") if each.get("class") == "deviates"] == [
        "● PT60S"
    ]
    rings = [
        [each for each in root.iter(f"{SVG}circle") if each.get("class") == "ring"]
        for root in (plain, marked)
    ]
    assert [len(each) for each in rings] == [0, 1]


def test_every_value_that_has_to_be_refused_and_is_taken_has_a_ring() -> None:
    taken = ["PT59S", "PT0M59S", "PT599S", "PT09M59S"]
    report, _ = judged(Fault(accepts=taken))
    picture = ElementTree.fromstring(_timer_picture(report) or "")
    rings = [each for each in picture.iter(f"{SVG}circle") if each.get("class") == "ring"]
    accepted = {each.request.form() for each in report.timers if each.accepted}
    wrong = [form for form in accepted if form and len(form) == 1 and form[0][1] in taken]
    assert len(rings) == len(wrong) > 1


def test_labels_that_would_run_into_each_other_give_way_to_the_one_that_tells_more() -> None:
    long = "PT" + "0" * 4_900
    points = [
        Point(INACTIVE.slug, "seconds", Decimal(59), False, f"{long}59S"),
        Point(INACTIVE.slug, "seconds", Decimal(60), True, f"{long}60S"),
    ]
    assert [each for each in texts(picture(points)) if "digits" in each] == ["● PT…S of 4,902 digits"]


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
