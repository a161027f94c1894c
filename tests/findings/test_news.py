"""Reports that by their nature say nothing about what they lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from findings import uploads
from findings.imports import Sent, import_report
from findings.models import Finding, Import, Scope
from findings.preview import look_through
from findings.spool import spooled

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parent / "formats" / "samples"
ALL = (SAMPLES / "cloud.ocsf.json").read_bytes()
NEWS = json.dumps(json.loads(ALL)[0]).encode()


def _in_the_request(report: bytes) -> Import:
    return import_report([report], Sent(source="aws", scope="prod"))


def _by_the_queue(report: bytes) -> Import:
    row = uploads.keep(ContentFile(report), Sent(source="aws", scope="prod"))
    assert uploads.take_due()
    return Import.objects.get(pk=row.pk)


@pytest.mark.parametrize("take", [_in_the_request, _by_the_queue])
def test_it_closes_nothing_by_news_whatever_scope_is_named(take):
    assert not take(ALL).is_partial
    open_ones = Finding.objects.count()
    assert open_ones > 1
    news = take(NEWS)
    assert (news.is_partial, news.closing) == (True, "none")
    assert Finding.objects.filter(status="open").count() == open_ones


def test_it_makes_no_scope_for_each_of_them():
    for item in json.loads(ALL)[:3]:
        import_report([json.dumps(item).encode()], Sent(source="aws"))
    assert Scope.objects.values_list("target").distinct().count() == 1


def test_it_says_beforehand_that_news_close_nothing():
    _in_the_request(ALL)
    with spooled([NEWS], limit=1_000_000) as file:
        summary = look_through(file, Sent(source="aws", scope="prod"))
    assert (summary.closing, summary.resolved) == ("none", 0)
    assert summary.closing_note == "A partial report closes nothing."
