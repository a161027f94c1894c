"""A column map of the sender's own: which column of a table means which of our fields.

In words: `title:Issue Name,severity:Risk,finding_type:=misconfiguration`. See docs/generic.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from typing import Final

from findings.facts import FindingType, Severity
from findings.formats.shapes.generic_columns import COLUMNS, ColumnMap, called, field_of
from findings.formats.streams.outlines import RefusedReport
from findings.formats.values.fields import one_line

MAX_NAME: Final = 200  # characters of the name of a column, or of a value
_VALUES: Final[Mapping[str, Collection[str]]] = {
    "severity": [each.value for each in Severity],
    "finding_type": [each.value for each in FindingType],
}
_OFFERED: Final = 300
_SHOWN: Final = 30  # columns of a file in a sentence


class WrongColumns(RefusedReport):
    """The column map is not sound, or does not fit the report."""


class UnknownTable(RefusedReport):
    """A table, of which nobody said which column means what."""

    def __init__(self, reason: str, columns: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.columns = columns


def column_map(said: str) -> dict[str, str]:
    """The map in words as field → column; `=value` and "" are kept. WrongColumns with a sentence.

    The words are a row of CSV, so an entry with a comma in it is quoted as a whole.
    """
    found: dict[str, str] = {}
    for entry in _entries(said):
        name, colon, column = (part.strip() for part in entry.partition(":"))
        field = name if name in COLUMNS else field_of(name)
        if not colon:
            raise WrongColumns(f"{_quoted(entry)} of the column map is not `field:column`.")
        if not field:
            known = ", ".join(COLUMNS)
            raise WrongColumns(f"There is no field {_quoted(name)}; there are {known}.")
        if field in found:
            raise WrongColumns(f"The column map says twice what {_quoted(field)} is.")
        found[field] = _sound(field, " ".join(column.split()))
    return found


def in_words(columns: ColumnMap) -> str:
    """What `column_map` reads as this map; always in the same order."""
    row = io.StringIO()
    entries = [f"{field}:{columns[field]}" for field in COLUMNS if field in columns]
    csv.writer(row, lineterminator="").writerow(entries)
    return row.getvalue()


def is_value(column: str) -> bool:
    """Whether it is no column, but what holds for each record that says nothing itself."""
    return column.startswith("=")


def offered(columns: Collection[str]) -> list[str]:
    """The first names that can stand in a map: enough to choose from on a page."""
    return [each for each in columns if _is_sound(each) and not is_value(each)][:_OFFERED]


def check_columns(columns: ColumnMap, known: Collection[str]) -> None:
    """WrongColumns for a column that is not among those of the file, or a table without a title or
    a severity."""
    for field, column in columns.items():
        if column and not is_value(column) and not called(column, known):
            raise WrongColumns(
                f"The column map says that {field} is in {_quoted(column)}, but the file has no "
                f"such column; it has {_listed(known)}."
            )
    for needed in (("title",), ("severity", "cvss")):
        if not any(_has(field, columns, known) for field in needed):
            raise WrongColumns(
                f"The column map does not say which column is the {needed[0]}; "
                f"the file has {_listed(known)}."
            )


def _has(field: str, columns: ColumnMap, known: Collection[str]) -> bool:
    if field in columns:
        return bool(columns[field])
    mapped = columns.values()
    return any(field_of(each) == field and not called(each, mapped) for each in known)


def _entries(said: str) -> list[str]:
    try:
        rows = list(csv.reader([said], skipinitialspace=True, strict=True))
    except csv.Error:
        raise WrongColumns("A quote in the column map is not closed.") from None
    return [entry for row in rows for entry in row if entry.strip()]


def _sound(field: str, column: str) -> str:
    if not _is_sound(column) and column:
        limit = f"A column of the map has 1 to {MAX_NAME} characters of text"
        raise WrongColumns(f"{limit}; that of {_quoted(field)} has not.")
    if not is_value(column):
        return column
    value = column[1:].strip()
    if field in _VALUES:
        value = value.lower()
        if value not in _VALUES[field]:
            known = ", ".join(_VALUES[field])
            raise WrongColumns(f"{_quoted(value)} of {field} is not one of {known}.")
    if not value:
        raise WrongColumns(f"After `{field}:=` comes a value.")
    return f"={value}"


def _is_sound(name: str) -> bool:
    """Whether a database takes it."""
    has_surrogates = any("\ud800" <= each <= "\udfff" for each in name)
    return 0 < len(name) <= MAX_NAME and "\0" not in name and not has_surrogates


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(_quoted(each) for each in list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"


def _quoted(name: str) -> str:
    return f"“{one_line(''.join(filter(str.isprintable, ' '.join(name.split()))), 60)}”"
