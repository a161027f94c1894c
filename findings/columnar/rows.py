"""What the columns are made of: one statement for a batch of findings, on either database.

Base columns are of each finding; a document's paths and long texts are read where somebody asks
for them. Everything comes as text, or as a number of microseconds.
"""

# ruff: noqa: S608 - statements of names that stand here

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from findings.columnar.arrays import Places
from findings.columnar.dictionary import PathColumn, TextColumn
from findings.columnar.profiles import PROFILE
from findings.facts import OF_EVALUATION
from findings.grouping import STORED
from findings.query.predicate import path_items
from findings.query.sql.postgresql import path_of

BATCH = 5_000  # findings at most that are read at once
BATCH_BYTES = 16 * 1024 * 1024  # of texts, about: of long ones fewer are read at once
FIRST = 2_000  # as long as nobody knows how long they are
MOMENTS = (
    *("opened_at", "first_seen_at", "last_seen_at", "detection_changed_at"),
    *("resolved_at", "ticketed_at", "decided_at", "due_at"),
)
NEVER = np.iinfo(np.int64).min
"""Of a moment that a finding lacks. All others are microseconds since 1970."""
TEXTS = ("title", "description", "resource_id", "resource_name", "ticket_key")
"""And not the public id: an index finds it, and it would take more memory than all others."""
# Tables that stand here are watched by the log.
_FROM = "findings_finding AS f LEFT JOIN findings_evaluation AS e ON e.finding_id = f.id"
_MOMENTS = {name: f"{'e' if name in OF_EVALUATION else 'f'}.{name}" for name in MOMENTS}
_NUMBERS = ("source_id",)
_IDS = ("ticket_rule_id", "mute_rule_id", "unmuted_rule_id", "due_rule_id")
_FLAGS = ("is_mute_lifted", "is_in_inbox")
_SINCE_2000 = 946_684_800_000_000  # microseconds


class Lazy(NamedTuple):
    """A column that is read when it is asked for, by its name."""

    sql: str
    params: tuple[str, ...]
    dictionary: Callable[[], TextColumn]
    prepare: Callable[[str], str] | None = None  # what SQLite cannot do itself


class Rows(NamedTuple):
    """A batch of findings: columns of equal length."""

    pks: Places
    moments: NDArray[np.int64]  # as in MOMENTS, a row for each finding
    profiles: Sequence[str]
    tags: Sequence[str]
    lazy: Sequence[Sequence[str]]


