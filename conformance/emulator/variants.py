from conformance.emulator.alterations import Variant

ALL: tuple[Variant, ...] = ()
