"""A page of findings as the explorer's table: which columns it has, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from findings.explorer.columns import COLUMNS, SEVERITY, Column, columns_of
from findings.explorer.pages import Page, Sort
from findings.explorer.values import Value
from findings.models import Finding
from findings.query.scalars import number

ALONE = 360
"""Pixels that the box, the severity and a title of some words take, as all widths here."""
FEW, SOME = 860, 1_250
_WIDTHS = {
    "type": 50, "cvss": 70, "epss": 70, "seen": 90, "changed": 90, "opened": 90, "last": 90,
    "due": 100, "status": 104, "owner": 128, "ticket": 130, "cve": 130, "tags": 370,
}  # fmt: skip
_WIDTH = 150  # of the others at most, mostly


class Cell(NamedTuple):
    column: Column
    values: Sequence[Value]
    css: str
    label: str  # where its values do not tell what they are, and there is no head to do so


class TableRow(NamedTuple):
    finding: Finding
    cells: Sequence[Cell]


class Head(NamedTuple):
    column: Column
    is_number: bool


class Table(NamedTuple):
    heads: Sequence[Head]
    rows: Sequence[TableRow]
    empty: Sequence[Column]
    """Chosen, and not shown: no finding of the page has a value."""

    @property
    def width(self) -> str:
        """How much room it may need: where there is less, it scrolls in its card."""
        names = (head.column.name for head in self.heads)
        needed = ALONE + sum(_WIDTHS.get(name, _WIDTH) for name in names)
        return "few" if needed <= FEW else "some" if needed <= SOME else "many"


def table_of(page: Page, names: Sequence[str], *, sort: Sort) -> Table:
    """The columns named that hold anything; that of the order is always there. No statement."""
    columns = _with_sorted(columns_of(names), sort)
    found = {column.name: [column.values(row.finding) for row in page.rows] for column in columns}
    heads = [
        Head(column, column.is_number or _are_numbers(found[column.name]))
        for column in columns
        if any(found[column.name]) or column.sort == sort.field
    ]
    cells = [_cells(head, found[head.column.name]) for head in heads]
    rows = [
        TableRow(row.finding, [of_column[nth] for of_column in cells])
        for nth, row in enumerate(page.rows)
    ]
    shown = {head.column.name for head in heads}
    return Table(heads, rows, [column for column in columns if column.name not in shown])


def _cells(head: Head, found: Sequence[Sequence[Value]]) -> list[Cell]:
    column = head.column
    css = f"c-{column.kind} end num" if head.is_number else f"c-{column.kind}"
    label = column.label if column.needs_label else ""
    return [Cell(column, values, css, label) for values in found]


def _with_sorted(columns: list[Column], sort: Sort) -> list[Column]:
    """An order whose column is not seen would look like none."""
    if sort.field == SEVERITY.sort or any(column.sort == sort.field for column in columns):
        return columns
    return [*columns, *(column for column in COLUMNS.values() if column.sort == sort.field)]


def _are_numbers(cells: Sequence[Sequence[Value]]) -> bool:
    texts = [value.text for values in cells for value in values]
    return bool(texts) and all(number(text) is not None for text in texts)
