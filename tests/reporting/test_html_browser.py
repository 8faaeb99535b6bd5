"""
The pages in a real browser: nothing injected runs, nothing leaves them, controls do what they say.

Accessibility is checked with axe-core, which axe-playwright-python brings along.
"""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.explore import picture
from conformance.explore.values import Point
from conformance.model import TIMERS
from conformance.reporting import ARCHIVE, Archive, write_all
from conformance.reporting.compare import FORMATS, compare
from conformance.reporting.html import render
from conformance.reporting.matrix import Column, to_html

from .samples import CORPUS, DOCUMENTS, HOSTILE, REPORTS, URL, hostile

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        # The tests may run as the superuser, whom the sandbox refuses; the page is a file of our own.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of every hand-made run's page, of one with a picture, of a comparison and of a matrix."""
    directory: Path = tmp_path_factory.mktemp("reports")
    paths = {name: write_all(document, directory / name)[1] for name, document in DOCUMENTS.items()}
    paths["picture"] = write_all(DOCUMENTS["clean"], directory / "picture", timer_svg=PICTURE)[1]
    paths["comparison"], paths["matrix"] = directory / "comparison.html", directory / "matrix.html"
    columns = [
        Column(name=name + HOSTILE, result=each, link="report.html") for name, each in DOCUMENTS.items()
    ]
    texts = {
        "comparison": FORMATS["html"](compare(DOCUMENTS["clean"], DOCUMENTS["deviating"])),
        "matrix": to_html(columns),
    }
    for name, text in texts.items():
        paths[name].write_bytes(text.encode("utf-8", "backslashreplace"))
    return {name: path.as_uri() for name, path in paths.items()}


PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='200'><script>alert('picture')</script>"
    "<image href='http://192.0.2.1/x'/><rect width='900' height='200' fill='teal' onload='alert(1)'/></svg>"
)


