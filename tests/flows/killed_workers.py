"""Run as a program: evaluate findings with workers that are killed at random, and count.

python -m tests.flows.killed_workers FINDINGS LIMIT WORKERS KILLS SEED

Uses the database of DATABASE_URL, which must be empty. Prints one line of JSON. A worker is
a forked process that evaluates small chunks, as the queue's workers do; it is killed with
SIGKILL at any moment, most often in the middle of a transaction, and another takes its place.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter

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
from findings.models import Evaluation  # noqa: E402
from findings.services import record  # noqa: E402
from tests.conftest import NOON  # noqa: E402
from tests.factories import SourceFactory, reported, ticket_rule  # noqa: E402
from ticketing.models import Case  # noqa: E402
from ticketing.projects import create_project  # noqa: E402

CHUNK = 25


def prepare(findings: int, limit: int) -> None:
    call_command("migrate", verbosity=0)
    project = create_project(key="SEC", name="Security", actor=None)
    create_rule(
        ticket_rule(
            name="All",
            finding_types=["library_vulnerability"],
            project_id=project.pk,
            max_tickets_per_day=limit,
        ),
        actor=None,
    )
    record(reported(findings), source=SourceFactory())
    connection.close()


def work() -> None:
    """A worker's life: a fault of the database ends the ring, the next ring goes on."""
    while waiting():
        try:
            evaluate_chunk(CHUNK)
        except OperationalError:
            connection.close()
    os._exit(0)


def waiting() -> int:
    return Evaluation.objects.filter(unevaluated_since__isnull=False).count()


def start_worker() -> int:
    pid = os.fork()
    if pid == 0:
        work()
    return pid


def run(workers: int, kills: int, chance: random.Random) -> int:
    """Keep `workers` alive until the last kill, then let them finish; returns the kills."""
    alive = [start_worker() for _ in range(workers)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.005, 0.06))
        victim = alive.pop(chance.randrange(len(alive)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        alive.append(start_worker())
    for pid in alive:
        os.waitpid(pid, 0)
    return kills


def main(findings: int, limit: int, workers: int, kills: int, seed: int) -> None:
    with time_machine.travel(NOON, tick=True):
        prepare(findings, limit)
        killed = run(workers, kills, random.Random(seed))
        outcomes = Counter(Decision.objects.values_list("outcome", flat=True))
        origins = Counter(Case.objects.values_list("origin", flat=True))
        sys.stdout.write(
            json.dumps(
                {
                    "killed": killed,
                    "waiting": waiting(),
                    "outcomes": outcomes,
                    "cases": origins,
                    "violations": list(violations()),
                }
            )
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
