"""
Real duration parsers, to be run beside the models of `conformance.explore.dialects`.

They are processes that read one text a line, percent-encoded, and answer with its length in
seconds: `x` where they refuse the text, `ok` where they take it and give it no length of so many seconds. What is not
installed is left out, with the reason.
"""

import importlib.machinery
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from conformance.explore.dialects import DIALECTS, Dialect
from conformance.explore.identification import pool
from conformance.explore.notations import GRIDS, table
from conformance.oracle.durations import Length

Answer = Decimal | bool
"""Seconds, or whether the text is taken at all."""
Parse = Callable[[str], Answer]


class NotInstalled(Exception):
    """A parser is not here; the message says what is missing."""


def percent_encoded(text: str) -> str:
    """All but letters, digits and `_.-~` as bytes of UTF-8."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True)
class Parser:
    """One real parser, and the model that is to read as it does."""

    dialect: Dialect
    package: str
    command: Callable[[Path, Path | None], list[str]]
    """From an empty directory and that of its packages; raises NotInstalled."""
    line: Callable[[str], str] = percent_encoded
    """What asks the process for one text."""

    @contextmanager
    def running(self, packages: Path | None = None) -> Iterator[Parse]:
        """
        The parser as a function, while its process lives.

        Args:
            packages: where pip, npm or git have put what it needs.

        Raises:
            NotInstalled: it is not here.
        """
        with tempfile.TemporaryDirectory() as directory:
            command = self.command(Path(directory), packages)
            with subprocess.Popen(  # our own programs
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii", bufsize=1
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                to, answers = process.stdin, process.stdout

                def parse(text: str) -> Answer:
                    to.write(self.line(text) + "\n")
                    to.flush()
                    answer = answers.readline().strip()
                    if answer in ("x", "ok"):
                        return answer == "ok"
                    return Decimal(answer)

                try:
                    yield parse
                finally:
                    to.close()


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"no {name}")
    return path


_NODE = """
const take = {
  moment: ({duration}) => (text) => { const d = duration(text); return d.isValid() ? d.asSeconds() : "x"; },
  luxon: ({Duration}) => (text) => { const d = Duration.fromISO(text); return d.isValid ? d.as("seconds") : "x"; },
  "@js-temporal/polyfill": ({Temporal}) => (text) => {
    try {
      const d = Temporal.Duration.from(text);
      return d.years || d.months || d.weeks ? "ok" : d.total("seconds");
    } catch { return "x"; }
  },
  "ajv-formats": (addFormats, require) => {
    const ajv = addFormats(new (require("ajv"))());
    const valid = ajv.compile({type: "string", format: "duration"});
    return (text) => valid(text) ? "ok" : "x";
  },
};
const name = process.argv[1], read = take[name](require(name), require);
require("readline").createInterface({input: process.stdin, terminal: false})
  .on("line", (line) => console.log(String(read(decodeURIComponent(line)))));
"""


def _node(package: str) -> Callable[[Path, Path | None], list[str]]:
    def command(directory: Path, packages: Path | None) -> list[str]:
        node = _tool("node")
        if packages is None or not (packages / "node_modules" / package).is_dir():
            raise NotInstalled(f"no node_modules/{package} in --packages")
        script = f"module.paths.unshift({str(packages.resolve() / 'node_modules')!r});{_NODE}"
        return [node, "-e", script, package]

    return command


_JAVA = """
import java.io.*; import java.math.BigDecimal; import java.net.URLDecoder; import java.time.Duration;
import javax.xml.XMLConstants; import javax.xml.transform.stream.StreamSource; import javax.xml.validation.*;
class Read {
  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Validator xsd = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new StreamSource(
      new StringReader("<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'>"
        + "<s:element name='d' type='s:duration'/></s:schema>"))).newValidator();
    for (String line; (line = in.readLine()) != null; ) {
      String text = URLDecoder.decode(line, "UTF-8"), answer = "x";
      try {
        if (arguments[0].equals("xsd")) {
          StringBuilder escaped = new StringBuilder();
          text.codePoints().forEach(code -> escaped.append("&#" + code + ";"));
          xsd.validate(new StreamSource(new StringReader("<d>" + escaped + "</d>")));
          answer = "ok";
        } else {
          Duration d = Duration.parse(text);
          answer = new BigDecimal(d.getSeconds()).add(BigDecimal.valueOf(d.getNano(), 9)).toPlainString();
        }
      } catch (Exception refused) { }
      System.out.println(answer);
    }
  }
}
"""


def _java(which: str) -> Callable[[Path, Path | None], list[str]]:
    def command(directory: Path, packages: Path | None) -> list[str]:
        (directory / "Read.java").write_text(_JAVA, encoding="ascii")
        return [_tool("java"), str(directory / "Read.java"), which]

    return command


_PHP = r"""
while (($line = fgets(STDIN)) !== false) {
  try {
    $d = new DateInterval(rawurldecode(substr($line, 0, -1)));
    echo ((($d->y * 365 + $d->m * 30 + $d->d) * 24 + $d->h) * 60 + $d->i) * 60 + $d->s, "\n";
  } catch (Throwable $refused) { echo "x\n"; }
}
"""


def _php(directory: Path, packages: Path | None) -> list[str]:
    return [_tool("php"), "-r", _PHP]


_GO = """
package main

