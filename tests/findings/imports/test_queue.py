from __future__ import annotations

import gzip
import json
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from config.runtime import schedules
from findings.imports import queue
from findings.imports import run as import_run
from findings.imports.run import ImportOptions
from findings.models import Finding, Import

pytestmark = pytest.mark.django_db


def own(count: int) -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} for n in range(count)]
    return json.dumps({"source": "nightly", "findings": findings}).encode()


def keep(content: bytes, **sent) -> Import:
    asks_first = sent.pop("asks_first", False)
    return queue.store(ContentFile(content), ImportOptions(**sent), asks_first=asks_first)


def test_it_goes_on_where_the_time_was_over(monkeypatch):
    monkeypatch.setattr(import_run, "BATCH", 10)
    row = keep(own(35))
    left = 0
    while not queue.take_due(seconds=0):
        left += 1
        row.refresh_from_db()
        assert row.received == Finding.objects.count() == min(35, 10 * left)
    row.refresh_from_db()
    assert left == 4
    assert (row.state, row.received, row.new, row.seen_again) == ("done", 35, 35, 0)
    assert not default_storage.exists(row.stored_as)


def test_it_refuses_what_is_no_report():
    row = keep(b"no report", file_name="a\0b")
    assert queue.take_due()
    row.refresh_from_db()
    assert row.state == "refused"
    assert row.reason
    assert row.due_at is None
    assert row.file_name == "ab"


def test_it_leaves_alone_what_another_worker_has():
    row = keep(own(1))
    Import.objects.filter(pk=row.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    assert queue.take_due()
    assert not Finding.objects.exists()


def test_it_takes_over_from_a_worker_that_died(monkeypatch):
    def die(*_args, **_kwargs):
        raise SystemExit

    keep(own(3))
    with monkeypatch.context() as patch:
        patch.setattr(queue, "carry_on", die)
        with pytest.raises(SystemExit):
            queue.take_due()
    Import.objects.update(due_at=timezone.now())
    assert queue.take_due()
    assert Finding.objects.count() == 3


def test_it_gives_up_a_report_that_kills_its_workers():
    row = keep(own(3))
    Import.objects.update(tries=queue.MAX_TRIES)
    assert queue.take_due()
    row.refresh_from_db()
    assert row.state == "refused"
    assert "failed 3 times after 0 records" in row.reason
    assert not Finding.objects.exists()


def test_it_counts_nothing_for_a_worker_that_lost_its_lease(monkeypatch):
    monkeypatch.setattr(import_run, "BATCH", 10)
    real = import_run.receive

    def slowly(batch, **said):
        received = real(batch, **said)
        if Finding.objects.count() == 20:  # another one thinks that we are dead
            Import.objects.update(due_at=timezone.now() + timedelta(minutes=9))
        return received

    row = keep(own(35))
    monkeypatch.setattr(import_run, "receive", slowly)
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.received, row.new) == ("running", 20, 20)
    assert Finding.objects.count() == 20
    assert row.due_at > timezone.now()


def test_it_leaves_a_file_that_is_elsewhere_to_the_machine_that_has_it():
    row = keep(own(1))
    default_storage.delete(row.stored_as)
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.tries) == ("running", 0)
    assert row.due_at > timezone.now()


def test_it_refuses_a_file_that_nobody_has():
    row = keep(own(1))
    default_storage.delete(row.stored_as)
    Import.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.due_at) == ("refused", None)
    assert "Send it again" in row.reason


def test_it_forgets_the_file_of_a_worker_that_died_at_the_very_end():
    row = keep(own(1))
    Import.objects.update(state="done")
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.due_at, row.received) == (None, 0)
    assert not default_storage.exists(row.stored_as)


# --- Looked through first -----------------------------------------------------------------


def test_it_looks_through_before_it_takes_in():
    row = keep(own(3), asks_first=True)
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.due_at, row.summary["new"]) == ("waiting", None, 3)
    assert default_storage.exists(row.stored_as)
    queue.confirm(row)
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.new) == ("done", 3)


def test_it_refuses_at_once_what_cannot_go_in():
    row = keep(b"{", asks_first=True)
    assert queue.take_due()
    row.refresh_from_db()
    assert (row.state, row.summary) == ("refused", None)
    assert not default_storage.exists(row.stored_as)


def test_it_forgets_what_nobody_decided_about():
    row = keep(own(3), asks_first=True)
    assert queue.take_due()
    Import.objects.update(started_at=timezone.now() - timedelta(days=2))
    queue.forget_abandoned()
    assert not Import.objects.filter(pk=row.pk).exists()
    assert not default_storage.exists(row.stored_as)


