from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from findings import imports, uploads
from findings.imports import Sent
from findings.models import Finding, Import

pytestmark = pytest.mark.django_db


def own(count: int) -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} for n in range(count)]
    return json.dumps({"source": "nightly", "findings": findings}).encode()


def keep(content: bytes, **sent) -> Import:
    asks_first = sent.pop("asks_first", False)
    return uploads.keep(ContentFile(content), Sent(**sent), asks_first=asks_first)


def test_it_goes_on_where_the_time_was_over(monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    row = keep(own(35))
    left = 0
    while not uploads.take_due(seconds=0):
        left += 1
        row.refresh_from_db()
        assert row.received == Finding.objects.count() == min(35, 10 * left)
    row.refresh_from_db()
    assert left == 4
    assert (row.state, row.received, row.new, row.seen_again) == ("done", 35, 35, 0)
    assert not default_storage.exists(row.stored_as)


def test_it_refuses_what_is_no_report():
    row = keep(b"no report", file_name="a\0b")
    assert uploads.take_due()
    row.refresh_from_db()
    assert row.state == "refused"
    assert row.reason
    assert row.due_at is None
    assert row.file_name == "ab"


def test_it_leaves_alone_what_another_worker_has():
    row = keep(own(1))
    Import.objects.filter(pk=row.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    assert uploads.take_due()
    assert not Finding.objects.exists()


def test_it_takes_over_from_a_worker_that_died(monkeypatch):
    def die(*_args, **_kwargs):
        raise SystemExit

    keep(own(3))
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "carry_on", die)
        with pytest.raises(SystemExit):
            uploads.take_due()
    Import.objects.update(due_at=timezone.now())
    assert uploads.take_due()
    assert Finding.objects.count() == 3


def test_it_gives_up_a_report_that_kills_its_workers():
    row = keep(own(3))
    Import.objects.update(tries=uploads.MOST_TRIES)
    assert uploads.take_due()
    row.refresh_from_db()
    assert row.state == "refused"
    assert "failed 3 times after 0 records" in row.reason
    assert not Finding.objects.exists()


def test_it_counts_nothing_for_a_worker_that_lost_its_lease(monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    real = imports.receive

    def slowly(batch, **said):
        received = real(batch, **said)
        if Finding.objects.count() == 20:  # another one thinks that we are dead
            Import.objects.update(due_at=timezone.now() + timedelta(minutes=9))
        return received

    row = keep(own(35))
    monkeypatch.setattr(imports, "receive", slowly)
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.received, row.new) == ("running", 20, 20)
    assert Finding.objects.count() == 20
    assert row.due_at > timezone.now()


def test_it_leaves_a_file_that_is_elsewhere_to_the_machine_that_has_it():
    row = keep(own(1))
    default_storage.delete(row.stored_as)
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.tries) == ("running", 0)
    assert row.due_at > timezone.now()


def test_it_refuses_a_file_that_nobody_has():
    row = keep(own(1))
    default_storage.delete(row.stored_as)
    Import.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.due_at) == ("refused", None)
    assert "Send it again" in row.reason


def test_it_forgets_the_file_of_a_worker_that_died_at_the_very_end():
    row = keep(own(1))
    Import.objects.update(state="done")
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.due_at, row.received) == (None, 0)
    assert not default_storage.exists(row.stored_as)


# --- Looked through first -----------------------------------------------------------------


def test_it_looks_through_before_it_takes_in():
    row = keep(own(3), asks_first=True)
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.due_at, row.summary["new"]) == ("waiting", None, 3)
    assert default_storage.exists(row.stored_as)
    uploads.begin(row)
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.new) == ("done", 3)


def test_it_refuses_at_once_what_cannot_go_in():
    row = keep(b"{", asks_first=True)
    assert uploads.take_due()
    row.refresh_from_db()
    assert (row.state, row.summary) == ("refused", None)
    assert not default_storage.exists(row.stored_as)


def test_it_forgets_what_nobody_decided_about():
    row = keep(own(3), asks_first=True)
    assert uploads.take_due()
    Import.objects.update(started_at=timezone.now() - timedelta(days=2))
    keep(own(1))
    assert not Import.objects.filter(pk=row.pk).exists()
    assert not default_storage.exists(row.stored_as)


# --- Large ones ---------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch) -> list[Import]:
    """What a process was started for; everything over 2 kB is large."""
    rows: list[Import] = []
    monkeypatch.setattr(uploads, "LARGE", 2_000)
    monkeypatch.setattr(uploads, "start_process", rows.append)
    return rows


@pytest.mark.parametrize("asks_first", [True, False])
def test_it_gives_a_large_one_to_a_process_of_its_own(started, asks_first):
    row = keep(own(100), asks_first=asks_first)
    keep(own(1))
    assert uploads.take_due(seconds=60)
    assert [each.pk for each in started] == [row.pk]
    assert Finding.objects.count() == 1


def test_it_guesses_that_a_packed_one_is_large(started):
    keep(gzip.compress(own(100)))
    assert uploads.take_due()
    assert len(started) == 1


def test_it_takes_one_large_one_after_another(started, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _by: 0)
    keep(own(100))
    keep(own(200))
    assert uploads.take_due()
    assert uploads.take_due()
    assert len(started) == 1
    call_command("take_upload", str(started[0].pk))
    assert Finding.objects.count() == 100
    assert uploads.take_due()
    assert len(started) == 2


def test_it_ends_with_its_cluster_and_another_one_goes_on(started, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    row = keep(own(100))
    assert uploads.take_due()
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_leader_lives", lambda: Finding.objects.count() < 50)
        uploads.take_large(row.pk)
    row.refresh_from_db()
    assert (row.state, row.received) == ("running", 50)
    assert uploads.take_due()
    uploads.take_large(started[1].pk)
    row.refresh_from_db()
    assert (row.state, row.received, row.new) == ("done", 100, 100)
