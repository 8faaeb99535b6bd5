"""Mistakes that can be built into the emulator, one module for each group of rules."""