def test_one_that_raises_does_not_stop_the_others(frozen, monkeypatch):
    bad, good = keep(own(1)), keep(own(2))
    real = queue.carry_on

    def carry_on(row, *args, **kwargs):
        if row.pk == bad.pk:
            raise ZeroDivisionError
        real(row, *args, **kwargs)

    monkeypatch.setattr(queue, "carry_on", carry_on)
    with pytest.raises(ExceptionGroup):
        queue.take_due()
    good.refresh_from_db()
    assert good.state == "done"
    for _ in range(0, 600, 5):  # as the queue rings itself
        frozen.shift(5)
        if "findings.tasks.take_uploads" in schedules.due():
            with suppress(ExceptionGroup):
                queue.take_due()
    bad.refresh_from_db()
    assert (bad.state, bad.due_at) == ("refused", None)


def test_what_a_killed_worker_left_is_taken_up_within_two_minutes(frozen, monkeypatch):
    row = keep(own(1))
    queue._claim()
    frozen.shift(120)
    assert "findings.tasks.take_uploads" in schedules.due()
    assert queue.take_due()
    row.refresh_from_db()
    assert row.state == "done"


# --- Large ones ---------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch) -> list[Import]:
    """What a process was started for; everything over 2 kB is large."""
    rows: list[Import] = []
    monkeypatch.setattr(queue, "LARGE", 2_000)
    monkeypatch.setattr(queue, "start_process", rows.append)
    return rows


@pytest.mark.parametrize("asks_first", [True, False])
def test_it_gives_a_large_one_to_a_process_of_its_own(started, asks_first):
    row = keep(own(100), asks_first=asks_first)
    keep(own(1))
    assert queue.take_due(seconds=60)
    assert [each.pk for each in started] == [row.pk]
    assert Finding.objects.count() == 1


def test_it_guesses_that_a_packed_one_is_large(started):
    keep(gzip.compress(own(100)))
    assert queue.take_due()
    assert len(started) == 1


def test_it_takes_one_large_one_after_another(started, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _by: 0)
    keep(own(100))
    keep(own(200))
    assert queue.take_due()
    assert queue.take_due()
    assert len(started) == 1
    call_command("take_upload", str(started[0].pk))
    assert Finding.objects.count() == 100
    assert queue.take_due()
    assert len(started) == 2


def test_it_ends_with_its_cluster_and_another_one_goes_on(started, monkeypatch):
    monkeypatch.setattr(import_run, "BATCH", 10)
    row = keep(own(100))
    assert queue.take_due()
    with monkeypatch.context() as patch:
        patch.setattr(queue, "_leader_lives", lambda: Finding.objects.count() < 50)
        queue.take_large(row.pk)
    row.refresh_from_db()
    assert (row.state, row.received) == ("running", 50)
    assert queue.take_due()
    queue.take_large(started[1].pk)
    row.refresh_from_db()
    assert (row.state, row.received, row.new) == ("done", 100, 100)


def stored():
    return {f"uploads/{name}" for name in default_storage.listdir("uploads")[1]}


def test_what_dies_between_the_file_and_its_row_leaves_nothing_for_long(frozen, monkeypatch):
    def die(*_args, **_kwargs):
        raise SystemExit

    row = keep(own(2), asks_first=True)
    before = stored()
    with monkeypatch.context() as patch:
        patch.setattr(Import, "save", die)
        with pytest.raises(SystemExit):
            keep(own(1))
    [stray] = stored() - before
    at = default_storage.get_modified_time(stray)
    frozen.move_to(at + timedelta(minutes=59))
    queue.delete_stray_files()
    assert default_storage.exists(stray)
    frozen.move_to(at + timedelta(minutes=61))
    queue.delete_stray_files()
    assert not default_storage.exists(stray)
    assert default_storage.exists(row.stored_as)


def test_who_is_too_late_is_told(as_user, admin):
    row = keep(own(1), asks_first=True)
    queue.take_due()
    path = f"/settings/importers/{row.pk}"
    browser = as_user(admin)
    browser.post(f"{path}/begin")
    again = browser.post(f"{path}/begin", follow=True).content.decode()
    assert "already been decided on" in again
    page = browser.post(f"{path}/discard", follow=True).content.decode()
    assert "it was not discarded" in page
    assert Import.objects.filter(pk=row.pk).exists()
