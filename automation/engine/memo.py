"""Answers kept within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """`memo[key]` is `answer(key)`, remembered. A full memo forgets all and starts over.

    Forgetting all costs nothing per hit, where a least-recently-used list would cost each one.
    Threads may share it: both steps of a change are atomic, and two answers to one key are equal.
    """

    def __init__(self, answer: Callable[[K], V], most: int) -> None:
        super().__init__()
        self._answer = answer
        self._most = most

    def __missing__(self, key: K) -> V:
        value = self._answer(key)
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
