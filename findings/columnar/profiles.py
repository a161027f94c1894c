"""The columns with few values as one: a finding's profile is its value of each of them.

A million findings have some thousands of profiles, so what is asked of these columns is asked of
the profiles, and findings are gone through once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from findings.columnar.arrays import Codes, Growing
from findings.columnar.dictionary import TextColumn
from findings.columnar.remembered import Remembered
from findings.columnar.texts import Texts
from findings.facts import Ticket

PROFILE = (
    *("finding_type", "severity", "source_severity", "person_severity", "status"),
    *("ticket", "ticket_status", "ticket_rule_id", "mute_rule_id", "unmuted_rule_id"),
    *("due_rule_id", "is_mute_lifted", "is_in_inbox", "source_id", "resource_type"),
)
"""Whatever people write stands last. Ids are as `str(UUID)`, flags "true" or "false"."""
SEPARATOR = "\x1f"


class Column(NamedTuple):
    """`entries[codes[place]]` is the value of the finding at that place."""

    codes: Codes
    entries: Sequence[str]


class Profiles:
    """The distinct ones, each with a number."""

    def __init__(self) -> None:
        self.entries = Texts()
        self.columns = {
            name: TextColumn(("", Ticket.NONE) if name == "ticket" else ("",)) for name in PROFILE
        }
        self._rows = Growing(len(PROFILE))
        self.derived: Remembered[Any] = Remembered()
        """What somebody works out of the entries."""

    @property
    def nbytes(self) -> int:
        parts = sum(column.nbytes for column in self.columns.values())
        return self.entries.nbytes + self._rows.nbytes + self.derived.nbytes + parts

    def forget(self) -> None:
        """What can be worked out again."""
        self.derived.forget()
        for column in self.columns.values():
            column.forget()

    def encode(self, texts: Sequence[str]) -> Codes:
        """Each text is a value of each column of `PROFILE`, joined by `SEPARATOR`."""
        codes = self.entries.encode(texts)
        complete, count = len(self._rows.rows), len(self.entries)
        if complete < count:
            added = (
                self.entries[code].split(SEPARATOR, len(PROFILE) - 1)
                for code in range(complete, count)
            )
            parts = zip(self.columns.values(), zip(*added, strict=True), strict=True)
            self._rows.append(np.column_stack([column.encode(part) for column, part in parts]))
        return codes

    @property
    def rows(self) -> Codes:
        """Of each profile, the number of its value in each column."""
        return self._rows.rows
