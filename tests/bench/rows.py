"""What every bench answers, and what it is asked."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    full: bool = False  # a million findings, too
    filled: str = ""  # address of a database that `fill` has filled, instead of the largest
    times: int = 20  # requests of each kind


class Row(NamedTuple):
    """A number of one run. The goal for it, if there is one, stands in `goals` under `what`."""

    what: str
    value: float
    unit: str  # "×", "ms", "kB", …
    note: str = ""  # what else was measured with it
