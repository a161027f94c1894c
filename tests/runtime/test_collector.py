"""The collector of cycles leaves alone what was loaded, and batches that die by themselves."""

from __future__ import annotations

import gc
from contextlib import contextmanager

import pytest
from django.db import transaction

from findings.formats.normalised import normalise
from findings.models import Finding
from findings.services import claim_unevaluated, record
from tests.factories import SourceFactory


@contextmanager
def collections():
    found: list[int] = []

    def note(phase, info):
        if phase == "start":
            found.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield found
    finally:
        gc.callbacks.remove(note)


@pytest.mark.django_db
def test_batches_of_findings_search_no_whole_heap():
    named = {"finding_type": "misconfiguration", "title": "A", "severity": "low"}
    said = {"tags": ["a:b"], "attributes": {"a": {"b": [{}, {}, {}]}}}
    source = SourceFactory()
    with collections() as found:
        for _ in range(10):
            records = [named | said | {"resource_id": f"r{n}"} for n in range(500)]
            record([normalise(each, position=0) for each in records], source=source)
            with transaction.atomic():
                assert len(claim_unevaluated(limit=500)) == 500
    assert len(found) < 10, found
    assert Finding.objects.count() == 500
    assert gc.get_freeze_count() > 100_000
