"""The signals that ask a command to end."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn


def heed(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Have a handler called for Ctrl-C, for SIGTERM and, unless it is to be ignored as under nohup, for SIGHUP."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            signal.signal(number, handler)


def interrupt(number: int, frame: object) -> NoReturn:
    """Handle a signal as Ctrl-C is handled by default."""
    raise KeyboardInterrupt
