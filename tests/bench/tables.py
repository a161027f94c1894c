"""The rows of a run beside their goals, and beside those of an earlier run."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.lib.utc import stamp
from tests.bench.goals import GOALS
from tests.bench.rows import Row

MARKS = {True: "ok", False: "MISSED", None: ""}


def table(rows: Sequence[Row], *, before: Mapping[str, float] | None = None) -> str:
    """Plain text; `before`: what an earlier run measured."""
    heads = ["what", *(["before"] if before is not None else []), "measured", "goal", "", "with it"]
    cells = [heads]
    for row in rows:
        goal = GOALS.get(row.what)
        was = [] if before is None else [_earlier(row, before.get(row.what))]
        measured = _number(row.value, row.unit)
        said = f"{goal.side} {_number(goal.limit, goal.unit)}" if goal else ""
        mark = MARKS[goal.holds(row.value) if goal else None]
        cells.append([row.what, *was, measured, said, mark, row.note])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    last = len(widths) - 3  # what comes after the numbers, and before them, begins on the left
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < nth <= last - 1 else cell.ljust(width)
            for nth, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def missed(rows: Iterable[Row]) -> list[str]:
    """Goals that do not hold."""
    return [row.what for row in rows if (goal := GOALS.get(row.what)) and not goal.holds(row.value)]


def unmeasured(rows: Iterable[Row], *, benches: Collection[str]) -> list[str]:
    """Goals that these benches should have measured and have not."""
    measured = {row.what for row in rows}
    return [what for what, goal in GOALS.items() if goal.bench in benches and what not in measured]


def write(path: Path, rows: Sequence[Row], *, commit: str) -> None:
    document = {
        "at": stamp(datetime.now(UTC)),
        "commit": commit,
        "load": os.getloadavg(),
        "rows": [row._asdict() for row in rows],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> dict[str, float]:
    document: dict[str, Any] = json.loads(path.read_text())
    return {row["what"]: row["value"] for row in document["rows"]}


def _earlier(row: Row, value: float | None) -> str:
    return "" if value is None else _number(value, row.unit)


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    space = "" if unit in ("×", "/s", "") else " "
    return f"{value:,.{digits}f}{space}{unit}"
