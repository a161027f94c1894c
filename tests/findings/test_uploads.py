from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
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
