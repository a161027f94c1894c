"""The suite's own tables, empty, for tests that want a database of their own.

To migrate another one takes six seconds of a processor, to copy it a tenth of one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.machines import fresh_database

# By their fixtures; the last two start programs that make their own.
WITH_DATABASE = {"db", "transactional_db", "live_server", "migrated", "empty_place", "database"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--with-database",
        action="store_true",
        help="leaves out tests that say the same whichever it is",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "migrated" in getattr(item, "fixturenames", ()):
            # Where no test asks for a database, pytest-django makes none to be copied.
            item.add_marker(pytest.mark.django_db)
    if config.getoption("--with-database"):
        without = [item for item in items if not _uses_database(item)]
        items[:] = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=without)


def _uses_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database"):
        return False
    asked = WITH_DATABASE.intersection(getattr(item, "fixturenames", ()))
    return bool(asked) or item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[str]:
    """As pytest-django's, and a copy at once, while nobody is connected to what is copied."""
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            file = tmp_path_factory.mktemp("migrated") / "findings.sqlite3"
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(file)])
            yield str(file)
            return
        connection.close()
    with fresh_database(template=connection.settings_dict["NAME"]) as url:
        yield urlsplit(url).path[1:]


@pytest.fixture(scope="session")
def migrated(django_db_setup) -> str:
    """Where the tables are: a file of SQLite, or a database of the server."""
    return django_db_setup


@contextmanager
def copied_tables(migrated: str, directory: Path) -> Iterator[str]:
    """The address of a copy that other processes can open, gone afterwards."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{shutil.copy(migrated, directory / 'findings.sqlite3')}"
        return
    with fresh_database(template=migrated) as url:
        yield url
