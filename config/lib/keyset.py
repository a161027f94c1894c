"""Where a page of a long list begins: the values of the last row before it, as an opaque text.

What comes back from a client is bounded before anything is done with it: a keyset that `write`
never gave is a BadKeyset, whatever it holds.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_LENGTH = 300  # of the text


class BadKeyset(ValueError):
    """A text that no page of the list ever led to."""


class Column(Protocol):
    def write(self, value: Any) -> str: ...
    def read(self, text: str) -> Any:
        """Raises ValueError or OverflowError."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number that its column can hold."""

    least: int = 0
    most: int = 2**63 - 1

    def write(self, value: int) -> str:
        return str(value)

    def read(self, text: str) -> int:
        number = int(text) if len(text) < 21 else self.most + 1
        if not self.least <= number <= self.most:
            raise ValueError("a number beyond its column")
        return number


@dataclass(frozen=True, slots=True)
class Moment:
    """A time with its zone, exact to the microsecond, which every database can hold."""

    earliest: ClassVar[datetime] = datetime(1000, 1, 1, tzinfo=UTC)
    latest: ClassVar[datetime] = datetime(9000, 1, 1, tzinfo=UTC)

    def write(self, value: datetime) -> str:
        return str((value - _EPOCH) // _MICROSECOND)

    def read(self, text: str) -> datetime:
        moment = _EPOCH + timedelta(microseconds=Whole(least=-(2**63)).read(text))
        if not self.earliest <= moment <= self.latest:
            raise ValueError("a time beyond the calendar")
        return moment


@dataclass(frozen=True, slots=True)
class Identifier:
    def write(self, value: UUID) -> str:
        return value.hex

    def read(self, text: str) -> UUID:
        return UUID(hex=text)


class Keyset:
    """`Keyset(Moment(), Whole())` reads and writes (time, number)."""

    def __init__(self, *columns: Column) -> None:
        self._columns = columns

    def write(self, *values: Any) -> str:
        parts = (each.write(value) for each, value in zip(self._columns, values, strict=True))
        return urlsafe_b64encode(".".join(parts).encode()).decode()

    def read(self, text: str) -> tuple[Any, ...]:
        """The values, of the types of the columns. Raises BadKeyset."""
        if len(text) > MAX_LENGTH:
            raise BadKeyset(text[:MAX_LENGTH])
        try:
            parts = urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(".")
            return tuple(each.read(part) for each, part in zip(self._columns, parts, strict=True))
        except (ValueError, OverflowError, binascii.Error) as error:
            raise BadKeyset(text[:MAX_LENGTH]) from error
