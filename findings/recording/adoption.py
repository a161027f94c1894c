"""Which row is which reported finding, though our recipe for fingerprints has changed. Pure.

A finding keeps its row, and with it its ticket and its history, when only the recipe changed: the
first report that brings it under its new fingerprint adopts the row of its former one. Where the
old recipe took two things for one, the first to come gets the row and the other is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from findings.formats.normalised import Normalised
from findings.formats.values.identity import RECIPE_VERSION
from findings.recording.rows import Known


class Reporter(NamedTuple):
    """The scope that a report is of, as far as adoption asks."""

    scope_id: int | None = None
    recipe_version: int = RECIPE_VERSION  # the oldest that its findings may have

    def may_adopt(self, row: Known) -> bool:
        """Whether nothing says that the row is of something else that was scanned.

        A row was of every scope that reported it, and names the last one. So a scope that is older
        than the recipe may have any row; a newer one only its own, and those of no scope.
        """
        if (row.recipe_version or 1) >= RECIPE_VERSION:
            return False
        return self.recipe_version < RECIPE_VERSION or row.scope_id in (None, self.scope_id)


def lookup_fingerprints(batch: Iterable[Normalised]) -> set[str]:
    """Under which the findings may be stored: the new ones and the former ones."""
    return {
        each for finding in batch for each in (finding.fingerprint, *finding.former_fingerprints)
    }


def stored_rows(
    batch: Sequence[Normalised], rows: Iterable[Known], *, reporter: Reporter
) -> dict[str, Known]:
    """The row of each finding that has one, by its (new) fingerprint.

    No row is given to two, and none that another finding of the batch has by its fingerprint.
    """
    free = {row.fingerprint: row for row in rows}
    names = {finding.fingerprint for finding in batch}
    stored = {name: free.pop(name) for name in names & free.keys()}
    for finding in batch:
        if finding.fingerprint not in stored:
            former = (free.get(each) for each in finding.former_fingerprints)
            row = next((each for each in former if each and reporter.may_adopt(each)), None)
            if row:
                stored[finding.fingerprint] = free.pop(row.fingerprint)
    return stored
