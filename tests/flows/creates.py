"""Run as a program: deliver promises through a real queue and say how long it took.

python -m tests.flows.creates TICKETS SPACES LATENCY LOST FAILED KILLS SEED

Uses the database of DATABASE_URL, which must be empty, and a sandbox Jira whose creates take
LATENCY seconds. Of them the share LOST is stored and its connection reset, and the share FAILED
is answered 503 by Jira itself. KILLS times the worker of a claim is killed with SIGKILL. Prints
one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
os.environ["ALLOW_PRIVATE_NETWORKS"] = "1"  # the sandbox is on this machine
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from tests.factories import (  # noqa: E402
    DestinationFactory,
    JiraAccountFactory,
    ProjectFactory,
    opened_case,
)
from ticketing.models import Case, ExternalIssue  # noqa: E402
from ticketing.outbox import Promise  # noqa: E402
from ticketing.trackers.jira.sandbox import SandboxJira, defaults  # noqa: E402

CREATE = "POST /issue$"
MAX_SECONDS = 600


def promise(jira: SandboxJira, tickets: int, spaces: int) -> None:
    account = JiraAccountFactory(
        site_url=jira.url,
        email=jira.access.email,
        token=jira.access.token,
        user_id=jira.bot_id,
        is_sandbox=True,
    )
    task = next(kind.id for kind in jira.site.types.values() if kind.name == "Task")
    more = [
        defaults.project(
            f"2000{n}", f"SP{n}", f"Space {n}", defaults.SECURITY_WORKFLOW, is_cloud=True
        )
        for n in range(1, spaces)
    ]
    jira.site.projects |= {space.id: space for space in more}
    there = [jira.project("SEC"), *more]
    with transaction.atomic():
        places = [
            DestinationFactory(
                account=account,
                project=ProjectFactory(),
                space_id=space.id,
                space_key=space.key,
                type_id=task,
            )
            for space in there
        ]
        for number in range(tickets):
            project = places[number % spaces].project
            opened_case(project, origin=Case.Origin.MANUAL, promise=Promise({}))


@contextmanager
def queue() -> Iterator[None]:
    """A supervised queue with two workers and threads as in earnest, gone afterwards."""
    command = [sys.executable, "manage.py", "work", "--workers", "2"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.base"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as supervisor:
        try:
            yield
        finally:
            supervisor.terminate()


def deliver(tickets: int, kills: int, chance: random.Random) -> tuple[float, float]:
    """Until all are created: the seconds since the first claim, and since the last kill."""
    begun = last_kill = 0.0
    ends = time.monotonic() + MAX_SECONDS
    while time.monotonic() < ends:
        created = ExternalIssue.objects.filter(state="created").count()
        if created == tickets:
            break
        claims = ExternalIssue.objects.filter(state="sending").values_list("worker", flat=True)
        if workers := [worker for worker in claims if worker]:
            begun = begun or time.monotonic()
            if kills and chance.random() < 0.2:
                with suppress(ProcessLookupError):
                    os.kill(int(chance.choice(workers).rpartition(":")[2]), signal.SIGKILL)
                    kills, last_kill = kills - 1, time.monotonic()
        time.sleep(0.05)
    now = time.monotonic()
    return now - (begun or now), now - last_kill if last_kill else 0.0


def main(
    tickets: int, spaces: int, latency: float, shares: tuple[float, float], kills: int, seed: int
) -> None:
    call_command("migrate", verbosity=0)
    with SandboxJira() as jira:
        jira.faults.seed(seed)
        lost, failed = shares
        if failed:
            said = {"errorMessages": ["Internal error"], "errors": {}}
            jira.faults.answer(CREATE, 503, said, times=None, probability=failed)
        if lost:  # of those that the first has left over
            share = lost / (1 - failed)
            jira.faults.reset(CREATE, stage="after", times=None, probability=share)
        if latency:
            jira.faults.slow(CREATE, latency, times=None)
        promise(jira, tickets, spaces)
        connection.close()
        with queue():
            seconds, since_last_kill = deliver(tickets, kills, random.Random(seed))
        sys.stdout.write(json.dumps(result(jira, seconds, since_last_kill)))


def result(jira: SandboxJira, seconds: float, since_last_kill: float) -> dict[str, Any]:
    there = jira.issues_by_label("fa-")
    states = Counter(ExternalIssue.objects.values_list("state", flat=True))
    return {
        "states": states,
        "in Jira": len(there),
        "most tries of one": max(ExternalIssue.objects.values_list("attempts", flat=True)),
        "twice": sum(len(keys) > 1 for keys in there.values()),
        "requests": len(jira.log.matching("* /rest/")),
        "seconds": round(seconds, 1),
        "since the last kill": round(since_last_kill, 1),
        "a second": round(states["created"] / max(seconds, 0.1), 1),
    }


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    main(int(given[0]), int(given[1]), given[2], (given[3], given[4]), int(given[5]), int(given[6]))
