"""The page in a real browser: nothing injected runs, nothing leaves the page, controls do what they say."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting import write_all

from .samples import DOCUMENTS

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
    """The address of every hand-made run's page."""
    directory: Path = tmp_path_factory.mktemp("reports")
    return {name: write_all(document, directory / name)[1].as_uri() for name, document in DOCUMENTS.items()}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
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

    assert events == [urls[name]]
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
