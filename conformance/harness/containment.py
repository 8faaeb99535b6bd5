"""Contains errors: a part of the suite that fails at what a target sent costs itself, and never the verdict."""

from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

from conformance.model import described

P = ParamSpec("P")
T = TypeVar("T")


class Parts:
    """
    The parts of a run that the verdict does not need, such as a report. Each goes on without the others.

    A line names each part that fails.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._failed: set[str] = set()

    def contain(self, part: str, work: Callable[P, T]) -> Callable[P, T | None]:
        """
        Make a function that does some work until it fails; then all work of that part ends.

        After an error its result is None.
        """

        def contained(*arguments: P.args, **options: P.kwargs) -> T | None:
            if part in self._failed:
                return None
            try:
                return work(*arguments, **options)
            except Exception as error:  # noqa: BLE001  # whatever it is, the run goes on
                self._failed.add(part)
                with suppress(Exception):  # the terminal may be what has failed
                    self._tell(f"the run goes on without {part}: {described(error)}")
                return None

        return contained