import ("bufio"; "fmt"; "net/url"; "os"; "github.com/sosodev/duration")

func main() {
	in := bufio.NewReader(os.Stdin)
	for {
		line, end := in.ReadString('\\n')
		if end != nil { return }
		text, _ := url.PathUnescape(line[:len(line)-1])
		if d, err := duration.Parse(text); err != nil { fmt.Println("x") } else {
			n := d.ToTimeDuration().Nanoseconds()
			sign := ""
			if n < 0 { sign = "-" }
			fmt.Printf("%s%d.%09d\\n", sign, abs(n / 1e9), abs(n % 1e9))
		}
	}
}

func abs(n int64) int64 { if n < 0 { return -n }; return n }
"""


def _go(directory: Path, packages: Path | None) -> list[str]:
    go = _tool("go")
    source = None if packages is None else packages / "sosodev-duration"
    if source is None or not (source / "go.mod").is_file():
        raise NotInstalled("no sosodev-duration in --packages")
    (directory / "main.go").write_text(_GO, encoding="ascii")
    (directory / "go.mod").write_text(
        "module read\n\ngo 1.17\n\nrequire github.com/sosodev/duration v1.4.0\n\n"
        f"replace github.com/sosodev/duration => {source.resolve()}\n"
    )
    built = subprocess.run(
        [go, "build", "-mod=mod", "-o", "read", "."],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOFLAGS": "", "GOPROXY": "off"},
    )
    if built.returncode:
        raise NotInstalled(f"go build: {built.stderr.strip().splitlines()[-1]}")
    return [str(directory / "read")]


_PYTHON = """
import sys, urllib.parse, warnings
from datetime import timedelta
from decimal import Decimal

warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[2])

def django():
    from django.utils.dateparse import parse_duration
    return lambda text: micro(parse_duration(text))

def pydantic():
    from pydantic import TypeAdapter
    return lambda text: micro(TypeAdapter(timedelta).validate_python(text))

def pandas():
    from pandas import NaT, Timedelta
    return lambda text: None if (read := Timedelta(text)) is NaT else Decimal(read.as_unit("ns").value) / 10**9

