"""Reports that by their nature say nothing about what they lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from findings.imports import queue
from findings.imports.dry_run import dry_run
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import spooled
from findings.models import Finding, Import, Scope

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "formats" / "samples"
ALL = (SAMPLES / "cloud.ocsf.json").read_bytes()
NOTE = (
    "The report does not cover all of its scope: events say nothing about other findings. "
    "It closes nothing."
)
NEWS = json.dumps(json.loads(ALL)[0]).encode()


def _in_the_request(report: bytes) -> Import:
    return import_report([report], ImportOptions(source="aws", scope="prod"))


def _by_the_queue(report: bytes) -> Import:
    row = queue.store(ContentFile(report), ImportOptions(source="aws", scope="prod"))
    assert queue.take_due()
    return Import.objects.get(pk=row.pk)


@pytest.mark.parametrize("take", [_in_the_request, _by_the_queue])
def test_it_closes_nothing_by_news_whatever_scope_is_named(take):
    assert not take(ALL).is_partial
    open_ones = Finding.objects.count()
    assert open_ones > 1
    news = take(NEWS)
    assert (news.is_partial, news.closing, news.closing_note) == (True, "none", NOTE)
    assert Finding.objects.filter(status="open").count() == open_ones


def test_it_makes_no_scope_for_each_of_them():
    for item in json.loads(ALL)[:3]:
        import_report([json.dumps(item).encode()], ImportOptions(source="aws"))
    assert Scope.objects.values_list("target").distinct().count() == 1


def test_it_says_beforehand_that_news_close_nothing():
    _in_the_request(ALL)
    with spooled([NEWS], limit=1_000_000) as file:
        summary = dry_run(file, ImportOptions(source="aws", scope="prod"))
    assert (summary.closing, summary.resolved) == ("none", 0)
    assert summary.closing_note == NOTE
