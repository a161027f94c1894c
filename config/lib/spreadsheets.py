"""CSV that a spreadsheet opens without running anything of it."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator

_FORMULA = ("=", "+", "-", "\N{MINUS SIGN}", "@")
_ROW_BREAKS = ("\t", "\r", "\n")


class _Line:
    """A file that holds the line last written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Each row as a line of CSV, made when it is asked for; the first has a byte order mark."""
    line, mark = _Line(), "\ufeff"  # without it Excel takes UTF-8 for Latin-1
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([harmless(text) for text in row])
        yield mark + line.text
        mark = ""


def harmless(text: str) -> str:
    """A text that a spreadsheet would run as a formula, marked as a text.

    Spreadsheets set to East Asian languages take the full-width signs for the plain ones
    (NFKC makes them that), and all of them look past spaces and marks that are not seen.
    """
    seen = text.lstrip()
    while seen and unicodedata.category(seen[0]) in ("Cf", "Cc", "Zs"):
        seen = seen[1:]
    sign = unicodedata.normalize("NFKC", seen[:1])
    starts_badly = sign.startswith(_FORMULA) or text.startswith(_ROW_BREAKS)
    return f"'{text}" if starts_badly else text
