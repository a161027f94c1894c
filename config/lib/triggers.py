"""Triggers that a module needs to stand, whatever migrations do: put back after each `migrate`.

SQLite drops those of a table with it whenever a migration makes the table anew, and makes none
anew that a trigger of another one names. So they go before a `migrate` that changes something
there. What was written while one was missing, or was an old one, its module has to make up for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate

_PRESENT = {
    "postgresql": "SELECT tgname, obj_description(oid, 'pg_trigger') FROM pg_trigger "
    "WHERE NOT tgisinternal",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
}


class Function(NamedTuple):
    """Of PostgreSQL, without parameters."""

    name: str
    sql: str  # makes or replaces it


class Trigger(NamedTuple):
    table: str
    sql: str
    function: Function | None = None  # that it calls

    @property
    def digest(self) -> str:
        """What tells it from an older one of its name."""
        words = " ".join(f"{self.sql} {self.function.sql if self.function else ''}".split())
        return blake2b(words.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Triggers:
    made: Callable[[str], Mapping[str, Trigger]]
    """Of a database's vendor, by name."""
    needs: Mapping[str, str]
    """Tables that must be there → a column of them that must, or "" for any."""
    make_up: Callable[[BaseDatabaseWrapper, bool], None] = lambda connection, is_interrupted: None
    """Called when they stand, with whether one did not."""

    def keep(self, app: AppConfig) -> None:
        """From now on, at each `migrate`."""
        _kept.append(self)
        pre_migrate.connect(self.make_way, sender=app)
        post_migrate.connect(self.ensure, sender=app)

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Have them stand as they are now. Safe to run again."""
        made = self.made(connection.vendor)
        wanting = list(self.wanting(connection))
        functions = {each.function for name in wanting if (each := made[name]).function}
        with connection.cursor() as cursor:
            for function in functions:
                cursor.execute(function.sql)
            for name in wanting:
                cursor.execute(_drop(connection, name, made[name].table))
                cursor.execute(made[name].sql)
                if connection.vendor == "postgresql":
                    on = f"{name} ON {made[name].table}"
                    cursor.execute(f"COMMENT ON TRIGGER {on} IS '{made[name].digest}'")
        self.make_up(connection, bool(wanting))

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        made, tables = self.made(connection.vendor), connection.introspection.table_names()
        with connection.cursor() as cursor:
            for name, trigger in made.items():
                if trigger.table in tables:
                    cursor.execute(_drop(connection, name, trigger.table))
            for function in {each.function for each in made.values() if each.function}:
                cursor.execute(f"DROP FUNCTION IF EXISTS {function.name}()")

    def wanting(self, connection: BaseDatabaseWrapper) -> Iterator[str]:
        """Those that are missing or old."""
        with connection.cursor() as cursor:
            cursor.execute(_PRESENT[connection.vendor])
            present = dict(cursor.fetchall())
        if connection.vendor == "sqlite":
            present = {name: Trigger("", sql).digest for name, sql in present.items()}
        for name, trigger in self.made(connection.vendor).items():
            if present.get(name) != trigger.digest:
                yield name

    def make_way(self, using: str = "default", plan: Sequence[object] = (), **_: Any) -> None:
        """Before a `migrate` that changes something."""
        if plan and connections[using].vendor == "sqlite":
            self.remove(connections[using])

    def ensure(self, using: str = "default", **_: Any) -> None:
        """After each `migrate`, and where it went that far."""
        if self.may_stand(connections[using]):
            self.install(connections[using])

    def may_stand(self, connection: BaseDatabaseWrapper) -> bool:
        if not set(self.needs) <= set(connection.introspection.table_names()):
            return False
        with connection.cursor() as cursor:
            return all(
                column in {each.name for each in _columns(connection, cursor, table)}
                for table, column in self.needs.items()
                if column
            )


def _columns(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> Sequence[Any]:
    found: Sequence[Any] = connection.introspection.get_table_description(cursor, table)
    return found


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {name}{on}"


_kept: list[Triggers] = []


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """`manage.py check --database default`."""
    return [
        Warning(
            f"Triggers are missing, or are of an older release: {', '.join(wanting)}.",
            hint="`manage.py migrate` puts them back. Until then columns, counts of days and "
            "decisions may miss what is written.",
            id="fa.W031",
        )
        for using in databases or ()
        for triggers in _kept
        if triggers.may_stand(connections[using])
        and (wanting := [*triggers.wanting(connections[using])])
    ]
