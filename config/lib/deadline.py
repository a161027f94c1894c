"""The moment by which a piece of work has to end, handed down to everything it calls.

The queue kills a task after `Q_CLUSTER["timeout"]` seconds, whatever it is at. So each task makes
one deadline well before that, and what it calls takes its own time-outs from what is left: their
sum cannot be longer, however many calls there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

TASK_SECONDS = 40.0
"""For the calls of one task. The queue's kill is 20 s later: time to store what they said."""
PAGE_SECONDS = 20.0
"""For those of a web request, while a person waits."""


class Deadline:
    """`Deadline(40)`: in forty seconds. Of a clock that nobody can set."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + max(seconds, 0.0)

    @property
    def left(self) -> float:
        """Seconds; never less than nothing."""
        return max(self._at - self._clock(), 0.0)

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def within(self, seconds: float) -> Self:
        """A part of it: ends after so many seconds, and never later than the whole."""
        return type(self)(min(seconds, self.left), clock=self._clock)
