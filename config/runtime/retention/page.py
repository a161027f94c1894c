"""What the page of retention says of each kind of row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.lib.retention import RowKind, days_kept, row_kinds
from config.runtime.models import Retention
from config.runtime.retention.nightly import night_of


@dataclass(frozen=True, slots=True)
class KeptRows:
    kind: RowKind
    days: int  # 0: forever
    state: Retention  # as the last run left it
    is_running: bool

    @property
    def kept(self) -> str:
        if self.kind.task:
            return "Until they are over"
        return f"{self.days:,} days" if self.days else "Forever"

    @property
    def held(self) -> str:
        return self.state.held


def kept_rows(now: datetime) -> list[KeptRows]:
    """One statement, whatever the number of rows: numbers are those of the last run."""
    states = Retention.objects.in_bulk()
    found = []
    for kind in row_kinds():
        state = states.get(kind.name) or Retention(kind=kind.name)
        is_tonight = state.night == night_of(now)
        running = is_tonight and not state.is_done and not state.held
        found.append(KeptRows(kind, days_kept(kind), state, running))
    return sorted(found, key=lambda row: row.kind.label.lower())
