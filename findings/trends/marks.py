"""Triggers that note on which days something of a finding has changed, whoever writes it.

A finding counts on the days it was opened, resolved, ticketed and decided, each by its severity,
team, status and ticket. A change of any of these marks its days before and after, in the same
transaction. Marks are only added, so that writers never wait for each other.
"""

# ruff: noqa: S608 - of names that stand here

from __future__ import annotations

from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from config.lib.triggers import Function, Trigger, Triggers

MOMENTS = ("opened_at", "resolved_at", "ticketed_at")
COUNTED = (*MOMENTS, "severity", "tags", "status", "ticket")
_TABLES = {
    "findings_days_insert": "findings_finding",
    "findings_days_update": "findings_finding",
    "findings_days_delete": "findings_finding",
    "findings_days_evaluation_insert": "findings_evaluation",
    "findings_days_evaluation_update": "findings_evaluation",
    "findings_days_evaluation_delete": "findings_evaluation",
}
_INSERT, _UPDATE, _DELETE, _DECIDED_INSERT, _DECIDED, _DECIDED_DELETE = _TABLES


def forget(connection: BaseDatabaseWrapper) -> None:
    """What the transaction has marked so far is counted now: it marks it again."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, '', true)", [_SETTING])


# --- PostgreSQL. For each statement, with all rows that it wrote, where every row counts. An update
# of findings that touches nothing of what is counted, as by a report that brings them again,
# must cost nothing: its trigger is one of rows, and remembers in the transaction what it marked.


def _function(name: str, body: str, declare: str = "") -> Function:
    return Function(
        name,
        f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
{declare}
BEGIN
    {body}
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
""",
    )


def _mark(days: str) -> str:
    return f"""
    INSERT INTO findings_changedday (day)
    SELECT DISTINCT (moment AT TIME ZONE 'UTC')::date FROM ({days}) AS moments (moment)
    WHERE moment IS NOT NULL;"""


def _of(*rows: str) -> str:
    return ", ".join(f"{row}.{moment}" for row in rows for moment in MOMENTS)


def _row(of: str) -> str:
    return ", ".join(f"{of}.{column}" for column in COUNTED)


_SETTING = "findings.marked_days"
_MARK_UNMARKED = f"""
    FOREACH moment IN ARRAY ARRAY[
        {_of("OLD", "NEW")},
        (SELECT decided_at FROM findings_evaluation WHERE finding_id = NEW.id)]
    LOOP
        day := (moment AT TIME ZONE 'UTC')::date;
        IF day IS NOT NULL AND strpos(marked, day::text) = 0 THEN
            INSERT INTO findings_changedday (day) VALUES (day);
            marked := concat(marked, ' ', day);
            PERFORM set_config('{_SETTING}', marked, true);
        END IF;
    END LOOP;"""
_DECLARE = f"""
DECLARE
    moment timestamptz;
    day date;
    marked text := coalesce(current_setting('{_SETTING}', true), '');"""

_FUNCTIONS = (
    _function(_INSERT, _mark(f"SELECT unnest(ARRAY[{_of('now')}]) FROM written AS now")),
    _function(_UPDATE, _MARK_UNMARKED, _DECLARE),
    _function(_DELETE, _mark(f"SELECT unnest(ARRAY[{_of('was')}]) FROM before AS was")),
    _function(_DECIDED_INSERT, _mark("SELECT now.decided_at FROM written AS now")),
    _function(
        _DECIDED,
        _mark(
            "SELECT unnest(ARRAY[was.decided_at, now.decided_at]) FROM before AS was "
            "JOIN written AS now USING (finding_id) "
            "WHERE was.decided_at IS DISTINCT FROM now.decided_at"
        ),
    ),
    _function(_DECIDED_DELETE, _mark("SELECT was.decided_at FROM before AS was")),
)


def _trigger(name: str, event: str, tables: str) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON {_TABLES[name]} REFERENCING {tables} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )


def _row_trigger(name: str, event: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON {_TABLES[name]} "
        f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
    )


# --- SQLite: one for each row; transactions run one after another, so a mark is not made twice


