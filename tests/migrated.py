"""The database of a test run, copied from one that was migrated before.

Migrating takes 15 seconds of a processor, in each of the processes that share a run. The first one
does it for all; what was migrated is kept until a line of the four apps changes.
"""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import django
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.creation import DatabaseCreation as PostgreSQL
from django.db.backends.sqlite3.creation import DatabaseCreation as SQLite

ROOT = Path(__file__).parents[1]
APPS = ("automation", "config", "findings", "ticketing")
PREFIX = "findings_migrated_"
FOLDER = Path(tempfile.gettempdir())
_open: list[sqlite3.Connection] = []  # a database in memory is there as long as one of these is


@pytest.fixture(autouse=True, scope="session")
def _migrates_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for creation in (SQLite, PostgreSQL):
            patch.setattr(creation, "create_test_db", create_test_db, raising=False)
        patch.setattr(SQLite, "_create_test_db", _create_sqlite)
        yield


@pytest.fixture(scope="session")
def django_db_setup(_migrates_once: None, django_db_setup: None) -> None:
    """The patch comes first."""


def create_test_db(
    self: BaseDatabaseCreation,
    verbosity: int = 1,
    autoclobber: bool = False,
    serialize: bool = False,
    keepdb: bool = False,
) -> str:
    def create() -> str:
        return BaseDatabaseCreation.create_test_db(self, verbosity, autoclobber, serialize, keepdb)

    if keepdb:
        return create()
    is_postgresql = self.connection.vendor == "postgresql"
    with _alone():
        is_there = _exists(self.connection) if is_postgresql else _file().exists()
        if not is_there:
            name = create()
            _keep_postgresql(self.connection, name) if is_postgresql else _keep_file(name)
            return name
    if is_postgresql:
        self.connection.settings_dict["TEST"]["TEMPLATE"] = PREFIX + _version()
    return create()


@cache
def _version() -> str:
    """Of all that a migration may run."""
    digest = blake2b(django.__version__.encode(), digest_size=8)
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    with (FOLDER / f"{PREFIX}lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- SQLite -------------------------------------------------------------------------------------

_create_empty = SQLite._create_test_db


def _create_sqlite(self: SQLite, *args: Any, **kwargs: Any) -> str:
    name: str = _create_empty(self, *args, **kwargs)
    if _file().exists():
        with closing(sqlite3.connect(_file())) as kept:
            database = sqlite3.connect(name, uri=name.startswith("file:"))
            kept.backup(database)
            _open.append(database)
    return name


def _file() -> Path:
    return FOLDER / f"{PREFIX}{_version()}.sqlite3"


def _keep_file(name: str) -> None:
    for old in FOLDER.glob(f"{PREFIX}*.sqlite3"):
        old.unlink()
    half = _file().with_suffix(".half")
    with (
        closing(sqlite3.connect(name, uri=name.startswith("file:"))) as database,
        closing(sqlite3.connect(half)) as kept,
    ):
        database.backup(kept)
    half.rename(_file())


# --- PostgreSQL ---------------------------------------------------------------------------------


def _exists(connection: BaseDatabaseWrapper) -> bool:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PREFIX + _version()])
        return cursor.fetchone() is not None


def _keep_postgresql(connection: BaseDatabaseWrapper, name: str) -> None:
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        for (old,) in cursor.fetchall():
            with suppress(django.db.OperationalError):  # somebody copies it
                cursor.execute(f'DROP DATABASE "{old}"')
        cursor.execute(f'CREATE DATABASE "{PREFIX}{_version()}" TEMPLATE "{name}"')
