"""What every bench answers: measured against a goal of the design."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    what: str
    measured: str
    goal: str
    ok: bool | None  # None: measured for information, no goal
