"""Everything a search finds as lines of CSV, read from the database as they are sent."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from findings.explorer.columns import ALWAYS, COLUMNS
from findings.explorer.pages import Sort, walk
from findings.explorer.search import Search

AT_ONCE = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file that holds the line last written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(search: Search, *, sort: Sort, columns: Sequence[str]) -> Iterator[str]:
    """At any time AT_ONCE findings are in memory."""
    says = dict(ALWAYS)
    for name in columns:
        says |= COLUMNS[name].says
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(says)
    yield "\ufeff" + line.text  # without it Excel takes UTF-8 for Latin-1
    for findings in walk(search, sort=sort, at_once=AT_ONCE):
        for finding in findings:
            writer.writerow([_harmless(say(finding)) for say in says.values()])
            yield line.text


def _harmless(text: str) -> str:
    """A text that a spreadsheet would run as a formula, marked as a text."""
    return f"'{text}" if text.lstrip(" \n").startswith(_FORMULA) else text
