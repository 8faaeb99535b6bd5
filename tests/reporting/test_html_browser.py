"""
The pages in a real browser: nothing injected runs, nothing leaves them, controls do what they say.

Accessibility is checked with axe-core, which axe-playwright-python brings along.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting import write_all
from conformance.reporting.compare import FORMATS, compare
from conformance.reporting.matrix import Column, to_html

from .samples import DOCUMENTS, HOSTILE

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")


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
PAGES = [*sorted(DOCUMENTS), "picture", "comparison", "matrix"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_quiet_keeps_to_itself_and_fits(
    browser: Any, urls: dict[str, str], name: str, scheme: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    events: list[str] = []
    page.on("console", lambda message: events.append(message.text))
    page.on("pageerror", lambda error: events.append(str(error)))
    page.on("dialog", lambda dialog: events.append(dialog.message))
    page.on("request", lambda request: events.append(request.url))
    page.goto(urls[name])
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")

    # An image in the page itself is told as a request, too.
    assert [event for event in events if not event.startswith("data:image/svg+xml;base64,")] == [urls[name]]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()


def test_filters_leave_what_was_asked_for(browser: Any, urls: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(urls["deviating"])
    page.select_option("select[name=level]", "should")

    assert page.inner_text("#shown") == "2 of 12 rules"
    assert page.locator("article:visible").count() == 1
    page.click("text=Show all")
    page.wait_for_function("document.getElementById('shown').textContent === '12 of 12 rules'")
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


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(
    browser: Any, urls: dict[str, str], name: str, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(urls[name])
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = axe.Axe().run(page).response["violations"]

    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found] == []
    page.close()
