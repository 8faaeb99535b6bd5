"""
Exchanges as an HTTP Archive 1.2 (w3c.github.io/web-performance/specs/HAR), for the network panel of a browser.

An `Archive` takes every exchange of a run when it has ended, and keeps it on disk and not in memory. `render` makes an
archive of a result document alone, which holds the counterexamples and no other exchange.
"""

import base64
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

import harfile

from conformance.contract import SUITE
from conformance.http import Exchange
from conformance.reporting.result import Redact, plain, record
from conformance.reporting.spool import Spool
from conformance.reporting.text import Document, body

LARGEST = 64 * 1024
"""Most bytes of an answer's body in the archive of a run: a browser has to hold all of it."""

LONGEST = 2 * 1024
"""Most characters of a header line there; of all lines together, `LARGEST` at most."""


class Archive(Spool):
    """
    The exchanges of a run with a target, added one by one, and kept in a directory that has enough room for them.

    `redact` takes secrets out of every text and body; None where there are none.
    """

    def __init__(
        self, directory: Path, *, target: str, version: str = "", redact: Redact | None = None
    ) -> None:
        super().__init__(directory)
        self._redact = redact
        self._har = harfile.HarFile(self.file, creator=_creator(version), comment=target)

    def add(self, exchange: Exchange) -> None:
        """Add an exchange that has just ended; any thread may call this."""
        began = datetime.now(UTC) - timedelta(seconds=exchange.elapsed)
        recorded = record(exchange)
        if self._redact is not None:
            recorded = plain(recorded, self._redact)
        self.write(lambda: _add(self._har, recorded, began, f"exchange {exchange.number}", LARGEST))

    def copy(self, file: BinaryIO) -> None:
        """Write the archive to a file; no exchange can be added after that."""
        self.write(self._har.close)
        super().copy(file)


def join_archives(archives: Sequence[Path], file: BinaryIO, redact: Redact | None = None) -> None:
    """Write the archives of several runs as one, redacted, and with one series of numbers for all exchanges."""
    first, *others = (json.loads(path.read_bytes()) for path in archives)
    entries = first["log"]["entries"]
    for other in others:
        before = len(entries)
        for entry in other["log"]["entries"]:
            number = before + int(entry["comment"].removeprefix("exchange "))
            entries.append({**entry, "comment": f"exchange {number}"})
    file.write(json.dumps(plain(first, redact)).encode("ascii"))


def render(document: Document) -> str:
    """Return the HAR of a result document: each exchange of a finding once, in the order sent."""
    exchanges: dict[int, Document] = {}
    comments: dict[int, list[str]] = {}
    for finding in document["findings"]:
        for exchange in finding["exchanges"]:
            number = exchange["number"]
            exchanges[number] = exchange
            comments.setdefault(number, [f"exchange {number}"]).append(
                f"{finding['rule']} {finding['class']}"
            )
    started = datetime.fromisoformat(document["started_at"])
    output = io.StringIO()
    creator = _creator(document["versions"].get(SUITE, ""))
    with harfile.HarFile(output, creator=creator, comment=document["target"]) as har:
        for number, exchange in sorted(exchanges.items()):
            began = started + timedelta(seconds=exchange["started_s"])
            _add(har, exchange, began, "; ".join(dict.fromkeys(comments[number])))
    return output.getvalue() + "\n"


def _creator(version: str) -> harfile.Creator:
    return harfile.Creator(name=SUITE, version=version)


def _add(
    har: harfile.HarFile, exchange: Document, began: datetime, comment: str, largest: int | None = None
) -> None:
    milliseconds = round(exchange["elapsed_s"] * 1000, 1)
    har.add_entry(
        startedDateTime=began,
        time=milliseconds,
        request=_request(exchange),
        response=_response(exchange, largest),
        timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
        connection=str(exchange["connection"]) if "connection" in exchange else None,
        comment=comment,
    )


def _request(exchange: Document) -> harfile.Request:
    request = exchange["request"]
    raw = body(request)
    return harfile.Request(
        method=request["method"],
        url=request["url"],
        httpVersion=exchange.get("response", {}).get("http_version", "HTTP/1.1"),
        headers=_records(request["headers"]),
        queryString=[
            harfile.Record(name, value)
            for name, value in parse_qsl(urlsplit(request["url"]).query, keep_blank_values=True)
        ],
        # HAR 1.2 has no encoding for what is posted; bytes that are no UTF-8 are in result.json.
        postData=harfile.PostData(mimeType=request["content_type"] or "", text=raw.decode("utf-8", "replace"))
        if raw is not None
        else None,
        bodySize=len(raw or b""),
        comment=f"written by hand: {request['by_hand']}" if "by_hand" in request else None,
    )


def _response(exchange: Document, largest: int | None) -> harfile.Response:
    response = exchange.get("response")
    if response is None:
        failure = exchange.get("failure")
        # Status 0 is how browsers write down that no response came.
        return harfile.Response(
            status=0,
            statusText="",
            httpVersion="",
            content=harfile.Content(),
            comment=f"{failure['kind']}: {failure['detail']}" if failure else "",
        )
    raw = body(response) or b""
    content = harfile.Content(size=len(raw), mimeType=_header(response, "content-type")[:LONGEST])
    if "body_base64" in response:
        content.text, content.encoding = base64.b64encode(raw[:largest]).decode("ascii"), "base64"
    else:
        content.text = raw[:largest].decode("utf-8", "ignore")
    if largest is not None and len(raw) > largest:
        content.comment = f"the first {largest:,} bytes"
    return harfile.Response(
        status=response["status"],
        statusText="",
        httpVersion=response["http_version"],
        headers=_records(response["headers"], largest),
        content=content,
        redirectURL=_header(response, "location")[:LONGEST],
        bodySize=len(raw),
    )


def _header(response: Document, name: str) -> str:
    return next((value for key, value in response["headers"] if key.lower() == name), "")


def _records(headers: list[list[str]], largest: int | None = None) -> list[harfile.Record]:
    """Return the header lines, cut as bodies are if there is a limit; the comment of a line that was cut says so."""
    records: list[harfile.Record] = []
    left = largest
    for name, value in headers:
        limit = None if left is None else max(0, min(LONGEST, left - len(name)))
        if limit == 0:
            break
        is_cut = limit is not None and len(value) > limit
        comment = f"the first {limit:,} characters" if is_cut else None
        records.append(harfile.Record(name[:LONGEST], value[:limit], comment))
        if left is not None:
            left -= len(name) + len(value[:limit])
    return records
