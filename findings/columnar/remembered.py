"""What was worked out of the entries of a dictionary: the last of it, in so many bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

MAX_REMEMBERED = 128  # of a dictionary
MAX_BYTES = 128 * 1024 * 1024
"""Of a dictionary; one that takes more by itself is remembered alone."""
_KEY = 500  # bytes of a question and of its place


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Remembered(Generic[Value]):
    """Any thread may ask and keep. What grows is kept again, so that its size counts."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        with self._lock:
            return self._nbytes()

    def _nbytes(self) -> int:
        return sum(_KEY + value.nbytes for value in self._known.values())

    def get(self, question: Hashable) -> Value | None:
        with self._lock:
            if question not in self._known:
                return None
            self._known.move_to_end(question)
            return self._known[question]

    def keep(self, question: Hashable, value: Value) -> Value:
        with self._lock:
            self._known[question] = value
            self._known.move_to_end(question)
            while len(self._known) > 1 and (
                len(self._known) > MAX_REMEMBERED or self._nbytes() > MAX_BYTES
            ):
                self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


class Dictionary(Protocol):
    """Whose entries something is worked out of; or a table."""

    @property
    def derived(self) -> Remembered[Any]: ...


Kept = TypeVar("Kept", bound=Sized)


def keep(dictionary: Dictionary, name: Hashable, make: Callable[[], Kept]) -> Kept:
    """With the dictionary, for as long as that has room for it."""
    known: Kept | None = dictionary.derived.get(name)
    return dictionary.derived.keep(name, make()) if known is None else known
