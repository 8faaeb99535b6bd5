"""The witnesses of all findings as an HTTP Archive 1.2 (w3c.github.io/web-performance/specs/HAR), for a browser."""

import base64
import io
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import harfile

from conformance.reporting.text import Document, body


def render(document: Document) -> str:
    """The HAR of a result document: each exchange of a finding once, in the order sent."""
    exchanges: dict[int, Document] = {}
    told: dict[int, list[str]] = {}
    for finding in document["findings"]:
        for exchange in finding["exchanges"]:
            exchanges[exchange["number"]] = exchange
            told.setdefault(exchange["number"], []).append(f"{finding['rule']} {finding['class']}")
    started = datetime.fromisoformat(document["started_at"])
    output = io.StringIO()
    creator = harfile.Creator(name="conformance", version=document["versions"].get("conformance", ""))
    with harfile.HarFile(output, creator=creator, comment=document["target"]) as har:
        for number, exchange in sorted(exchanges.items()):
            milliseconds = round(exchange["elapsed_s"] * 1000, 1)
            har.add_entry(
                startedDateTime=started + timedelta(seconds=exchange["started_s"]),
                time=milliseconds,
                request=_request(exchange),
                response=_response(exchange),
                timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
                comment="; ".join(dict.fromkeys(told[number])),
            )
    return output.getvalue() + "\n"


def _request(exchange: Document) -> harfile.Request:
    request = exchange["request"]
    raw = body(request)
    return harfile.Request(
        method=request["method"],
        url=request["url"],
        httpVersion=_version(exchange),
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
    )


def _response(exchange: Document) -> harfile.Response:
    response = exchange.get("response")
    if response is None:
        failure = exchange["failure"]
        # Status 0 is how browsers write down that no response came.
        return harfile.Response(
            status=0,
            statusText="",
            httpVersion="",
            content=harfile.Content(),
            comment=f"{failure['kind']}: {failure['detail']}",
        )
    raw = body(response) or b""
    media_type = _header(response, "content-type")
    content = harfile.Content(size=len(raw), mimeType=media_type, text=response.get("body", ""))
    if "body_base64" in response:
        content.text, content.encoding = base64.b64encode(raw).decode("ascii"), "base64"
    return harfile.Response(
        status=response["status"],
        statusText="",
        httpVersion=response["http_version"],
        headers=_records(response["headers"]),
        content=content,
        redirectURL=_header(response, "location"),
        bodySize=len(raw),
    )


def _version(exchange: Document) -> str:
    return str(exchange.get("response", {}).get("http_version", "HTTP/1.1"))


def _header(response: Document, name: str) -> str:
    return next((value for key, value in response["headers"] if key.lower() == name), "")


def _records(headers: list[list[str]]) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in headers]
