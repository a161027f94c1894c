"""Pages of a list that are counted: "51–100 of 412"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ROWS = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[T]):
    rows: Sequence[T]
    number: int  # of the page, from 1
    total: int  # of rows on all pages

    @property
    def shown(self) -> str:
        if not self.rows:
            return ""
        first = (self.number - 1) * ROWS + 1
        return f"{first:,}–{first + len(self.rows) - 1:,} of {self.total:,}"

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number * ROWS < self.total else None


def nearest_page(asked: int, *, total: int) -> int:
    """The page that is asked for, or the last there is."""
    return max(1, min(asked, -(-total // ROWS)))


def rows_of(number: int) -> slice:
    return slice((number - 1) * ROWS, number * ROWS)
