"""Commands of the command line, each a thin front of its own; `conformance.cli` puts them together."""