class Pace:
    """How many findings to read at once, by those that were read before."""

    def __init__(self) -> None:
        self.limit = min(FIRST, BATCH)

    def saw(self, *columns: Sequence[str]) -> None:
        number = max(map(len, columns), default=0)
        size = sum(len(text) for column in columns for text in column)
        self.limit = max(1, min(BATCH, BATCH_BYTES * number // max(size, 1)))


def lazy_column(name: str) -> Lazy:
    """`title`, `attributes.package.name`, `workflow.case.key`, `grouping.package`."""
    if name in TEXTS:
        return Lazy(f"f.{name}", (), TextColumn)
    column, _, path = name.partition(".")
    is_postgresql = connection.vendor == "postgresql"
    if column == "grouping" and path in STORED:
        sql = f"f.grouping ->> '{path}'" if is_postgresql else f"f.grouping ->> '$.{path}'"
        return Lazy(f"COALESCE({sql}, '')", (), TextColumn)
    if column not in ("attributes", "workflow"):
        raise KeyError(name)
    keys = path.split(".") if path else []
    if is_postgresql:
        sql = f"jsonb_path_query_array(f.{column}, %s::jsonpath)::text"
        return Lazy(sql, (path_of(keys),), PathColumn)
    return Lazy(f"f.{column}", (), PathColumn, partial(_at_path, keys))


def _at_path(keys: Sequence[str], stored: str) -> str:
    return json.dumps(list(path_items(json.loads(stored), keys)), ensure_ascii=False)


def batches(lazies: Sequence[Lazy] = ()) -> Iterator[Rows]:
    """All findings in the order of their keys, each batch a statement of its own."""
    last, pace = 0, Pace()
    while True:
        rows = _read("f.id > %s", last, lazies, limit=pace.limit)
        if not len(rows.pks):
            return
        pace.saw(rows.profiles, rows.tags, *rows.lazy)
        last = int(rows.pks[-1])
        yield rows


def batches_of(names: Sequence[str]) -> Iterator[tuple[Places, Sequence[Sequence[str]]]]:
    """The keys of all findings, and their values of each of these lazy columns."""
    lazies = [lazy_column(name) for name in names]
    columns = ", ".join(("f.id", *(lazy.sql for lazy in lazies)))
    params = [param for lazy in lazies for param in lazy.params]
    last, pace = 0, Pace()
    while True:
        sql = f"SELECT {columns} FROM {_FROM} WHERE f.id > %s ORDER BY f.id LIMIT %s"
        found = _execute(sql, [*params, last, pace.limit])
        if not found:
            return
        pks, *values = zip(*found, strict=True)
        pace.saw(*values)
        texts = [_prepared(lazy, part) for lazy, part in zip(lazies, values, strict=True)]
        yield np.array(pks, dtype=np.int64), texts
        last = pks[-1]


def rows_of(pks: Sequence[int], lazies: Sequence[Lazy] = ()) -> Rows:
    """These findings, as far as they are still there."""
    if connection.vendor == "postgresql":
        return _read("f.id = ANY(%s)", list(pks), lazies)
    return _read("f.id IN (SELECT value FROM json_each(%s))", json.dumps(list(pks)), lazies)


def _read(where: str, value: Any, lazies: Sequence[Lazy], limit: int | None = None) -> Rows:
    read = _postgresql if connection.vendor == "postgresql" else _sqlite
    extra = "".join(f", {lazy.sql}" for lazy in lazies)
    cut = "LIMIT %s" if limit else ""
    order = f"FROM {_FROM} WHERE {where} ORDER BY f.id {cut}"
    params = [*(param for lazy in lazies for param in lazy.params), value]
    numbers, columns = read(f"{extra} {order}", [*params, *([limit] if limit else [])])
    if not columns:
        columns = [()] * (2 + len(lazies))
    profiles, tags, *others = columns
    texts = [_prepared(lazy, part) for lazy, part in zip(lazies, others, strict=True)]
    return Rows(numbers[:, 0], numbers[:, 1:], profiles, tags, texts)


def _prepared(lazy: Lazy, texts: Sequence[str]) -> Sequence[str]:
    return texts if lazy.prepare is None else [lazy.prepare(text) for text in texts]


def _execute(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _profile_sql(read: Callable[[str], str]) -> str:
    return " || chr(31) || ".join(map(read, PROFILE))


# --- PostgreSQL: all numbers of a finding as one piece of bytes ------------------------------

_EPOCHS = " || ".join(
    (
        "int8send(f.id)",
        *(f"timestamptz_send(COALESCE({moment}, '-infinity'))" for moment in _MOMENTS.values()),
    )
)


def _postgresql_text(name: str) -> str:
    if name in _FLAGS:
        return f"CASE WHEN f.{name} THEN 'true' ELSE 'false' END"
    return f"COALESCE(f.{name}::text, '')" if name in (*_IDS, *_NUMBERS) else f"f.{name}"


_POSTGRESQL = f"SELECT {_EPOCHS}, {_profile_sql(_postgresql_text)}, f.tags::text"


def _postgresql(
    rest: str, params: Sequence[Any]
) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    found = _execute(f"{_POSTGRESQL} {rest}", params)
    packed, *columns = zip(*found, strict=True) if found else ((),)
    numbers = np.frombuffer(b"".join(packed), dtype=">i8").astype(np.int64)
    numbers = numbers.reshape(-1, 1 + len(MOMENTS))
    moments = numbers[:, 1:]
    moments[moments != NEVER] += _SINCE_2000
    return numbers, columns


# --- SQLite ----------------------------------------------------------------------------------


def _sqlite_moment(column: str) -> str:
    seconds = f"CAST(strftime('%%s', {column}) AS INTEGER)"
    return f"{seconds} * 1000000 + CAST(substr({column} || '.000000', 21, 6) AS INTEGER)"


def _sqlite_text(name: str) -> str:
    if name in _FLAGS:
        return f"CASE WHEN f.{name} THEN 'true' ELSE 'false' END"
    if name in _IDS:  # hexadecimal digits → as `str(UUID)`
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return (
            "COALESCE("
            + " || '-' || ".join(f"substr(f.{name}, {start}, {size})" for start, size in cuts)
            + ", '')"
        )
    return f"f.{name}"


_SQLITE = (
    f"SELECT f.id, {', '.join(map(_sqlite_moment, _MOMENTS.values()))}, "
    f"{_profile_sql(_sqlite_text).replace('chr(31)', 'char(31)')}, f.tags"
)


def _sqlite(rest: str, params: Sequence[Any]) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    found = _execute(f"{_SQLITE} {rest}", params)
    width = 1 + len(MOMENTS)
    numbers = np.array(
        [[NEVER if number is None else number for number in row[:width]] for row in found],
        dtype=np.int64,
    ).reshape(-1, width)
    columns = list(zip(*(row[width:] for row in found), strict=True))
    return numbers, columns
