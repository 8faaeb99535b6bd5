"""
The result as JUnit XML: one test case for each rule, so that names are stable from run to run.

A test case has at most one result child. The suite is red whenever the exit status is not 0, so that it misleads no
reader who has this file alone. The file names no source file and no line: GitLab and GitHub would look for them in the
repository of the reader. Layout: github.com/testmoapp/junitxml.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree

from conformance.model import Verdict
from conformance.reporting import text
from conformance.reporting.differences import differences
from conformance.reporting.text import Document

PACKAGE = "twilio.conversations.configuration"
MOST = 10
"""Most findings of one rule that are shown in full."""

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything that is no character in XML 1.0 (Fifth Edition) 2.2, production 2."""

_RED = {1: "entries of known deviations are out of date", **text.NO_VERDICT, 130: "interrupted"}


def render(document: Document) -> str:
    """Return the JUnit XML of a result document."""
    about = related(document)
    cases = [_case(rule, document, about) for rule in document["rules"]]
    red = any(case.find("failure") is not None for case in cases)
    if document["exit_code"] in _RED and not (document["exit_code"] == 1 and red):
        cases.append(_run_case(document))
    results = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    attributes = {
        "name": PACKAGE,
        "tests": str(len(cases)),
        **{name: str(sum(case.find(tag) is not None for case in cases)) for name, tag in results.items()},
        "time": f"{document['duration_s']:.3f}",
    }
    # The schema has no count of skipped test cases for all suites together.
    suites = ElementTree.Element(
        "testsuites", {name: value for name, value in attributes.items() if name != "skipped"}
    )
    suite = ElementTree.SubElement(
        suites, "testsuite", attributes | {"timestamp": _legal(document["started_at"])}
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(document):
        ElementTree.SubElement(
            properties, "property", name=_legal(name), value=_legal(text.visible(str(value)))
        )
    suite.extend(cases)
    lines = filter(None, [text.headline(document), text.totals(document)])
    ElementTree.SubElement(suite, "system-out").text = _legal("\n".join(lines))
    ElementTree.indent(suites)
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n" + ElementTree.tostring(suites, encoding="unicode") + "\n"
    )


def _case(rule: Document, document: Document, about: Mapping[str, Sequence[str]]) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", name=_legal(rule["id"]), classname=_legal(f"{PACKAGE}.{rule['group']}")
    )
    findings = [each for each in document["findings"] if each["rule"] == rule["id"] and "known" not in each]
    is_red = text.fails(document, rule["level"])
    match rule["verdict"]:
        case Verdict.DEVIATION | Verdict.NON_STRICT | Verdict.UNSTABLE | Verdict.UNIMPLEMENTED if is_red:
            _failure(case, rule, findings, about)
        case Verdict.ERROR:
            _result(case, "error", rule["reason"] or "the suite failed, not the target", rule["id"])
        case Verdict.KNOWN:
            _result(case, "skipped", f"known: {rule['reason'] or rule['id']}")
        case Verdict.NOT_RUN:
            _result(case, "skipped", rule["reason"] or "not run")
        case Verdict.UNDECIDED:
            _result(case, "skipped", f"undecided: {rule['reason'] or 'there was not enough evidence'}")
    # Not as properties: the schema of Jenkins' xUnit plugin has none for a test case.
    said = {name: rule[name] for name in ("verdict", "level", "examples", "source", "reason")}
    said["evidence"] = text.evidence_line(rule)
    lines = [text.visible(f"{name}: {value}") for name, value in said.items() if value]
    ElementTree.SubElement(case, "system-out").text = _legal("\n".join(lines))
    return case


def _failure(
    case: ElementTree.Element, rule: Document, findings: list[Document], about: Mapping[str, Sequence[str]]
) -> None:
    summary = (
        text.visible(findings[0]["summary"], text.HEADLINE)
        if findings
        else rule["reason"] or rule["statement"]
    )
    more = f" (and {text.plural(len(findings) - 1, 'more finding')})" if len(findings) > 1 else ""
    unstable = "unstable: " if rule["verdict"] == Verdict.UNSTABLE else ""
    paragraphs = [
        f"{text.visible(rule['statement'])}\nSource: {text.visible(rule['source'])}",
        *(in_full(each, about.get(each["fingerprint"], ())) for each in findings[:MOST]),
    ]
    if len(findings) > MOST:
        paragraphs.append(f"{text.plural(len(findings) - MOST, 'more finding')} in result.json")
    _result(case, "failure", f"{unstable}{summary}{more}", rule["id"], "\n\n".join(paragraphs))


def related(document: Document) -> dict[str, list[str]]:
    """Return lines that name the further input classes of a finding, its consequences or its cause, by fingerprint."""
    lines: dict[str, list[str]] = {}
    for difference in differences(document):
        first = difference.first
        beside = {"also": difference.also, "follows": difference.consequences}
        lines[first["fingerprint"]] = [f"{name}: {', '.join(each)}" for name, each in beside.items() if each]
        for other in difference.others:
            if other["rule"] != first["rule"]:
                lines[other["fingerprint"]] = [f"follows from: {first['rule']}"]
    return lines


def in_full(finding: Document, about: Sequence[str] = ()) -> str:
    """Return a finding in full, as plain text; `about` are further lines."""
    unstable = "" if finding["stable"] else ", unstable"
    lines = [
        f"{text.visible(finding['class'])}{unstable}: {text.visible(finding['summary'], text.HEADLINE)}",
        f"expected: {text.visible(finding['expected'], text.CLAIM)}",
        f"observed: {text.visible(finding['observed'], text.CLAIM)}",
        *map(text.visible, about),
        *(
            f"  {line} -> {text.answer_line(each)}"
            for line, each in zip(text.request_lines(finding), finding["exchanges"], strict=True)
        ),
        *text.traceback_lines(finding["exchanges"][-1]),
        text.snippet(finding),
    ]
    return "\n".join(lines)


def _run_case(document: Document) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name="run", classname=f"{PACKAGE}.run")
    lost = ", ".join(document["restore"]["failed"])
    message = document["stopped"] or text.headline(document) or lost or "; ".join(text.stale(document))
    shown = text.snippet(document["unanswered"]) if "unanswered" in document else ""
    _result(case, "error", f"{_RED[document['exit_code']]}{f': {message}' if message else ''}", "run", shown)
    return case


def _result(case: ElementTree.Element, tag: str, message: str, kind: str = "", shown: str = "") -> None:
    result = ElementTree.SubElement(case, tag, message=_legal(text.visible(message, 400)))
    if kind:
        result.set("type", _legal(kind))
    result.text = _legal(shown) or None


def _properties(document: Document) -> Iterator[tuple[str, object]]:
    for name in ("target", "profile", "seed", "requests", "verdict", "exit_code"):
        yield name, document[name]
    for level, counts in text.tallies(document).items():
        yield from ((f"{level}.{name}", number) for name, number in counts.items())
    yield "headline", text.headline(document)
    yield from ((f"version.{name}", version) for name, version in document["versions"].items())


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