def look(page: Any, width: int, scheme: str) -> None:
    """Have a page shown at a width and in a colour scheme."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)


PAGES = [*sorted(DOCUMENTS), "picture", "comparison", "matrix"]


LOOKS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]
"""Widths and colour schemes."""


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_quiet_keeps_to_itself_and_fits(browser: Any, urls: dict[str, str], name: str) -> None:
    page = browser.new_page()
    events: list[str] = []
    page.on("console", lambda message: events.append(message.text))
    page.on("pageerror", lambda error: events.append(str(error)))
    page.on("dialog", lambda dialog: events.append(dialog.message))
    page.on("request", lambda request: events.append(request.url))
    page.goto(urls[name])
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")

    # An image in the page itself is told as a request, too.
    assert [event for event in events if not event.startswith("data:image/svg+xml;base64,")] == [urls[name]]
    for width, scheme in LOOKS:
        look(page, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()


@pytest.mark.parametrize("shift", range(0, len(CORPUS), 5))
def test_whatever_a_target_or_a_rule_says_nothing_runs_and_nothing_is_loaded(
    browser: Any, tmp_path: Path, shift: int
) -> None:
    document = hostile(DOCUMENTS["deviating"], shift)
    pages = {
        "report": render(document),
        "comparison": FORMATS["html"](compare(DOCUMENTS["clean"], document)),
        "matrix": to_html([Column(name=CORPUS[shift], result=document, link=CORPUS[shift])]),
    }
    for name, text in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
        page = browser.new_page()
        events: list[str] = []
        page.on("console", lambda message, events=events: events.append(message.text))
        page.on("pageerror", lambda error, events=events: events.append(str(error)))
        page.on("dialog", lambda dialog, events=events: events.append(dialog.message))
        page.on("request", lambda request, events=events: events.append(request.url))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        page.evaluate(
            "document.querySelectorAll('*').forEach((each) => each.dispatchEvent(new Event('focus')))"
        )
        page.wait_for_timeout(100)

        assert events == [path.as_uri()]
        beyond = page.evaluate("[...document.links].map((link) => link.protocol)")
        assert set(beyond) <= {"file:", "http:", "https:"}
        page.close()


def test_filters_leave_what_was_asked_for(browser: Any, urls: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(urls["deviating"])
    page.select_option("select[name=level]", "should")

    assert page.inner_text("#shown") == "2 of 12 rules"
    assert page.locator("article:visible").count() == 1
    page.click("text=Show all")
    page.locator("#shown", has_text="12 of 12 rules").wait_for()
    assert page.locator("article:visible").count() == 5
    page.close()


def test_a_deep_link_opens_what_it_leads_to(browser: Any, urls: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(f"{urls['deviating']}#rule-challenge")

    assert page.locator("#rule-challenge dl").is_visible()
    nested = page.locator("article details li").first
    page.evaluate("(id) => (location.hash = id)", nested.get_attribute("id"))
    nested.wait_for(state="visible")
    page.close()


def test_copying_gives_the_curl_lines_exactly(browser: Any, urls: dict[str, str]) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(urls["deviating"])
    (sequence,) = [each for each in DOCUMENTS["deviating"]["findings"] if len(each["exchanges"]) == 2]
    page.click(f"button[data-copy=curl-{sequence['fingerprint'][:12]}]")
    page.wait_for_selector("text=Copied")

    assert page.evaluate("navigator.clipboard.readText()") == sequence["curl"]
    context.close()


def test_without_javascript_everything_is_there_but_the_controls(browser: Any, urls: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(urls["deviating"])

    assert page.locator("article:visible").count() == 5
    assert page.locator(".rule:visible").count() == 12
    assert page.locator("button:visible, select:visible").count() == 0
    context.close()


def test_the_picture_is_shown(browser: Any, urls: dict[str, str]) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(urls["picture"])

    assert page.evaluate("document.querySelector('.picture').naturalWidth") == 900
    assert page.locator(".picture").get_attribute("alt")
    page.close()


def test_the_keyboard_reaches_findings_rules_and_controls(browser: Any, urls: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(urls["deviating"])
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.outerHTML.slice(0, 60)"))

    assert reached[0].startswith('<a class="skip"')
    for part in ("<select", '<button type="reset"', "data-copy=", '<pre id="curl-', "<summary>"):
        assert any(part in each for each in reached), part
    page.close()


def test_on_paper_what_holds_is_a_line_and_what_does_not_is_told_in_full(
    browser: Any, urls: dict[str, str]
) -> None:
    page = browser.new_page()
    page.goto(urls["deviating"])
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert page.locator(".rule[data-verdict=conformant][open]").count() == 0
    assert page.locator(".rule:not([data-verdict=conformant]):not([open])").count() == 0
    assert page.locator("nav:visible, button:visible, select:visible, .python[open]").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    page.close()


@pytest.mark.parametrize("whole", [True, False])
def test_the_archive_of_exchanges_is_played_back(browser: Any, tmp_path: Path, whole: bool) -> None:
    copies = {}
    with Archive(tmp_path, target="http://127.0.0.1:4010") as archive:
        for each in REPORTS["deviating"].outcomes:
            for one in [one for finding in each.findings for one in finding.exchanges]:
                archive.add(one)
        if whole:
            copies = {ARCHIVE: archive.copy}
        write_all(DOCUMENTS["deviating"], tmp_path, copies=copies)
    context = browser.new_context()
    # The port has no one behind it: what comes is what was recorded.
    context.route_from_har(tmp_path / ARCHIVE, not_found="abort")
    page = context.new_page()
    answer = page.goto(URL)

    assert (answer.status, answer.text()) == (200, '{"account_sid": null}')
    told = page.evaluate(
        """async (url) => {
            const body = "DefaultInactiveTimer=banana";
            const headers = {"Content-Type": "application/x-www-form-urlencoded"};
            const answer = await fetch(url, {method: "POST", body, headers});
            return [answer.status, await answer.text()];
        }""",
        URL,
    )
    assert told == [200, '{"account_sid": null}']
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(browser: Any, urls: dict[str, str], name: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    page = browser.new_page()
    page.goto(urls[name])
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for width, scheme in LOOKS:
        look(page, width, scheme)
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found] == []
    page.close()


def test_the_timer_picture_opened_by_itself_on_a_phone_has_its_panels_below_one_another(
    browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "timers.svg"
    path.write_text(picture([Point(each.slug, "seconds", Decimal(60), True) for each in TIMERS]))
    panels = (
        "[...document.querySelectorAll('svg > g > svg > rect')].map(each => each.getBoundingClientRect())"
    )
    seen = {}
    for width in (390, 1280):
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(path.as_uri())
        seen[width] = page.evaluate(panels)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.close()
    assert [round(each["width"]) for each in seen[390]] == [390, 390]
    assert seen[390][1]["top"] == pytest.approx(seen[390][0]["bottom"], abs=1)
    assert seen[1280][1]["top"] == seen[1280][0]["top"]
