"""Run as a program: many tickets at once for a Jira that is slow to take them and often fails.

python -m tests.flows.rush TICKETS RATE FAULTS SEED HASTE

Uses the database of DATABASE_URL, which must be empty; the queue is a real one with two
workers (`hasty.py`). RATE is Jira's limit in requests a second, FAULTS the share of creates
that fail: reset or hung before or after Jira stored them, 500, 503, broken answers. Meanwhile
a finding a second is reported, and the time until it is decided is what other work waits.
Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
os.environ["ALLOW_PRIVATE_NETWORKS"] = "1"  # the sandbox is on this machine
os.environ["WORKERS"] = "2"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from automation.decisions.conservation import violations  # noqa: E402
from automation.models import Decision  # noqa: E402
from findings.services import record  # noqa: E402
from tests.factories import (  # noqa: E402
    DestinationFactory,
    JiraAccountFactory,
    SourceFactory,
    opened_case,
    reported,
)
from ticketing.models import Case, Destination, ExternalIssue, Orphan  # noqa: E402
from ticketing.outbox import Promise  # noqa: E402
from ticketing.trackers.jira.sandbox import SandboxJira  # noqa: E402

CREATE = "POST /issue$"


def link(jira: SandboxJira) -> Destination:
    """The account, and the place there that the tickets are for."""
    account = JiraAccountFactory(
        site_url=jira.url,
        email=jira.access.email,
        token=jira.access.token,
        user_id=jira.bot_id,
        is_sandbox=True,
    )
    space = jira.project("SEC")
    task = next(kind.id for kind in jira.site.types.values() if kind.name == "Task")
    return DestinationFactory(account=account, space_id=space.id, space_key=space.key, type_id=task)


@transaction.atomic
def promise(place: Destination, tickets: int) -> None:
    for _ in range(tickets):
        opened_case(place.project, origin=Case.Origin.MANUAL, promise=Promise({}))


def break_things(jira: SandboxJira, share: float, seed: int) -> None:
    jira.faults.seed(seed)
    each = {"times": None, "probability": share / 6}
    for stage in ("before", "after"):
        jira.faults.reset(CREATE, stage=stage, **each)
        jira.faults.answer(CREATE, 503, "<html>Unavailable</html>", stage=stage, **each)
    jira.faults.truncate(CREATE, **each)
    jira.faults.answer(CREATE, 500, {"errorMessages": ["Internal error"]}, **each)


@contextmanager
def queue(haste: float) -> Iterator[None]:
    """A cluster with two workers, all of it gone afterwards."""
    command = [sys.executable, "-m", "tests.flows.hasty", str(haste), "qcluster"]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as cluster:
        try:
            yield
        finally:
            os.killpg(cluster.pid, 9)


def rush(tickets: int, *, seconds: float) -> list[float]:
    """Until all are created; how long each of the other things took meanwhile."""
    ends, waited = time.monotonic() + seconds, []
    while ExternalIssue.objects.filter(state="created").count() < tickets:
        if time.monotonic() > ends:
            break
        waited.append(decide())
        time.sleep(0.3)
    return waited


def decide() -> float:
    """Report one finding; the seconds until the queue has decided it."""
    begun, before = time.monotonic(), Decision.objects.count()
    record(reported(prefix=f"other{before}-"), source=SourceFactory())
    while Decision.objects.count() == before and time.monotonic() < begun + 60:
        time.sleep(0.02)
    return time.monotonic() - begun


def result(jira: SandboxJira, waited: list[float], took: float) -> dict[str, Any]:
    there = jira.issues_by_label("fa-")
    exchanges = jira.log.matching("* /rest/")
    return {
        "states": Counter(ExternalIssue.objects.values_list("state", flat=True)),
        "in Jira": len(there),
        "twice": sum(len(keys) > 1 for keys in there.values()),
        "orphans": Orphan.objects.count(),
        "unsure": ExternalIssue.objects.filter(was_unsure=True).count(),
        "requests": len(exchanges),
        "throttled": jira.limit.refused,
        "seconds": round(took, 1),
        "others": len(waited),
        "others p95": round(sorted(waited)[int(len(waited) * 0.95)], 2) if waited else None,
        "others max": round(max(waited), 2) if waited else None,
        "violations": list(violations()),
    }


def main(tickets: int, rate: float, share: float, seed: int, haste: float) -> None:
    call_command("migrate", verbosity=0)
    with SandboxJira(rate=rate) as jira:
        place = link(jira)
        connection.close()
        with queue(haste):
            for _ in range(4):  # both workers have done something by then
                decide()
            break_things(jira, share, seed)
            promise(place, tickets)
            begun = time.monotonic()
            waited = rush(tickets, seconds=60 + 20 * tickets / rate)
            took = time.monotonic() - begun
        sys.stdout.write(json.dumps(result(jira, waited, took)))


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    main(int(given[0]), given[1], given[2], int(given[3]), given[4])
