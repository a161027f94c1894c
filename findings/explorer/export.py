"""Everything a search finds as lines of CSV, read from the database as they are taken."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from config.lib.spreadsheets import harmless
from findings.explorer.columns import ALWAYS, columns_of
from findings.explorer.group_labels import title_of_fields
from findings.explorer.group_values import value_names
from findings.explorer.pages import Sort, walk
from findings.explorer.search import Search
from findings.grouping import group_field
from findings.models import Finding

AT_ONCE = 1_000


class _Line:
    """A file that holds the line last written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _groups(search: Search) -> dict[str, Callable[[Finding], str]]:
    labels = [title_of_fields([group_field(name)]) for name in search.group]
    return dict(zip(labels, map(attrgetter, value_names(search.group)), strict=True))


def csv_lines(search: Search, *, sort: Sort, columns: Sequence[str]) -> Iterator[str]:
    """At any time AT_ONCE findings are in memory. Of a grouped search, what each finding is
    grouped by stands first."""
    cells = _groups(search) | dict(ALWAYS)
    chosen = columns_of(columns)
    for column in chosen:
        cells |= column.in_file()
    with_attributes = any(column.reads_attributes for column in chosen)
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(cells)
    yield "\ufeff" + line.text  # without it Excel takes UTF-8 for Latin-1
    for findings in walk(search, sort=sort, at_once=AT_ONCE, with_attributes=with_attributes):
        for finding in findings:
            writer.writerow([harmless(cell(finding)) for cell in cells.values()])
            yield line.text
