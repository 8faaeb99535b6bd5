"""All faults, variants and dialects, by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from conformance.emulator.alterations import Fault, Step, Variant
from conformance.emulator.errors import UnknownName
from conformance.emulator.faults import (
    closer_looks,
    hidden,
    protocol,
    response,
    robustness,
    sids,
    state,
    timers,
)
from conformance.emulator.odd_variants import ALL as ODD_VARIANTS
from conformance.emulator.variants import ALL as USUAL_VARIANTS
from conformance.emulator.variants import DIALECTS as ALL_DIALECTS
from conformance.emulator.variants import Dialect

__all__ = [
    "ALL_DIALECTS",
    "ALL_FAULTS",
    "ALL_VARIANTS",
    "DIALECTS",
    "FAULTS",
    "HIDDEN",
    "VARIANTS",
    "Dialect",
    "Fault",
    "Step",
    "Variant",
    "alterations_named",
]

ALL_FAULTS: tuple[Fault, ...] = (
    *timers.ALL,
    *sids.ALL,
    *response.ALL,
    *state.ALL,
    *protocol.ALL,
    *robustness.ALL,
    *closer_looks.ALL,
    *hidden.ALL,
)
ALL_VARIANTS: tuple[Variant, ...] = (*USUAL_VARIANTS, *ODD_VARIANTS)
FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in ALL_FAULTS})
# Those that show only on an occasion. The self-test examines them apart, since the suite does not catch them all.
HIDDEN: frozenset[str] = frozenset(fault.name for fault in hidden.ALL)
VARIANTS: Mapping[str, Variant] = MappingProxyType({variant.name: variant for variant in ALL_VARIANTS})
# `--variant` builds a dialect in as well. The self-test leaves dialects out: most of them are not conformant.
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in ALL_DIALECTS})


def alterations_named(*, variants: Sequence[str], faults: Sequence[str]) -> list[Fault | Variant | Dialect]:
    """Return the variants, dialects among them, and then the faults of these names, in order.

    Raises:
        UnknownName: There is no such fault or variant.
    """
    choices: Mapping[str, Variant | Dialect] = {**VARIANTS, **DIALECTS}
    for kind, names, known in (("variant", variants, [*choices]), ("fault", faults, [*FAULTS])):
        for name in names:
            if name not in known:
                raise UnknownName(kind, name, known)
    return [*(choices[name] for name in variants), *(FAULTS[name] for name in faults)]
