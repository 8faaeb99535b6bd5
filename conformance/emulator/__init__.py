"""The reference emulator of the Configuration resource, right or with faults built in at will."""

from conformance.emulator.app import create_app
from conformance.emulator.catalogue import DIALECTS, FAULTS, HIDDEN, VARIANTS, Dialect, Fault, Step, Variant
from conformance.emulator.errors import BadAccounts, BadDatabase, EmulatorError, UnknownName
from conformance.emulator.server import serve, serve_app, serving

__all__ = [
    "DIALECTS",
    "FAULTS",
    "HIDDEN",
    "VARIANTS",
    "BadAccounts",
    "BadDatabase",
    "Dialect",
    "EmulatorError",
    "Fault",
    "Step",
    "UnknownName",
    "Variant",
    "create_app",
    "serve",
    "serve_app",
    "serving",
]
