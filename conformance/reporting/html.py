"""
The result as one HTML page that loads nothing, opens from disk and reads well without JavaScript.

Autoescape keeps the bytes of a target from becoming markup. Should that ever fail, the Content Security Policy of the
page allows one script and one style alone, by their hashes.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment
from markupsafe import Markup, escape

from conformance.model import Level, Verdict
from conformance.reporting import text
from conformance.reporting.curl import quote
from conformance.reporting.differences import differences
from conformance.reporting.pages import templates_of
from conformance.reporting.text import Document

SHOWN_IN_FULL = 100
"""Most differences that the page shows in full."""

_MEANING = {
    Verdict.CONFORMANT: "Everything that was checked holds.",
    Verdict.NON_STRICT: "Everything the document demands holds; its literal reading does not, in places.",
    Verdict.DEVIATION: "The target does not do what the document demands.",
    Verdict.KNOWN: "The target deviates, in ways that were known before and in no other.",
    Verdict.FIXED: "Everything that was checked holds; deviations listed as known are gone.",
    Verdict.UNSTABLE: "The target answers the same requests differently from time to time.",
    Verdict.UNDECIDED: "There was not enough evidence to judge the target.",
    Verdict.UNIMPLEMENTED: "The target does not have this endpoint.",
    Verdict.ERROR: "The target could not be judged.",
    Verdict.NOT_RUN: "Nothing was run.",
}


@cache
def _environment() -> Environment:
    environment = templates_of("conformance.reporting")
    environment.filters.update(
        visible=text.visible, plural=text.plural, snippet=text.snippet, linked=linked, whole=whole
    )
    # A template may use every function of `text` by its name.
    environment.globals.update(
        vars(text), request_text=_request_text, response_text=_response_text, when=_when
    )
    return environment


def render(document: Document, *, timer_svg: str | None = None) -> str:
    """
    Return the page of a result document.

    `timer_svg` is a picture of how the target reads timers; the page shows it as images, in which no script runs.
    """
    rules, groups = document["rules"], text.by_group(document)
    found: dict[str, list[Document]] = {}
    for finding in document["findings"]:
        found.setdefault(finding["rule"], []).append(finding)
    return make_page(
        "report.html.j2",
        images=timer_svg is not None,
        result=document,
        no_verdict=text.headline(document),
        levels=[part.split(" ", 1) for part in text.levels(rules, zeros=True)],
        meaning=_MEANING[Verdict(document["verdict"])],
        differences=differences(document),
        shown_in_full=SHOWN_IN_FULL,
        rules={rule["id"]: rule for rule in rules},
        groups=list(groups),
        group_totals=lambda name: text.group_totals(groups[name]),
        findings_of=found,
        command=_command(document),
        timer_pictures=[
            f"data:image/svg+xml;base64,{base64.b64encode(panel).decode()}" for panel in _panels(timer_svg)
        ],
    )


def _panels(svg: str | None) -> Iterator[bytes]:
    """Yield the panels of a picture as documents of their own, with its style; the whole where it has no panels."""
    if svg is None:
        return
    name = "{http://www.w3.org/2000/svg}"
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314  # a file of the user's own report
    except ElementTree.ParseError:
        root = ElementTree.Element("none")
    ElementTree.register_namespace("", name[1:-1])
    panels, style = root.findall(f".//{name}svg"), root.find(f"{name}style")
    for panel in panels:
        panel.attrib.pop("x", None)
        if style is not None:
            panel.insert(0, style)
        yield ElementTree.tostring(panel)
    if not panels:
        yield svg.encode()


def make_page(template: str, *, images: bool = False, **values: Any) -> str:
    """
    Return a page with the style and the script of this package, and with a policy that allows no other.

    The template is a file in `templates`. A page may hold images of its own.
    """
    environment = _environment()
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    allowed = ["default-src 'none'", *(["img-src data:"] if images else [])]
    policy = "; ".join([*allowed, f"style-src {_hash(style)}", f"script-src {_hash(script)}"])
    return environment.get_template(template).render(style=style, script=script, policy=policy, **values)


_ADDRESS = re.compile(
    r"(?P<url>https?://[\w./?&=%+~#-]*[\w/])|RFC (?P<number>\d{3,5}) (?P<section>\d+(\.\d+)*)", re.ASCII
)


def whole(words: str) -> Markup:
    """Return words with commas, of which a line is broken after a comma alone: a number stays with its noun."""
    return Markup(", ").join(
        Markup('<span class="whole">{}</span>').format(each) for each in words.split(", ")
    )


def linked(words: str) -> Markup:
    """Return a text with its web addresses and sections of RFCs as links."""
    shown = text.visible(words)
    parts, end = [], 0
    for match in _ADDRESS.finditer(shown):
        number, section = match["number"], match["section"]
        address = match["url"] or f"https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"
        link = Markup('<a rel="noreferrer" href="{}">{}</a>').format(address, match[0])
        parts += [escape(shown[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(shown[end:])])


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _when(run: Document) -> Markup:
    started = str(run["started_at"])
    return Markup('<time datetime="{}">{} UTC</time>').format(
        text.visible(started), text.visible(started[:19].replace("T", " "))
    )


def _request_text(exchange: Document) -> str:
    request = exchange["request"]
    return "\n".join([text.visible(f"{request['method']} {request['url']}"), *_rest(request)])


def _response_text(exchange: Document) -> str:
    if "response" not in exchange:
        return "\n".join([text.answer_line(exchange, 1_000), *text.traceback_lines(exchange)])
    response = exchange["response"]
    end = ["(cut: the body is longer than the suite reads)"] if response["truncated"] else []
    if "failure" in exchange:
        end.append(text.visible(f"({exchange['failure']['kind']}): {exchange['failure']['detail']}", 1_000))
    end += text.traceback_lines(exchange)
    return "\n".join(
        [text.visible(f"{response['http_version']} {response['status']}"), *_rest(response), *end]
    )


def _rest(message: Document) -> Iterator[str]:
    yield from (text.visible(f"{name}: {value}", 1_000) for name, value in message["headers"])
    raw = text.body(message)
    if raw:
        yield ""
        # Text stays as it is, line breaks included; anything else is escaped byte by byte.
        yield text.clipped(message["body"] if "body" in message else text.visible_bytes(raw))


_REPEATED = (
    *("settle", "max_requests", "known", "rate", "timeout", "ca_file"),
    *("chat_service_sid", "messaging_service_sid", "live", "accept_unrestorable", "mask_accounts"),
)
"""Flags of the command, by their names in the settings of a result."""


def _command(document: Document) -> str:
    """Return the command that repeats the run. The setting `target` is null for the embedded emulator."""
    settings = document["settings"]
    embedded = settings.get("target", "") is None
    words = [
        *(() if embedded else ("--target", document["target"])),
        *("--profile", document["profile"], "--seed", str(document["seed"])),
        *(word for glob in settings.get("only", ()) for word in ("--only", glob)),
        *(("--fail-on", "should") if settings.get("fail_on") == Level.SHOULD else ()),
    ]
    for name in _REPEATED:
        if value := settings.get(name):
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return f"conformance run {' '.join(map(quote, words))}"
