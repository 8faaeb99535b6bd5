"""
How a cause can follow from another.

Each function in `refusals`, `leniency` and `losses` takes two causes, and says whether the first explains the second.
Most do so only where the first makes the more basic claim (`conformance.model.Aspect`); those in `ANYWHERE` do so
whatever it claims: they are about how a value was sent. Where nothing in the run says so, two causes stay apart: two
mistakes that are reported as one hide one of them.
"""

from itertools import chain

from conformance.attribution import leniency, losses, refusals
from conformance.attribution.cause import Cause

_MODULES = (refusals, leniency, losses)


def explains(root: Cause, cause: Cause) -> bool:
    """Whether one cause explains another; a broken SHOULD never explains a broken MUST."""
    if cause.is_must and not root.is_must:
        return False
    is_basic = root.aspect <= cause.aspect
    return any(
        follows(root, cause)
        for module in _MODULES
        for follows in chain(module.ANYWHERE, module.WHERE_MORE_BASIC if is_basic else ())
    )
