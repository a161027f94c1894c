"""The log of changes: triggers note which findings a statement has written, whoever writes them.

A row is only ever added, in the transaction of the change, so that writers never wait for each
other and a change without its row cannot be. What matters of a finding is not asked: nearly every
write moves something that a column holds, and comparing costs more than reading a row again.
"""

# ruff: noqa: S608 - of names that stand here

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from django.db.backends.base.base import BaseDatabaseWrapper

from config.lib.triggers import Function, Trigger, Triggers

WATCHED: Mapping[str, str] = {
    "findings_finding": "id",
    "findings_evaluation": "finding_id",
}
"""Tables that columns are read from → the key of the finding in them."""
MAX_NOTED = 200_000  # findings of one statement that are noted one by one


def _begin(connection: BaseDatabaseWrapper, is_interrupted: bool) -> None:  # noqa: FBT001  of `Triggers`
    """Another log, where the one of before may lack something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM findings_changelog")
        if is_interrupted or not cursor.fetchone()[0]:
            cursor.execute("DELETE FROM findings_changelog")
            insert = "INSERT INTO findings_changelog (id, generation, floor) VALUES (1, %s, 0)"
            cursor.execute(insert, [uuid4().hex])


# --- PostgreSQL: one row for each statement


_INSERT = "INSERT INTO findings_findingchange (xid, pks, at)"
_XID = "pg_current_xact_id()::text::bigint"


def _function(name: str, body: str) -> Function:
    return Function(
        name,
        f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
BEGIN
    {body};
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
""",
    )


def _function_of(table: str) -> Function:
    return _function(
        f"{table}_log",
        f"{_INSERT} SELECT {_XID}, CASE WHEN count(*) <= {MAX_NOTED} "
        f"THEN array_agg({WATCHED[table]})::text ELSE '' END, now() "
        "FROM written HAVING count(*) > 0",
    )


_LOG_ALL = _function("findings_log_all", f"{_INSERT} VALUES ({_XID}, '', now())")
_TRANSITIONS = {"insert": "NEW", "update": "NEW", "delete": "OLD"}


def _postgresql() -> dict[str, Trigger]:
    made = {
        f"{table}_log_{event}": Trigger(
            table,
            f"CREATE TRIGGER {table}_log_{event} AFTER {event} ON {table} "
            f"REFERENCING {rows} TABLE AS written "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_log()",
            _function_of(table),
        )
        for table in WATCHED
        for event, rows in _TRANSITIONS.items()
    }
    return made | {
        f"{table}_log_truncate": Trigger(
            table,
            f"CREATE TRIGGER {table}_log_truncate AFTER TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION findings_log_all()",
            _LOG_ALL,
        )
        for table in WATCHED
    }


# --- SQLite: one for each row; there is no TRUNCATE


def _sqlite() -> dict[str, Trigger]:
    return {
        f"{table}_log_{event}": Trigger(
            table,
            f"CREATE TRIGGER {table}_log_{event} AFTER {event} ON {table} "
            f"BEGIN {_INSERT} VALUES (0, '{{' || {rows}.{key} || '}}', "
            "strftime('%Y-%m-%d %H:%M:%f', 'now')); END",
        )
        for table, key in WATCHED.items()
        for event, rows in _TRANSITIONS.items()
    }


TRIGGERS = Triggers(
    lambda vendor: _postgresql() if vendor == "postgresql" else _sqlite(),
    needs={"findings_changelog": "", "findings_findingchange": "", **dict.fromkeys(WATCHED, "")},
    make_up=_begin,
)
install, remove = TRIGGERS.install, TRIGGERS.remove
