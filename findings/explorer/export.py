"""Everything a search finds as lines of CSV, read from the database as they are taken."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from config.lib.spreadsheets import harmless
from findings.explorer.columns import ALWAYS, COLUMNS
from findings.explorer.pages import Sort, walk
from findings.explorer.search import Search

AT_ONCE = 1_000


class _Line:
    """A file that holds the line last written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(search: Search, *, sort: Sort, columns: Sequence[str]) -> Iterator[str]:
    """At any time AT_ONCE findings are in memory."""
    cells = dict(ALWAYS)
    for name in columns:
        cells |= COLUMNS[name].cells
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(cells)
    yield "\ufeff" + line.text  # without it Excel takes UTF-8 for Latin-1
    for findings in walk(search, sort=sort, at_once=AT_ONCE):
        for finding in findings:
            writer.writerow([harmless(cell(finding)) for cell in cells.values()])
            yield line.text
