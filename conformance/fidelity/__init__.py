"""Fidelity: a script of requests, the recording of its answers, and what two recordings of one script differ in."""
