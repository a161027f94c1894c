"""Mutes that end: in chunks, whatever their number, and whatever one of them is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.lib.deadline import Deadline
from findings import mute_expiry, services
from findings.models import Finding, FindingEvent
from findings.signals import findings_changed
from findings.tasks import wake_muted
from tests.conftest import NOON
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def muted(frozen, monkeypatch):
    """`muted(7)`: findings whose mutes all end now; two of them are a chunk."""
    monkeypatch.setattr(mute_expiry, "CHUNK", 2)

    def mute(number):
        pks = [FindingFactory().pk for _ in range(number)]
        services.mute(pks, reason="other", until=timezone.now(), actor=None)
        return pks

    return mute


def still_muted():
    return Finding.objects.filter(status="muted").count()


def test_it_goes_on_where_it_was_left(muted):
    muted(7)
    left = []
    while not mute_expiry.wake_muted(timezone.now(), seconds=0):
        left.append(still_muted())
    assert left == [5, 3, 1]
    assert FindingEvent.objects.filter(kind="unmuted").count() == 7


def test_it_tells_once_a_ring_what_it_did(muted):
    heard = []
    receiver = lambda **_: heard.append(still_muted())  # noqa: E731
    findings_changed.connect(receiver, weak=False)
    muted(7)
    heard.clear()
    mute_expiry.wake_muted(timezone.now())
    mute_expiry.wake_muted(timezone.now())
    findings_changed.disconnect(receiver)
    assert heard == [0]


def test_three_hundred_thousand_take_no_worker_for_longer_than_a_few_seconds(muted, monkeypatch):
    """A chunk of 1,000 takes half a second here; whatever waits has its turn in between."""
    seconds, runs = [0.0], []
    monkeypatch.setattr(mute_expiry, "Deadline", lambda s: Deadline(s, clock=lambda: seconds[0]))
    wake = mute_expiry._wake
    monkeypatch.setattr(
        mute_expiry, "_wake", lambda *a: (seconds.__setitem__(0, seconds[0] + 0.5), wake(*a))[1]
    )
    muted(90)
    while still_muted():
        began = seconds[0]
        wake_muted()
        runs.append(seconds[0] - began)
    assert max(runs) <= mute_expiry.SECONDS_A_RUN + 0.5
    assert len(runs) == 3


def test_one_that_raises_does_not_keep_the_others_muted(muted):
    pks = muted(7)
    Finding.objects.filter(pk=pks[0]).update(workflow=["not", "an", "object"])
    with pytest.raises(ExceptionGroup):
        mute_expiry.wake_muted(timezone.now())
    assert list(Finding.objects.filter(status="muted").values_list("pk", flat=True)) == pks[:1]


def test_a_chunk_costs_the_same_statements_for_any_number(muted, monkeypatch):
    monkeypatch.setattr(mute_expiry, "CHUNK", 1_000)
    counts = []
    for number in (2, 40):
        muted(number)
        with CaptureQueriesContext(connection) as statements:
            mute_expiry.wake_muted(timezone.now())
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 14


def test_it_finds_the_mutes_that_end_by_their_index():
    if connection.vendor == "postgresql":  # which reads a table of no rows as a whole
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = mute_expiry._ended(NOON).order_by("muted_until").explain()
    assert "finding_muted_until" in plan
