"""Which of the findings that fail together fail alone."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Pks = Sequence[int]


class ChunkError(Exception):
    """These findings were at hand; what was raised is the cause."""

    def __init__(self, pks: Pks) -> None:
        super().__init__(pks)
        self.pks = pks


class Culprit(NamedTuple):
    pk: int
    error: BaseException | None


@dataclass(slots=True)
class Bisection:
    """Evaluates what is left in ever smaller parts. `evaluate` raises ChunkError."""

    evaluate: Callable[[Pks], int]
    done: int = 0
    culprits: list[Culprit] = field(default_factory=list)
    _left: list[Pks] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether something is left that was not tried."""
        return bool(self._left)

    def split(self, failed: ChunkError) -> None:
        middle = len(failed.pks) // 2
        if middle:
            self._left += [failed.pks[middle:], failed.pks[:middle]]  # the oldest on top
        else:
            self.culprits.append(Culprit(failed.pks[0], failed.__cause__))

    def add(self, parts: Iterable[Pks]) -> None:
        self._left += parts

    def try_together(self, pks: Pks) -> None:
        try:
            self.done += self.evaluate(pks)
        except ChunkError as failed:
            self.split(failed)

    def run(self, *, until: float, enough: int | None = None) -> None:
        """Until all is done or it is time; or, while nothing succeeds, so many have failed."""
        while self._left and time.monotonic() < until:
            if enough and not self.done and len(self.culprits) >= enough:
                return
            self.try_together(self._left.pop())

    def find_success(self, *, until: float) -> bool:
        """Whether anything of what is left succeeds, as far as there is time to look.

        At random, so that what succeeds is found by and by among however many that fail.
        """
        while self._left and not self.done and time.monotonic() < until:
            at = random.randrange(len(self._left))  # noqa: S311  nothing secret
            self._left[at], self._left[-1] = self._left[-1], self._left[at]
            self.try_together(self._left.pop())
        return self.done > 0
