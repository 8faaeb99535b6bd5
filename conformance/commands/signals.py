"""
The signals that ask a command to end.

From the first import on, they end the program with exit status 130. A command that may have settings to put back has
them raise KeyboardInterrupt instead. While Python shuts down, they are ignored. This module imports next to nothing,
so that signals are handled as early as possible.
"""

import atexit
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # as type checkers have it; `typing` itself takes long to import
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

    Handler = Callable[[int, FrameType | None], Any]

ENDED = 130
"""The exit status after an interrupt: 128 and the number of SIGINT, as shells have it."""


class Interrupted(KeyboardInterrupt):
    """
    An interrupt by a signal.

    Where a `KeyboardInterrupt` itself has left `exec`, as while a dataclass is made, `python -m` kills itself with
    SIGINT at the end, though the exception was caught. It does not do so for a subclass.
    """


_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP

_left: list[int] = []
"""The signals that have asked the program to end."""


def heed(handler: "Handler") -> "Callable[[], None]":
    """
    Install a handler for Ctrl-C, for SIGTERM, and for SIGHUP unless that is ignored, as under nohup.

    Returns:
        A function that installs the earlier handlers again.
    """
    import threading

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # no other thread may choose handlers
        for number in _SIGNALS:
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)

    def undo() -> None:
        for number, previous in before.items():
            signal.signal(number, previous)

    return undo


def interrupt(number: int, frame: object) -> "NoReturn":
    """Handle a signal as Ctrl-C is handled by default."""
    raise Interrupted


def leave(number: int, frame: object) -> "NoReturn":
    """Handle a signal before or after a run: end at once, since there is nothing to put back."""
    _left.append(number)
    raise SystemExit(ENDED)


def finish(number: int, frame: object) -> None:
    """Handle a signal while reports are written: let that end, and see `end_if_left`. A further one ends at once."""
    _left.append(number)
    heed(leave)


def end_if_left() -> None:
    """End if a signal has asked for it before: the interpreter loses exceptions in callbacks of weak references."""
    if _left:
        raise SystemExit(ENDED)


def _end(number: int, frame: object) -> "NoReturn":
    """Handle a signal while the program is imported, when nothing has begun that could be undone."""
    os._exit(ENDED)


def _ignore() -> None:
    """Ignore signals from now on: Python is about to drop our handlers, and then a signal would kill the process."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _name(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122  # before pathlib is imported: a signal may come first


def _is_program() -> bool:
    """Whether this process is the command `conformance`, and not another program that imports it."""
    main = sys.modules.get("__main__")
    name = getattr(getattr(main, "__spec__", None), "name", None)
    return name in ("conformance.__main__", "conformance.cli") or _name(sys.argv[0]) == "conformance"


if _is_program():
    atexit.register(_ignore)  # first, so that it is called last
    for _number in _SIGNALS:
        if signal.getsignal(_number) is not signal.SIG_IGN:
            signal.signal(_number, _end)
