"""Run as a program: work on a bulk run with workers that are killed at random, and count.

python -m tests.flows.killed_bulk FINDINGS WORKERS KILLS SEED

Uses the database of DATABASE_URL, which must be empty. Prints one line of JSON. A killed worker
leaves its lease behind; the clock that ends it is moved on, as waiting would take minutes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import uuid
from collections import Counter
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from config.accounts.roles import Role  # noqa: E402
from findings.models import Finding  # noqa: E402
from findings.services import record  # noqa: E402
from tests.factories import SourceFactory, UserFactory, reported  # noqa: E402
from ticketing import bulk  # noqa: E402
from ticketing.models import Attachment, BulkRun, BulkStep, Case  # noqa: E402
from ticketing.projects import create_project  # noqa: E402


def prepare(findings: int) -> None:
    call_command("migrate", verbosity=0)
    project = create_project(key="SEC", name="Security", actor=None)
    record(reported(findings), source=SourceFactory())
    bulk.start(
        uuid.uuid4(),
        deed="tickets",
        said={
            "project": str(project.pk), "assignee": None, "in_jira": False, "fields": {},
            "move": False,
        },
        finding_pks=list(Finding.objects.values_list("pk", flat=True)),
        search="",
        actor=UserFactory(role=Role.ANALYST),
    )  # fmt: skip
    connection.close()


def work() -> None:
    """A worker's life: rings until the run is done."""
    while BulkRun.objects.filter(state="running").exists():
        try:
            bulk.work_due(seconds=0.05)
        except OperationalError:
            connection.close()
        time.sleep(0.01)
    os._exit(0)


def start_worker() -> int:
    pid = os.fork()
    if pid == 0:
        work()
    return pid


def run(workers: int, kills: int, chance: random.Random) -> int:
    """Keep `workers` alive until the last kill, then let them finish; returns the kills."""
    alive = [start_worker() for _ in range(workers)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.02, 0.12))
        victim = alive.pop(chance.randrange(len(alive)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        BulkRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        connection.close()  # a forked worker must not share it
        alive.append(start_worker())
    for pid in alive:
        os.waitpid(pid, 0)
    return kills


def main(findings: int, workers: int, kills: int, seed: int) -> None:
    prepare(findings)
    killed = run(workers, kills, random.Random(seed))
    sys.stdout.write(
        json.dumps(
            {
                "killed": killed,
                "state": BulkRun.objects.get().state,
                "steps": Counter(BulkStep.objects.values_list("outcome", flat=True)),
                "cases": Case.objects.count(),
                "ticketed": Attachment.objects.count(),
            }
        )
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
