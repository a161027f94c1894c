"""Answers that cost the database something, and that machines ask for as often as they like."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
KEPT_SECONDS: Final = 1.0


class Fresh(Generic[T]):
    """What `read` gives, read at most once a second, and by one thread at a time."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_SECONDS:
                self._kept = None
                value = self._read()
                self._kept = (time.monotonic(), value)
            return self._kept[1]

    def forget(self) -> None:
        self._kept = None
