from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from hypothesis import settings as hypothesis

from automation.rules.active import _load
from config.accounts.models import User
from config.accounts.roles import Role
from tests.factories import UserFactory

# How long an example takes says how busy the machine is; what is slow is measured by `make bench`.
hypothesis.register_profile("suite", deadline=None)
hypothesis.load_profile("suite")
pytest_plugins = [
    "tests.emptying",
    "tests.migrated",
    "tests.jira",
    "tests.tables",
    "tests.programs",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`. Half of the suite's time is waiting: for processes, timers and locks."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first, or one process would still be at them when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _forget_rules():
    """Versions count from 1 in every test, at the same frozen time: forget the last test's."""
    _load.cache_clear()


@pytest.fixture
def frozen():
    """Time stands still at noon UTC on 23 November 2026; `frozen.move_to(…)` moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(db) -> User:
    return UserFactory(name="Ada Admin", role=Role.ADMIN)


@pytest.fixture
def editor(db) -> User:
    return UserFactory(name="Edith Editor", role=Role.EDITOR)


@pytest.fixture
def analyst(db) -> User:
    return UserFactory(name="Alan Analyst", role=Role.ANALYST)


@pytest.fixture
def viewer(db) -> User:
    return UserFactory(name="Vera Viewer", role=Role.VIEWER)


@pytest.fixture
def as_user(client: Client):
    """`as_user(editor)` is a browser in which that person has signed in."""

    def sign_in(user: User) -> Client:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
