"""
What `conformance timers` costs and finds, and whether its models read as the real parsers do.

    python benchmarks/timers.py [--node-modules DIR]

Three tables: requests for each emulated way to read timers; models beside moment, luxon and temporal-polyfill
(from DIR, made by `npm install moment luxon temporal-polyfill`), java.time and XML Schema of a JDK; and how long a
picture takes. What is not installed is left out, with the reason. The exit status is 1 when a dialect was not named
or a model differs from its parser.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from conformance.credentials import THROWAWAY
from conformance.durations import Length
from conformance.embedded import Embedded
from conformance.explore import explore, picture
from conformance.explore.dialects import DIALECTS
from conformance.explore.identification import pool
from conformance.explore.notations import GRIDS, table
from conformance.explore.picture import available
from conformance.target import Target, TargetSettings

EMULATED = {
    "": "iso8601-1", "dialect-java": "java", "dialect-xsd": "xsd", "dialect-php": "php", "dialect-temporal": "temporal",
    "dialect-rfc3339": "rfc3339", "parsed-by-isodate": "isodate", "parsed-by-moment": "moment",
    "parsed-by-luxon": "luxon", "parsed-in-a-loop": "go-sosodev",
}  # fmt: skip

NODE = """
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const reading = {
  moment: (moment) => (text) => { const d = moment.duration(text); return d.isValid() ? d.asSeconds() : null; },
  luxon: ({Duration}) => (text) => { const d = Duration.fromISO(text); return d.isValid ? d.as("seconds") : null; },
  "temporal-polyfill": ({Temporal}) => (text) => {
    try { const d = Temporal.Duration.from(text); return d.years || d.months || d.weeks ? true : d.total("seconds"); }
    catch { return null; }
  },
};
const name = process.argv[1];
const read = reading[name](require(name));
console.log(JSON.stringify(texts.map(read)));
"""

JAVA = """
import java.io.*; import java.nio.charset.StandardCharsets; import java.time.*; import java.util.*;
import javax.xml.XMLConstants; import javax.xml.transform.stream.StreamSource; import javax.xml.validation.*;
class Read {
  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    Validator xsd = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new StreamSource(
      new StringReader("<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'>"
        + "<s:element name='d' type='s:duration'/></s:schema>"))).newValidator();
    for (String line; (line = in.readLine()) != null; ) {
      StringBuilder text = new StringBuilder();
      if (!line.isEmpty()) for (String code : line.split(" ")) text.appendCodePoint(Integer.parseInt(code));
      if (arguments[0].equals("java")) {
        try { Duration d = Duration.parse(text); System.out.println(new java.math.BigDecimal(d.getSeconds())
              .add(java.math.BigDecimal.valueOf(d.getNano(), 9)).toPlainString()); }
        catch (Exception error) { System.out.println("null"); }
      } else {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(code -> escaped.append("&#" + code + ";"));
        try { xsd.validate(new StreamSource(new StringReader("<d>" + escaped + "</d>"))); System.out.println("true"); }
        catch (Exception error) { System.out.println("null"); }
      }
    }
  }
}
"""

Answers = list[Decimal | bool | None]
"""Seconds, or true where a text is read but not as seconds, or None where it is refused."""


def main() -> int:
    """Measure, print, and tell by the exit status whether everything was as it is to be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--node-modules", type=Path, help="holds moment, luxon and temporal-polyfill")
    modules = parser.parse_args().node_modules
    named = requests()
    same = min([compare(*each) for each in real_parsers(modules)], default=True)
    draw()
    return 0 if named and same else 1


def requests() -> bool:
    """Explore an emulator that reads both timers in each way."""
    print(
        f"{'reads as':18} {'named':12} {'exact':6} agreement  dialect  boundaries  in all  inexact  seconds"
    )
    right = True
    for fault, name in EMULATED.items():
        faults = [f"{timer}-{fault}" for timer in ("inactive-timer", "closed-timer")] if fault else []
        with (
            Embedded(THROWAWAY, faults=faults) as emulator,
            Target(TargetSettings(url=emulator.url(), accounts=THROWAWAY)) as target,
        ):
            began = time.perf_counter()
            found = explore(target)
            took = time.perf_counter() - began
        stages = dict(found.requests_by_stage)
        dialects = [each.dialect for each in found.timers]
        right &= all(each.name == name for each in dialects)
        inexact = sum(not boundary.exact for each in found.timers for boundary in each.boundaries)
        print(
            f"{name:18} {dialects[0].name:12} {all(each.exact for each in dialects)!s:6} "
            f"{min(each.agreement for each in dialects):9.1%} {max(each.requests for each in dialects):8} "
            f"{stages['first boundary'] + stages['boundaries']:11} {found.requests:7} {inexact:8} {took:8.1f}"
        )
    print("\ndialect: of the timer that took more; boundaries and in all: of both timers\n")
    return right


