"""Findings of earlier releases, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from automation.decisions import facts
from findings.columnar import log
from findings.models import Finding
from findings.trends import marks
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.migrations import migrate, migrating, newest

BEFORE = ("findings", "0030_open_due")
FIRST = datetime(2026, 11, 2, 9, 0, 0, 7, tzinfo=UTC)
TRIGGERS = (marks.TRIGGERS, log.TRIGGERS, facts.TRIGGERS)
SEEN = {nth: FIRST + timedelta(days=nth, microseconds=nth) for nth in range(3)}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrating_back():
    with migrating(BEFORE, TRIGGERS):
        yield


def free_space() -> dict[str, list[str] | None]:
    """Of each page, of the tables that say so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class "
            "WHERE relname IN ('findings_finding', 'findings_evaluation')"
        )
        return dict(cursor.fetchall())


def test_it_keeps_when_each_was_seen_both_ways(migrating_back):
    pks = {nth: FindingFactory(last_seen_at=seen).pk for nth, seen in SEEN.items()}
    apps = migrate(BEFORE)
    former = apps.get_model("findings", "Finding").objects
    assert {nth: former.get(pk=pk).last_seen_at for nth, pk in pks.items()} == SEEN
    former.filter(pk=pks[1]).update(last_seen_at=FIRST)
    migrate(*newest("findings"))
    rows = Finding.objects.select_related("evaluation").in_bulk()
    assert {nth: rows[pk].last_seen_at for nth, pk in pks.items()} == SEEN | {1: FIRST}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no free space in pages")
def test_it_moves_the_room_for_updates_with_it(migrating_back):
    assert free_space() == {"findings_finding": None, "findings_evaluation": ["fillfactor=50"]}
    migrate(BEFORE)
    assert free_space() == {"findings_finding": ["fillfactor=50"], "findings_evaluation": None}


def refuses_a_public_id_twice() -> bool:
    with pytest.raises(IntegrityError), transaction.atomic():
        FindingFactory.create_batch(2, finding_id="bTpU~" * 40)
    return not Finding.objects.exists()


def test_a_public_id_is_unique_before_and_after(migrating_back):
    """In the release before it by a B-tree; on SQLite both are the same."""
    assert refuses_a_public_id_twice()
    migrate(("findings", "0033_last_seen_apart"))
    assert refuses_a_public_id_twice()
    migrate(*newest("findings"))
    assert refuses_a_public_id_twice()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it has another index there")
@pytest.mark.parametrize("count", [1, 2])
def test_a_public_id_is_found_by_the_index_that_keeps_it_unique(count):
    with connection.cursor() as cursor:
        # An index made over rows changed or deleted a moment ago, as by a migration tested before,
        # is not read until each transaction older than it has ended.
        cursor.execute("TRUNCATE findings_finding CASCADE; REINDEX TABLE findings_finding")
        source = SourceFactory()
        found = create_findings(FindingFactory.build(source=source) for _ in range(1_000))
        cursor.execute("ANALYZE findings_finding")
    ids = [finding.finding_id for finding in found[:count]]
    assert "finding_public_id" in Finding.objects.filter(finding_id__in=ids).explain()
