"""Run as a program: findings of a few groups come to tickets by workers that are killed.

python -m tests.flows.killed_groups FINDINGS GROUPS WORKERS KILLS SEED

Uses the database of DATABASE_URL, which must be empty.
Prints one line of JSON. A worker evaluates small chunks and then refreshes tickets; it is killed
with SIGKILL at any moment, most often in the middle of a transaction, and another takes its place.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from typing import Any

import django
import time_machine

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connection  # noqa: E402

from automation.decisions.conservation import violations  # noqa: E402
from automation.models import Decision  # noqa: E402
from automation.pipeline import evaluate_chunk  # noqa: E402
from automation.rules.services import create_rule  # noqa: E402
from findings.models import Finding  # noqa: E402
from findings.selectors import unevaluated  # noqa: E402
from findings.services import record  # noqa: E402
from tests.conftest import NOON  # noqa: E402
from tests.factories import SourceFactory, reported, ticket_rule  # noqa: E402
from ticketing.groups import refresh_due  # noqa: E402
from ticketing.models import Attachment, Case, CaseGroup  # noqa: E402
from ticketing.projects import create_project  # noqa: E402

CHUNK = 40
REFRESHES = 0.2  # so many chunks are followed by one of tickets


def prepare(findings: int, groups: int) -> None:
    """They arrive so that each chunk has some of every group."""
    call_command("migrate", verbosity=0)
    project = create_project(key="SEC", name="Security", actor=None)
    create_rule(
        ticket_rule(
            name="Packages",
            finding_types=["library_vulnerability"],
            project_id=project.pk,
            max_tickets_per_day=500,
            group_by=["package"],
        ),
        actor=None,
    )
    each = findings // groups
    reports = [
        reported(each, prefix=f"g{group}", attributes={"package": {"name": f"package-{group}"}})
        for group in range(groups)
    ]
    mixed = [finding for row in zip(*reports, strict=True) for finding in row]
    record(mixed, source=SourceFactory())
    connection.close()


def work() -> None:
    """A worker's life: a fault of the database ends the ring, the next ring goes on."""
    while unevaluated().exists() or unrefreshed():
        try:
            if not evaluate_chunk(CHUNK) or random.random() < REFRESHES:
                refresh_due(seconds=0)
        except OperationalError:
            connection.close()
    os._exit(0)


def unrefreshed() -> bool:
    return CaseGroup.objects.filter(refresh_since__isnull=False).exists()


def start_worker() -> int:
    pid = os.fork()
    if pid == 0:
        random.seed()
        work()
    return pid


def run(workers: int, kills: int, chance: random.Random) -> int:
    """Kills that met a worker at work; the last ones finish."""
    alive, met = [start_worker() for _ in range(workers)], 0
    for _ in range(kills):
        time.sleep(chance.uniform(0.05, 0.8))
        victim = alive.pop(chance.randrange(len(alive)))
        os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        met += os.WIFSIGNALED(status)
        alive.append(start_worker())
    for pid in alive:
        os.waitpid(pid, 0)
    return met


def found() -> dict[str, Any]:
    titles = Case.objects.values_list("title", flat=True)
    return {
        "waiting": unevaluated().count(),
        "outcomes": Counter(Decision.objects.values_list("outcome", flat=True)),
        "tickets": len(titles),
        "attached": Attachment.objects.count(),
        "without a ticket": Finding.objects.exclude(ticket="automated").count(),
        "extents": Counter(title.partition(": ")[2] for title in titles),
        "violations": list(violations()),
    }


def main(findings: int, groups: int, workers: int, kills: int, seed: int) -> None:
    with time_machine.travel(NOON, tick=True):
        prepare(findings, groups)
        started = time.monotonic()
        met = run(workers, kills, random.Random(seed))
        seconds = round(time.monotonic() - started, 1)
        sys.stdout.write(json.dumps({"killed": met, "seconds": seconds} | found()))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
