"""
Writes the requests of a run in Hypothesis' observability format, for tools such as Tyche.

One line of JSON for each judged request (hypothesis.readthedocs.io/en/latest/reference/integrations.html).
"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.model import BY_PARAMETER
from conformance.reporting.result import Redact, plain, record
from conformance.reporting.spool import Spool
from conformance.reporting.text import request_line

if TYPE_CHECKING:
    from conformance.harness.events import ExchangeJudged


class Observations(Spool):
    """
    The lines of a run, one for each request that was judged, kept in a directory that has enough room for them.

    `redact` takes secrets out of every text; None where there are none.
    """

    def __init__(self, directory: Path, *, redact: Redact | None = None) -> None:
        super().__init__(directory)
        self._redact = redact
        self._began = time.time()

    def add(self, judged: "ExchangeJudged") -> None:
        """Add a request that was judged."""
        observation = plain(self._observation(judged), self._redact)
        self.write(lambda: self.file.write(json.dumps(observation) + "\n"))

    def _observation(self, judged: "ExchangeJudged") -> dict[str, Any]:
        exchange, violations = judged.exchange, judged.violations
        form = exchange.request.form() or ()
        arguments: dict[str, list[str]] = {}
        for name, value in form:
            arguments.setdefault(name, []).append(value)
        # Two settings share most classes: what is sent for one alone is a property of its own.
        names = list(arguments)
        about = names[0] if len(names) == 1 and names[0] in BY_PARAMETER else ""
        unanswered = exchange.failure is not None or exchange.status == 429
        return {
            "type": "test_case",
            "run_start": self._began,
            "property": f"{judged.cls} {about}".rstrip(),
            "status": "failed" if violations else "gave_up" if unanswered else "passed",
            "status_reason": "; ".join(f"{each.rule}: {each.summary}" for each in violations)
            or (exchange.failure.detail if exchange.failure is not None else ""),
            "representation": request_line(record(exchange)),
            "arguments": {
                name: values[0] if len(values) == 1 else values for name, values in arguments.items()
            },
            "how_generated": f"sent during {judged.phase}",
            "features": {
                "status": str(exchange.failure.kind if exchange.failure is not None else exchange.status),
                "method": exchange.request.method,
                "parameters": len(form),
                "length of the body": len(exchange.request.body or b""),
            },
            "coverage": None,
            "timing": {"execute:test": exchange.elapsed},
            "metadata": {"exchange": exchange.number, "rules": [each.rule for each in violations]},
        }
