"""A database in which the wide row of a finding says when it was last seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from automation.decisions import facts
from findings.columnar import log
from findings.models import Finding
from findings.trends import marks
from tests.factories import FindingFactory

BEFORE, FIRST = ("findings", "0030_open_due"), datetime(2026, 11, 2, 9, 0, 0, 7, tzinfo=UTC)
TRIGGERS = (marks.TRIGGERS, log.TRIGGERS, facts.TRIGGERS)
SEEN = {nth: FIRST + timedelta(days=nth, microseconds=nth) for nth in range(3)}

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*targets):
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


def newest():
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    return [leaf for leaf in leaves if leaf[0] == "findings"]


@pytest.fixture
def migrating():
    """The tables are as they are now afterwards, whatever happens."""
    for each in TRIGGERS:
        each.make_way(plan=[BEFORE])  # as `migrate` does before it begins
    try:
        yield
    finally:
        migrate(*newest())
        for each in TRIGGERS:
            each.ensure()  # as `migrate` does when it is done


def free_space() -> dict[str, list[str] | None]:
    """Of each page, of the tables that say so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class "
            "WHERE relname IN ('findings_finding', 'findings_evaluation')"
        )
        return dict(cursor.fetchall())


def test_it_keeps_when_each_was_seen_both_ways(migrating):
    pks = {nth: FindingFactory(last_seen_at=seen).pk for nth, seen in SEEN.items()}
    apps = migrate(BEFORE)
    former = apps.get_model("findings", "Finding").objects
    assert {nth: former.get(pk=pk).last_seen_at for nth, pk in pks.items()} == SEEN
    former.filter(pk=pks[1]).update(last_seen_at=FIRST)
    migrate(*newest())
    rows = Finding.objects.select_related("evaluation").in_bulk()
    assert {nth: rows[pk].last_seen_at for nth, pk in pks.items()} == SEEN | {1: FIRST}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no free space in pages")
def test_it_moves_the_room_for_updates_with_it(migrating):
    assert free_space() == {"findings_finding": None, "findings_evaluation": ["fillfactor=50"]}
    migrate(BEFORE)
    assert free_space() == {"findings_finding": ["fillfactor=50"], "findings_evaluation": None}
