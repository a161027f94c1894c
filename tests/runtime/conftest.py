from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.runtime import views
from tests.machines import Machine, Place, fresh_database
from tests.tables import copied_tables


@pytest.fixture
def empty_place(tmp_path) -> Iterator[Place]:
    """A place where nothing was ever started, on the database that the suite runs on."""
    with fresh_database() as url:
        place = Place(tmp_path, url)
        yield place
        place.kill_all()


@pytest.fixture(scope="session")
def used_place(migrated, tmp_path_factory) -> Iterator[Place]:
    """What a first start leaves behind: tables and an admin."""
    directory = tmp_path_factory.mktemp("used")
    with copied_tables(migrated, directory) as url:
        place = Place(directory, url)
        created = place.run("shell", "--command", FIRST_ADMIN)
        assert created.returncode == 0, created.stderr
        yield place


@pytest.fixture(scope="module")
def copied_place(used_place, tmp_path_factory) -> Iterator[Place]:
    """As `place`, for all tests of a module, and with the files that pages need."""
    for place in _copy(used_place, tmp_path_factory.mktemp("copied")):
        assert place.run("collectstatic", "--noinput").returncode == 0
        yield place


FIRST_ADMIN = "from config.runtime import prepare; prepare.create_first_admin()"


@pytest.fixture
def place(used_place, tmp_path) -> Iterator[Place]:
    """A copy of a place that was started before: the start of most tests costs less."""
    yield from _copy(used_place, tmp_path)


def _copy(used_place: Place, directory: Path) -> Iterator[Place]:
    url = used_place.environment.get("DATABASE_URL", "")
    with fresh_database(template=urlsplit(url).path[1:] or "template1") as copy:
        shutil.copytree(used_place.directory, directory, dirs_exist_ok=True)
        place = Place(directory, copy)
        yield place
        place.kill_all()


@pytest.fixture
def start(place):
    """`start()` is a real `manage.py up` that answers."""
    return lambda *options, **environment: started(place, *options, **environment)


def started(place: Place, *options: str, **environment: str) -> Machine:
    machine = Machine(place, "up", "--no-sample", *options, **environment)
    machine.wait_for("Ctrl-C stops it")
    return machine


@pytest.fixture(autouse=True)
def _fresh_status():
    """Each test reads what its own database holds."""
    for answer in (views.READINESS, views.METRICS):
        answer.forget()
