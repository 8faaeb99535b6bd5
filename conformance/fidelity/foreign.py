"""Reads recordings that other programs have made: HTTP archives (HAR), and cassettes of VCR.py."""

from conformance.exceptions import RecordingError
from conformance.fidelity.recording import Recording


def read(data: bytes, name: str) -> Recording:
    raise RecordingError(f"{name}: neither a recording of this suite, nor a HAR, nor a cassette of VCR")
