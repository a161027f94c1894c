"""Two that act on one finding at once: neither undoes the other, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from findings import services
from findings.facts import Severity
from findings.models import Finding
from findings.overrides import set_severity
from findings.rule_effects import (
    MuteSpec,
    RuleActor,
    claim_for_recheck,
    mute,
    set_severities,
)
from tests.factories import FindingFactory

FINDINGS, CHUNK = 60, 7
RULE = RuleActor("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10", "Loud")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _threads():
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory; its writers take turns")


def at_once(*acts) -> list:
    """What each gives back; they begin together."""
    together = Barrier(len(acts))

    def run(act):
        together.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def recheck() -> list[int]:
    """Everything, in chunks: mute it and raise it. The primary keys that were seen."""
    seen: list[int] = []
    while True:
        with transaction.atomic():
            found = claim_for_recheck(after_pk=seen[-1] if seen else 0, limit=CHUNK)
            found = set_severities([(f, "critical", RULE) for f in found], now=timezone.now())
            mute([(f, MuteSpec("other"), RULE) for f in found], now=timezone.now())
        if not found:
            return seen
        seen += [f.pk for f in found]


def test_each_worker_sees_every_finding_whatever_others_hold():
    pks = [finding.pk for finding in FindingFactory.create_batch(FINDINGS, severity="high")]
    assert at_once(recheck, recheck, recheck) == [pks] * 3
    assert set(Finding.objects.values_list("status", "severity")) == {("muted", "critical")}


def test_people_and_rules_at_once_keep_what_people_did(analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(FINDINGS, severity="high")]

    def lift() -> None:
        services.mute(pks, reason="other", actor=analyst)
        services.unmute(pks, actor=analyst)

    def override() -> None:
        set_severity(pks, severity=Severity.LOW, actor=analyst)

    at_once(recheck, lift, override, recheck)
    for finding in Finding.objects.all():
        assert (finding.status, finding.severity) == ("open", "low")
        assert (finding.rule_severity, finding.source_severity) == ("critical", "high")


def test_an_empty_claim_is_the_end_although_a_chunk_was_closed_meanwhile(analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(2 * CHUNK)]
    is_locked, may_go_on = Event(), Event()

    def close() -> None:
        with transaction.atomic():
            services.lock(pks[:CHUNK])
            is_locked.set()
            may_go_on.wait(5)
            Finding.objects.filter(pk__in=pks[:CHUNK]).update(status="resolved")

    def claim() -> list[int]:
        is_locked.wait(5)
        may_go_on.set()
        with transaction.atomic():
            return [finding.pk for finding in claim_for_recheck(limit=CHUNK)]

    assert at_once(close, claim)[1] == pks[CHUNK:]
