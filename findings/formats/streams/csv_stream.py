"""Reading CSV reports of any size, row by row.

The first row names the columns, unless a reader knows its header among the first ones: some tools
write about the report above its table.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from findings.formats.streams.outlines import NOT_UTF8, Outline, RefusedReport

MAX_LINE: Final = 1024 * 1024  # bytes; scanners put whole explanations into one cell
_FIRST_ROWS: Final = 20  # among which a header is looked for
_DELIMITERS: Final = ",;\t"
_HEAD: Final = 4_096  # bytes
_BEFORE_TEXT: Final = b"\xef\xbb\xbf \t\r\n"

csv.field_size_limit(MAX_LINE)  # of the whole process; nothing else here reads CSV


class Row(NamedTuple):
    position: int  # among the rows with content, from 0
    pointer: str  # "/rows/3": the fourth row under the header
    cells: Mapping[str, str]  # by column; a row that is too short has "" for the rest


def rows(
    report: BinaryIO, *, is_header: Callable[[Sequence[str]], bool] = lambda _row: True
) -> Iterator[Row]:
    """The rows under the header, one in memory at a time; empty ones are left out."""
    table = _table(report)
    first = islice(table, _FIRST_ROWS)
    columns = next((_columns(row) for row in first if is_header(row)), ())
    for position, row in enumerate(filter(any, table)):
        cells = dict.fromkeys(columns, "") | dict(zip(columns, row, strict=False))
        yield Row(position, f"/rows/{position}", cells)


def first_rows(report: BinaryIO) -> list[list[str]]:
    return list(islice(_table(report), _FIRST_ROWS))


def header(report: BinaryIO) -> tuple[str, ...]:
    """The names of the columns, of which some may be empty or equal."""
    return _columns(next(_table(report), []))


def csv_outline(report: BinaryIO) -> Outline:
    """The first rows; RefusedReport if any of it is not sound CSV."""
    table = _table(report)
    heads = tuple(map(_columns, islice(table, _FIRST_ROWS)))
    for _ in table:
        pass
    return Outline(syntax="csv", columns=next(iter(heads), ()), heads=heads)


def ends_in_short_row(report: BinaryIO) -> bool:
    """Whether the last row of a table lacks cells and its line end. Some tools leave out what is
    empty at the end, so the file need not be cut off."""
    report.seek(0)
    if report.read(_HEAD).lstrip(_BEFORE_TEXT)[:1] in (b"", b"{", b"[", b"<"):
        return False
    if _ends_with_line(report):
        return False
    table = _table(report)
    columns = before = last = next(table, [])
    for row in filter(None, table):
        before, last = last, row
    return len(last) < max(len(columns), len(before))


def delimiter(header: str) -> str:
    """What separates the header's cells, or "" if it has but one."""
    bare = "".join(header.split('"')[::2])  # what stands outside of quotes
    found = max(_DELIMITERS, key=bare.count)
    return found if found in bare else ""


def _columns(header: list[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in header)


def _table(report: BinaryIO) -> Iterator[list[str]]:
    report.seek(0)
    header = next(_lines(report), "")
    report.seek(0)
    reader = csv.reader(_lines(report), delimiter=delimiter(header) or ",", strict=True)
    try:
        yield from reader
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise RefusedReport("The file ends in the middle of a row: it was cut off.") from None
        line = reader.line_num
        raise RefusedReport(f"The file cannot be read as CSV from line {line:,} on.") from None


def _lines(report: BinaryIO) -> Iterator[str]:
    encoding = "utf-8-sig"
    while line := report.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise RefusedReport(f"A line of the CSV has more than {MAX_LINE:,} bytes.")
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError:
            raise RefusedReport(NOT_UTF8) from None
        encoding = "utf-8"


def _ends_with_line(report: BinaryIO) -> bool:
    size = report.seek(0, 2)
    report.seek(max(0, size - 1))
    return report.read(1) in (b"\n", b"\r")
