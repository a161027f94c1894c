"""Batches with the same findings at once: no deadlock, nothing twice, and the counts add up."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection

from findings.facts import Severity
from findings.formats.normalised import Normalised
from findings.models import Finding
from findings.overrides import clear_severity, set_severity
from findings.services import Recorded, record
from tests.factories import SourceFactory, reported

ROOT = Path(__file__).parents[2]
FINDINGS, SENDERS, ROUNDS = 300, 4, 5


def batch(seed: int) -> list[Normalised]:
    """The same findings, in an order of their own and with words of their own."""
    numbers = random.Random(seed).sample(range(FINDINGS), FINDINGS)
    return [
        Normalised("secret", f"Title of {seed}", "high", "resource", f"fingerprint-{number}")
        for number in numbers
    ]


def assert_each_was_new_once(counts: list[Recorded]) -> None:
    assert sum(recorded.new for recorded in counts) == FINDINGS
    assert sum(map(sum, counts)) == FINDINGS * len(counts)


@pytest.mark.django_db(transaction=True)
def test_it_records_the_same_findings_from_several_threads_once():
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory; see the next test")
    source = SourceFactory()
    together = Barrier(SENDERS)

    def send(sender: int) -> list[Recorded]:
        together.wait()
        try:
            return [record(batch(sender * 100 + turn), source=source) for turn in range(ROUNDS)]
        finally:
            connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        counts = [recorded for sent in pool.map(send, range(SENDERS)) for recorded in sent]
    assert_each_was_new_once(counts)
    assert Finding.objects.count() == FINDINGS


@pytest.mark.django_db(transaction=True)
def test_it_records_while_people_set_severities_without_losing_either():
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory; its writers take turns")
    source = SourceFactory()
    record(reported(FINDINGS), source=source)
    pks = list(Finding.objects.values_list("pk", flat=True))
    together = Barrier(SENDERS)

    def act(sender: int) -> None:
        together.wait()
        try:
            for turn in range(ROUNDS):
                if sender % 2:
                    set_severity(pks[:100], severity=Severity.CRITICAL, actor=None)
                    clear_severity(random.Random(turn).sample(pks, 50), actor=None)
                else:
                    said = "low" if turn % 2 else "high"
                    record(reported(FINDINGS, severity=said), source=source)
        finally:
            connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(act, range(SENDERS)))
    assert {f.source_severity for f in Finding.objects.all()} == {"high"}
    for finding in Finding.objects.all():
        is_set = "severity_override" in finding.workflow
        assert bool(finding.base_severity) == is_set
        assert finding.severity == ("critical" if is_set else "high")


SEND = """
import json, sys, django
django.setup()
from findings.models import Source
from findings.services import record
from tests.findings.test_record_together import ROUNDS, batch
source, sender = Source.objects.get_or_create(name="scanner")[0], int(sys.argv[1])
print(json.dumps([record(batch(sender * 100 + turn), source=source) for turn in range(ROUNDS)]))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_records_the_same_findings_from_several_processes_on_sqlite_once(migrated, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL threads ask the same, see above")
    place = {
        "DATABASE_URL": f"sqlite:///{shutil.copy(migrated, tmp_path / 'findings.sqlite3')}",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "PYTHONPATH": str(ROOT),
    }
    python = {"cwd": ROOT, "env": os.environ | place, "text": True}
    senders = [
        subprocess.Popen([sys.executable, "-c", SEND, str(n)], stdout=subprocess.PIPE, **python)
        for n in range(SENDERS)
    ]
    answers = [sender.communicate(timeout=280)[0] for sender in senders]
    counts = [Recorded(*counts) for answer in answers for counts in json.loads(answer)]
    assert [sender.returncode for sender in senders] == [0] * SENDERS
    assert_each_was_new_once(counts)