def real_parsers(modules: Path | None) -> Iterable[tuple[str, str, Callable[[list[str]], Answers]]]:
    """Name of a model, of its parser, and a function that runs the parser."""
    node = shutil.which("node")
    for name, package in (("moment", "moment"), ("luxon", "luxon"), ("temporal", "temporal-polyfill")):
        if node is None or modules is None or not (modules / package).is_dir():
            reason = "no node" if node is None else "not in --node-modules"
            print(f"{name:18} left out: {reason}")
        else:
            yield name, package, _in_node(node, modules, package)
    java = shutil.which("java")
    if java is None:
        print("java, xsd          left out: no java")
    else:
        yield "java", "java.time.Duration", _in_java(java, "java")
        yield "xsd", "javax.xml.validation", _in_java(java, "xsd")


def _in_node(node: str, modules: Path, package: str) -> Callable[[list[str]], Answers]:
    def run(texts: list[str]) -> Answers:
        done = subprocess.run(  # our own script
            [node, "-e", NODE, package], input=json.dumps(texts), capture_output=True, text=True, check=True,
            cwd=modules.resolve().parent,
        )  # fmt: skip
        return list(json.loads(done.stdout, parse_float=Decimal, parse_int=Decimal))

    return run


def _in_java(java: str, which: str) -> Callable[[list[str]], Answers]:
    def run(texts: list[str]) -> Answers:
        lines = "".join(" ".join(str(ord(character)) for character in text) + "\n" for text in texts)
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory, "Read.java")
            source.write_text(JAVA, encoding="ascii")
            done = subprocess.run(  # our own program
                [java, str(source), which], input=lines, capture_output=True, text=True, check=True
            )
        return [
            None if line == "null" else True if line == "true" else Decimal(line)
            for line in done.stdout.split()
        ]

    return run


def texts_to_compare() -> list[str]:
    """The table, the probes, and numbers around the boundaries of every notation."""
    texts = [text for _, text in table() if len(text) <= 300]
    texts += pool(Decimal(600))
    for grid in GRIDS.values():
        texts += [
            grid.write(number) for number in (1, 59, 60, 61, 599, 600, 86_400, 10**9 - 1, 10**9, 10**12 + 7)
        ]
    return [
        text
        for text in dict.fromkeys(texts)
        if not any(0xD800 <= ord(character) < 0xE000 for character in text)
    ]


def compare(name: str, package: str, run: Callable[[list[str]], Answers]) -> bool:
    """Print how often a model reads as its parser does, and where not."""
    read = next(each.read for each in DIALECTS if each.name == name)
    texts = texts_to_compare()
    if name == "xsd":  # processors need not support numbers of any size (XML Schema 1.1 part 2, 5.4)
        texts = [text for text in texts if not re.search("[1-9][0-9]{9}", text)]
    wrong = [
        (text, read(text), real)
        for text, real in zip(texts, run(texts), strict=True)
        if not _same(read(text), real)
    ]
    print(f"{name:18} {len(texts) - len(wrong)} of {len(texts)} texts as {package} has them")
    for text, model, real in wrong[:10]:
        print(f"    {text[:60]!r}: model {None if model is None else model.low}, parser {real}")
    return not wrong


def _same(model: Length | None, real: Decimal | bool | None) -> bool:
    if model is None or real is None:
        return model is None and real is None
    if real is True:
        return True
    # The parsers' numbers are floats, and their months and years are of one fixed or of a mean length.
    slack = abs(model.high) * Decimal("1e-9") + Decimal("0.002")
    return model.low - slack <= real <= model.high + slack


def draw() -> None:
    """Time one picture."""
    if not available():
        print("\npicture            left out: no Matplotlib")
        return
    with (
        Embedded(THROWAWAY) as emulator,
        Target(TargetSettings(url=emulator.url(), accounts=THROWAWAY)) as target,
    ):
        found = explore(target)
    points = (*found.inactive.points, *found.closed.points)
    began = time.perf_counter()
    svg = picture(points)
    print(
        f"\npicture            {len(points)} points, {len(svg) / 1024:.0f} KiB, {time.perf_counter() - began:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
