"""The reference emulator of the Configuration resource, right or with faults built in at will."""

from conformance.emulator.app import create_app
from conformance.emulator.catalogue import FAULTS, VARIANTS, Fault, Step, Variant
from conformance.emulator.errors import BadAccounts, BadDatabase, EmulatorError, UnknownName
from conformance.emulator.server import serve

__all__ = [
    "FAULTS",
    "VARIANTS",
    "BadAccounts",
    "BadDatabase",
    "EmulatorError",
    "Fault",
    "Step",
    "UnknownName",
    "Variant",
    "create_app",
    "serve",
]
