"""What has changed since somebody looked last, exactly.

On SQLite writers take turns, so the ids of the log are in the order of commits: a reader goes on
after the last one.

On PostgreSQL they are not, and a transaction may commit long after others that began later. Let a
reader's `horizon` be the `pg_snapshot_xmin` of the snapshot S of its last look: each transaction
before it had ended by then, so its rows of the log are in S, or will never be. A look reads, in
one statement and so of one snapshot, all rows with xid >= horizon, and xmin, the next horizon.

None is missed. Take a committed transaction x and the first look whose next horizon is beyond x.
By then x had ended, so its rows are in that look's snapshot; and the horizon that the look began
with was not beyond x, so it read them. Until then each look reads x's rows once they are there;
`seen` are the rows that were, to leave them out. What a row names is read by a later statement,
and so as it was after the row was committed, or later. Clocks play no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection


@dataclass(frozen=True)
class Position:
    """Up to where a reader has read."""

    generation: str | None
    horizon: int
    seen: Mapping[int, int] = field(default_factory=dict)
    """Rows of the log from there on that it has read, and the transaction of each."""


@dataclass(frozen=True)
class Changes:
    position: Position  # after them
    pks: frozenset[int]
    is_lost: bool = False  # nobody can tell what has changed


def position() -> Position:
    """Where the log ends now. Whatever is read of findings after this is followed from here."""
    return _look(None, 0, []).position


def changes(since: Position) -> Changes:
    """One statement."""
    return _look(since, since.horizon, [*since.seen])


# One statement, so that all of it is of one snapshot.
_POSTGRESQL = """
    SELECT log.generation, log.floor, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        entry.id, entry.xid, entry.pks
    FROM (SELECT 1) AS one
    LEFT JOIN findings_changelog AS log ON TRUE
    LEFT JOIN findings_findingchange AS entry ON entry.xid >= %s AND entry.id <> ALL(%s::bigint[])
"""
_SQLITE = """
    SELECT log.generation, log.floor,
        max(coalesce((SELECT max(id) FROM findings_findingchange), 0), coalesce(log.floor, 0)) + 1,
        entry.id, entry.id, entry.pks
    FROM (SELECT 1) AS one
    LEFT JOIN findings_changelog AS log ON TRUE
    LEFT JOIN findings_findingchange AS entry ON entry.id >= %s
"""


def _look(since: Position | None, horizon: int, seen: list[int]) -> Changes:
    is_postgresql = connection.vendor == "postgresql"
    if since is None:  # none of the rows
        horizon = 2**62
    with connection.cursor() as cursor:
        if is_postgresql:
            cursor.execute(_POSTGRESQL, [horizon, seen])
        else:
            cursor.execute(_SQLITE, [horizon])
        rows = cursor.fetchall()
    [(generation, floor, ahead, *_), *_] = rows
    read = {row_id: xid for *_, row_id, xid, _ in rows if row_id is not None}
    named = [pks for *_, pks in rows if pks is not None]
    known = since.seen if since else {}
    # Of a server that was set up anew from a copy, transactions may count from before.
    is_lost = since is not None and (
        generation != since.generation
        or (floor is not None and floor >= since.horizon)
        or ahead < since.horizon
        or "" in named
    )
    return Changes(
        Position(
            generation,
            ahead,
            {row: xid for row, xid in ({**known, **read}).items() if xid >= ahead},
        ),
        frozenset(int(pk) for pks in named if pks for pk in pks[1:-1].split(",")),
        is_lost,
    )
