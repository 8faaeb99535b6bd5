"""
What was sent as lines of Hypothesis' observability format, for tools such as Tyche that show what tests looked at.

One line of JSON for each request that was judged (hypothesis.readthedocs.io/en/latest/reference/integrations.html).
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.http import Exchange
from conformance.model import BY_PARAMETER, Violation
from conformance.reporting.result import Redact, plain, record
from conformance.reporting.spool import Spool
from conformance.reporting.text import request_line


class Observations(Spool):
    """
    The lines of a run, one for each request that was judged.

    Args:
        directory: where there is room for them.
        redact: takes secrets out of every text; None where there are none.
    """

    def __init__(self, directory: Path, *, redact: Redact | None = None) -> None:
        super().__init__(directory)
        self._redact = redact
        self._began = time.time()

    def add(self, phase: str, cls: str, exchange: Exchange, violations: Sequence[Violation]) -> None:
        """
        Takes a request that was judged.

        Args:
            phase: the part of the run that sent it.
            cls: the input class that it was sent for.
            exchange: it, and what came of it.
            violations: what it shows of the rules that were asked for.
        """
        observation = plain(self._observation(phase, cls, exchange, violations), self._redact)
        self.write(lambda: self.file.write(json.dumps(observation) + "\n"))

    def _observation(
        self, phase: str, cls: str, exchange: Exchange, violations: Sequence[Violation]
    ) -> dict[str, Any]:
        form = exchange.request.form() or ()
        arguments: dict[str, list[str]] = {}
        for name, value in form:
            arguments.setdefault(name, []).append(value)
        # Two settings share most classes: what is sent for one alone is a property of its own.
        about = (
            next(iter(arguments)) if len(arguments) == 1 and arguments.keys() <= BY_PARAMETER.keys() else ""
        )
        unanswered = exchange.failure is not None or exchange.status == 429
        return {
            "type": "test_case",
            "run_start": self._began,
            "property": f"{cls} {about}".rstrip(),
            "status": "failed" if violations else "gave_up" if unanswered else "passed",
            "status_reason": "; ".join(f"{each.rule}: {each.summary}" for each in violations)
            or (exchange.failure.detail if exchange.failure is not None else ""),
            "representation": request_line(record(exchange)),
            "arguments": {
                name: values[0] if len(values) == 1 else values for name, values in arguments.items()
            },
            "how_generated": f"sent during {phase}",
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