def micro(length):
    return None if length is None else Decimal(length // timedelta(microseconds=1)) / 10**6

parse = globals()[sys.argv[1]]()
for line in sys.stdin:
    try:
        length = parse(urllib.parse.unquote(line[:-1]))
    except (ValueError, OverflowError):
        length = None
    print("x" if length is None else format(length, "f"), flush=True)
"""


def _python(name: str) -> Callable[[Path, Path | None], list[str]]:
    def command(directory: Path, packages: Path | None) -> list[str]:
        where = str(packages or directory)
        if importlib.machinery.PathFinder.find_spec(name, [where, *sys.path]) is None:
            raise NotInstalled(f"no {name}, nor in --packages")
        return [sys.executable, "-c", _PYTHON, name, where]

    return command


_RUBY = """
require "uri"
$stdout.sync = true
while line = $stdin.gets
  begin
    puts ActiveSupport::Duration.parse(URI.decode_www_form_component(line.chomp)).value
  rescue ActiveSupport::Duration::ISO8601Parser::ParsingError
    puts "x"
  end
end
"""


def _ruby(directory: Path, packages: Path | None) -> list[str]:
    command = [_tool("ruby"), "-ractive_support", "-ractive_support/duration", "-e"]
    if subprocess.run([*command, ""], capture_output=True, check=False).returncode:
        raise NotInstalled("no activesupport for this ruby")
    return [*command, _RUBY]


# A cluster of its own in the directory, which only a socket there leads to. The server does not run as root.
_POSTGRESQL = r"""
cd "$1"
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$(id -u)" = 0 ]; then chown postgres .; fi
trap 'as "$2/pg_ctl" -D "$1/data" -s -m immediate stop' EXIT
trap exit HUP INT TERM
as "$2/initdb" -D "$1/data" -A trust -U postgres -E UTF8 --no-locale -N >/dev/null || exit
as "$2/pg_ctl" -D "$1/data" -s -w -l "$1/log" -o "-c listen_addresses= -c fsync=off -k $1" start >/dev/null || exit
as "$2/psql" -h "$1" -U postgres -qX -c "$3" postgres || exit
as "$2/psql" -h "$1" -U postgres -qAtX postgres
"""
_SECONDS = """
create function seconds(hex text) returns text language plpgsql as $$
begin
  return extract(epoch from convert_from(decode(hex, 'hex'), 'UTF8')::interval);
exception when others then
  return 'x';
end $$
"""


def _postgresql(directory: Path, packages: Path | None) -> list[str]:
    found = shutil.which("initdb") or next(
        iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
    )
    if found is None:
        raise NotInstalled("no initdb of PostgreSQL")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        raise NotInstalled("PostgreSQL does not run as root, and there is no runuser")
    return ["/bin/sh", "-c", _POSTGRESQL, "sh", str(directory), str(Path(found).resolve().parent), _SECONDS]


def _model(name: str, variant: str = "") -> Dialect:
    return next(each for each in DIALECTS if (each.name, each.variant) == (name, variant))


PARSERS = (
    Parser(_model("moment"), "moment", _node("moment")),
    Parser(_model("luxon"), "luxon", _node("luxon")),
    Parser(_model("temporal"), "@js-temporal/polyfill", _node("@js-temporal/polyfill")),
    Parser(_model("java"), "java.time.Duration", _java("java")),
    Parser(_model("xsd"), "javax.xml.validation", _java("xsd")),
    Parser(_model("php", "as scanned"), "DateInterval", _php),
    Parser(_model("go-sosodev"), "github.com/sosodev/duration", _go),
    Parser(_model("ajv-formats"), "ajv-formats", _node("ajv-formats")),
    Parser(_model("django"), "django", _python("django")),
    Parser(_model("pydantic"), "pydantic", _python("pydantic")),
    Parser(_model("pandas"), "pandas", _python("pandas")),
    Parser(_model("activesupport"), "ActiveSupport", _ruby),
    Parser(
        _model("postgresql"),
        "PostgreSQL",
        _postgresql,
        lambda text: f"select seconds('{text.encode().hex()}');",
    ),
)


def differences(dialect: Dialect, parse: Parse) -> list[str]:
    """The texts of which a model says otherwise than its parser, with both."""
    # Processors of XML Schema need not support numbers of any size (XML Schema 1.1 part 2, 5.4).
    texts = texts_to_compare(longest_number=9 if dialect.name == "xsd" else 1000)
    answers = [(text, dialect.read(text), parse(text)) for text in texts]
    return [
        f"{text[:60]!a}: model {None if model is None else model.low}, parser {real}"
        for text, model, real in answers
        if not _same(model, real)
    ]


def texts_to_compare(*, longest_number: int = 1000) -> list[str]:
    """The table, the probes, and numbers around the boundaries of every notation, up to so many digits."""
    texts = [text for _, text in table() if len(text) <= 300]
    texts += pool(Decimal(600))
    for grid in GRIDS.values():
        texts += [
            grid.write(number) for number in (1, 59, 60, 61, 599, 600, 86_400, 10**9 - 1, 10**9, 10**12 + 7)
        ]
    too_long = re.compile(f"[1-9][0-9]{{{longest_number}}}")
    return [text for text in dict.fromkeys(texts) if _encodable(text) and not too_long.search(text)]


def _encodable(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


def _same(model: Length | None, real: Answer) -> bool:
    if model is None or isinstance(real, bool):
        return (model is not None) == (real is not False)
    # The parsers' numbers are floats, and their months and years are of one fixed or of a mean length.
    slack = abs(model.high) * Decimal("1e-9") + Decimal("0.002")
    return model.low - slack <= real <= model.high + slack


def takes(dialect: Dialect, parse: Parse, minimum: int) -> Callable[[str], bool]:
    """Whether a timer takes a text, of a target that reads with the parser and holds a minimum against the length."""

    def accepts(text: str) -> bool:
        seconds = parse(text) if _encodable(text) else False
        if isinstance(
            seconds, bool
        ):  # a parser that gives no length: the model's is held against the minimum
            length = dialect.read(text)
            return seconds and (length is None or length.low >= minimum)
        return seconds.is_finite() and (seconds >= minimum or (dialect.name == "moment" and not seconds))

    return accepts
