"""Faults that hide: each shows only in a combination, after a history, or on a certain occasion.

`conformance selftest` examines them where `--hidden` asks for them; their group is their kind.
"""

from conformance.emulator.alterations import Fault
from conformance.emulator.faults.hidden import (
    accounts,
    answers,
    combinations,
    company,
    concurrency,
    connections,
    credentials,
    encodings,
    headers,
    history,
    http,
    sizes,
    values,
)

__all__ = ["ALL"]

ALL: tuple[Fault, ...] = (
    *credentials.ALL,
    *combinations.ALL,
    *company.ALL,
    *accounts.ALL,
    *values.ALL,
    *encodings.ALL,
    *sizes.ALL,
    *history.ALL,
    *connections.ALL,
    *headers.ALL,
    *http.ALL,
    *concurrency.ALL,
    *answers.ALL,
)