def _each_row(name: str, event: str, moments: str, when: str = "") -> str:
    return f"""
CREATE TRIGGER {name} AFTER {event} ON {_TABLES[name]} {when and f"WHEN {when}"} BEGIN
    INSERT INTO findings_changedday (day)
    SELECT day FROM ({moments}) AS days WHERE day IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM findings_changedday AS marked WHERE marked.day = days.day);
END
"""


def _days(*rows: str, moments: tuple[str, ...] = MOMENTS) -> str:
    return " UNION ".join(
        f"SELECT substr({row}.{moment}, 1, 10) AS day" for row in rows for moment in moments
    )


_DECIDED_DAY = (
    "SELECT substr(decided_at, 1, 10) AS day FROM findings_evaluation WHERE finding_id = NEW.id"
)
_CHANGED = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in COUNTED)
_OF_COUNTED = f"UPDATE OF {', '.join(COUNTED)}"
_OF_DECIDED = ("decided_at",)
_TRIGGERS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        _INSERT: _trigger(_INSERT, "INSERT", "NEW TABLE AS written"),
        _UPDATE: _row_trigger(
            _UPDATE, _OF_COUNTED, f"({_row('OLD')}) IS DISTINCT FROM ({_row('NEW')})"
        ),
        _DELETE: _trigger(_DELETE, "DELETE", "OLD TABLE AS before"),
        _DECIDED_INSERT: _trigger(_DECIDED_INSERT, "INSERT", "NEW TABLE AS written"),
        _DECIDED: _trigger(_DECIDED, "UPDATE", "OLD TABLE AS before NEW TABLE AS written"),
        _DECIDED_DELETE: _trigger(_DECIDED_DELETE, "DELETE", "OLD TABLE AS before"),
    },
    "sqlite": {
        _INSERT: _each_row(_INSERT, "INSERT", _days("NEW")),
        _UPDATE: _each_row(
            _UPDATE, _OF_COUNTED, f"{_days('OLD', 'NEW')} UNION {_DECIDED_DAY}", when=_CHANGED
        ),
        _DELETE: _each_row(_DELETE, "DELETE", _days("OLD")),
        _DECIDED_INSERT: _each_row(_DECIDED_INSERT, "INSERT", _days("NEW", moments=_OF_DECIDED)),
        _DECIDED: _each_row(
            _DECIDED,
            "UPDATE OF decided_at",
            _days("OLD", "NEW", moments=_OF_DECIDED),
            when="OLD.decided_at IS NOT NEW.decided_at",
        ),
        _DECIDED_DELETE: _each_row(_DECIDED_DELETE, "DELETE", _days("OLD", moments=_OF_DECIDED)),
    },
}


def _mark_all(day: str) -> str:
    moments = [("findings_finding", moment) for moment in MOMENTS]
    moments += [("findings_evaluation", "decided_at")]
    days = " UNION ".join(
        f"SELECT {day.format(moment)} FROM {table} WHERE {moment} IS NOT NULL"
        for table, moment in moments
    )
    return f"INSERT INTO findings_changedday (day) {days} UNION SELECT day FROM findings_countedday"


_MARK_ALL = {
    "postgresql": _mark_all("({} AT TIME ZONE 'UTC')::date"),
    "sqlite": _mark_all("substr({}, 1, 10)"),
}


def _made(vendor: str) -> dict[str, Trigger]:
    functions = {each.name: each for each in _FUNCTIONS} if vendor == "postgresql" else {}
    return {
        name: Trigger(_TABLES[name], sql, functions.get(name))
        for name, sql in _TRIGGERS[vendor].items()
    }


def _mark_every_day(connection: BaseDatabaseWrapper, is_interrupted: bool) -> None:  # noqa: FBT001  of `Triggers`
    if is_interrupted:
        with connection.cursor() as cursor:
            cursor.execute(_MARK_ALL[connection.vendor])


TRIGGERS = Triggers(
    _made,
    needs=dict.fromkeys(_TABLES.values(), "") | {"findings_changedday": ""},
    make_up=_mark_every_day,
)
install, remove = TRIGGERS.install, TRIGGERS.remove
