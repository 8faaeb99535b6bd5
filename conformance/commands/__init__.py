"""The commands of the command line, one module each; `conformance.cli` adds them to the program."""
