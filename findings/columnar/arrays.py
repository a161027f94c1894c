"""Arrays that grow and change without moving under those who read them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

SPARE = 1.25  # of a buffer that had to grow


class Vector(Generic[Scalar]):
    """An immutable array. The next one shares its buffer where it only adds to the end.

    Only one thread makes the next one, always of the newest.
    """

    __slots__ = ("_buffer", "values")

    def __init__(self, buffer: NDArray[Scalar], size: int | None = None) -> None:
        self._buffer = buffer
        self.values: NDArray[Scalar] = buffer if size is None else buffer[:size]

    def appended(self, added: NDArray[Scalar]) -> Vector[Scalar]:
        size = len(self.values)
        end = size + len(added)
        buffer = self._buffer
        if end > len(buffer):
            buffer = np.empty(max(end, int(size * SPARE)), dtype=buffer.dtype)
            buffer[:size] = self.values
        buffer[size:end] = added
        return Vector(buffer, end)

    def replaced(self, places: Places, values: NDArray[Scalar]) -> Vector[Scalar]:
        if np.array_equal(self.values[places], values):
            return self
        buffer = self._buffer.copy()
        buffer[places] = values
        return Vector(buffer, len(self.values))

    @property
    def nbytes(self) -> int:
        return self._buffer.nbytes


class Growing:
    """Rows of int32 that are added to at their end by one thread, and read by all."""

    def __init__(self, width: int) -> None:
        self._buffer = np.empty((16, width), dtype=np.int32)
        self._size = 0

    def append(self, rows: Any) -> None:
        """Rows as lists of `width` numbers, or an array of them."""
        added = np.asarray(rows, dtype=np.int32).reshape(-1, self._buffer.shape[1])
        end = self._size + len(added)
        if end > len(self._buffer):
            buffer = np.empty((int(end * SPARE), self._buffer.shape[1]), dtype=np.int32)
            buffer[: self._size] = self._buffer[: self._size]
            self._buffer = buffer
        self._buffer[self._size : end] = added
        self._size = end

    @property
    def rows(self) -> Codes:
        return self._buffer[: self._size]

    @property
    def nbytes(self) -> int:
        return self._buffer.nbytes
