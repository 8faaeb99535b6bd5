"""All faults and variants, by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from conformance.emulator.alterations import Fault, Step, Variant
from conformance.emulator.errors import UnknownName
from conformance.emulator.faults import protocol, response, robustness, sids, state, timers
from conformance.emulator.variants import ALL as ALL_VARIANTS

__all__ = [
    "ALL_FAULTS",
    "ALL_VARIANTS",
    "FAULTS",
    "VARIANTS",
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
)
FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in ALL_FAULTS})
VARIANTS: Mapping[str, Variant] = MappingProxyType({variant.name: variant for variant in ALL_VARIANTS})


def alterations_named(*, variants: Sequence[str], faults: Sequence[str]) -> list[Fault | Variant]:
    """Return the variants and then the faults of these names, in order.

    Raises:
        UnknownName: There is no such fault or variant.
    """
    for kind, names, known in (("variant", variants, [*VARIANTS]), ("fault", faults, [*FAULTS])):
        for name in names:
            if name not in known:
                raise UnknownName(kind, name, known)
    return [*(VARIANTS[name] for name in variants), *(FAULTS[name] for name in faults)]
