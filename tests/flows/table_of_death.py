"""Run as a program: deliver promises while everything dies, and count the issues there are.

python -m tests.flows.table_of_death RUNS SEED

Uses the database of DATABASE_URL, which must be empty, and a sandbox Jira over HTTP. Each run
is one promise in one cell of the table: a step of the delivery, and how it dies there. Then
time passes, minute by minute and hour by hour, until the promise is kept. Prints one line of
JSON. Workers are real processes (`workers.py`) with clocks of their own, so that no lease and
no wait is any shorter than in earnest.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
os.environ["ALLOW_PRIVATE_NETWORKS"] = "1"  # the sandbox is on this machine
django.setup()

import time_machine  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from tests.factories import DestinationFactory, JiraAccountFactory, opened_case  # noqa: E402
from tests.flows.workers import BEGINNING, Nursery, Orders, points  # noqa: E402
from ticketing.models import Case, Destination, ExternalIssue  # noqa: E402
from ticketing.outbox import Promise  # noqa: E402
from ticketing.outbox.waiting import is_anything_due  # noqa: E402
from ticketing.trackers.jira.sandbox import SandboxJira  # noqa: E402

KILL_BEFORE, KILL_AFTER = "kill -9 before", "kill -9 after"
TIMEOUT, RESET = "time-out, stored", "reset, stored"
TWO, TWICE, EXPIRED = "two workers", "bell rung twice", "lease expired"
DEATHS = (KILL_BEFORE, KILL_AFTER, TIMEOUT, RESET, TWO, TWICE, EXPIRED)
AT_ONCE = ("fail", "claim a look at once", "look at once")
LOOKING = ("claim a look-up", "look up", "settle the look-up")
MEANINGLESS = {
    ("store, uncommitted", EXPIRED),  # a transaction that stands still stops everybody else
}
MINUTE = timedelta(minutes=1)
RING = timedelta(seconds=5)
LATER = (
    *(RING * n for n in range(1, 60)),
    *(MINUTE * m for m in (5, 6, 8, 11, 12, 14, 15, 20, 25, 26, 28, 31, 33, 40, 61, 65, 130)),
)
"""When somebody comes by after a death: the queue rings itself every few seconds."""
MAX_SECONDS, MAX_AFTER_A_LOST_ANSWER = 130, 5
A_DAY = timedelta(hours=25)


class Cell(NamedTuple):
    step: str
    death: str


class Result(NamedTuple):
    cell: Cell
    died: bool  # the death was met, and not missed
    issues: int  # in Jira, for this promise
    most: int  # at any time
    state: str
    wrong: list[str]  # what else is not as it should be
    seconds: float  # from the promise until it was kept
    lost: float | None  # the same from a lost answer, if no worker died after that


def cells() -> list[Cell]:
    return [
        Cell(step, death)
        for step in points()
        for death in DEATHS
        if (step, death) not in MEANINGLESS
    ]


class Theatre:
    """One sandbox Jira, one database, one clock that only goes forward."""

    def __init__(self, jira: SandboxJira, nursery: Nursery) -> None:
        self._jira = jira
        self._nursery = nursery
        self._clock = timedelta(0)
        account = JiraAccountFactory(
            site_url=jira.url,
            email=jira.access.email,
            token=jira.access.token,
            user_id=jira.bot_id,
            is_sandbox=True,
            rate=500.0,
            next_request_at=BEGINNING,
        )
        space = jira.project("SEC")
        task = next(kind.id for kind in jira.site.types.values() if kind.name == "Task")
        self._place: Destination = DestinationFactory(
            account=account, space_id=space.id, space_key=space.key, type_id=task
        )

    def play(self, cell: Cell, chance: random.Random) -> Result:
        self._most, self._lost_at = 0, None
        self._tick(MINUTE)  # those before it may have taken longer than their clocks say
        self._prepare(chance)
        issue = self._promise()
        died = self._kill(cell, issue, chance)
        self._ring_until_created(issue)
        self._ring(self._clock + A_DAY, issue)
        issue.refresh_from_db()
        there = self._jira.issues_with_label(issue.key)
        at = issue.delivered_at or BEGINNING + self._clock
        return Result(
            cell=cell,
            died=died,
            issues=len(there),
            most=self._most,
            state=issue.state,
            wrong=self._wrong(issue, there),
            seconds=round((at - issue.created_at).total_seconds(), 1),
            lost=self._lost_at and round((at - self._lost_at).total_seconds(), 1),
        )

    def _ring_until_created(self, issue: ExternalIssue) -> None:
        start = self._clock
        for wait in (timedelta(0), *LATER):
            issue.refresh_from_db()
            if issue.state == "created":
                return
            self._ring(start + wait, issue)

    def _prepare(self, chance: random.Random) -> None:
        """Now and then the index is hours behind, and other people create issues, too."""
        self._jira.site.lag = chance.choice((0, 0, 10**6))
        for _ in range(chance.choice((0, 0, 3))):
            self._jira.create_issue("SEC", "Of somebody else")

    def _promise(self) -> ExternalIssue:
        with time_machine.travel(BEGINNING + self._clock, tick=False), transaction.atomic():
            case = opened_case(self._place.project, origin=Case.Origin.MANUAL, promise=Promise({}))
        return ExternalIssue.objects.get(case=case)

    def _kill(self, cell: Cell, issue: ExternalIssue, chance: random.Random) -> bool:
        """The one bad minute; what is left of it is for the others to clean up."""
        orders = Orders(self._clock, step=cell.step, seed=chance.randrange(10**9))
        if cell.step in LOOKING or cell.step in AT_ONCE:
            stage = chance.choice(("before", "after"))
            self._jira.faults.reset("POST /issue$", stage=stage)
        if cell.step in LOOKING:  # not found at once
            self._jira.faults.answer("POST /bulkfetch$", 502, "<html>Bad gateway")
            self._ring(self._clock, issue)
            issue.refresh_from_db()
            self._clock = issue.not_before - BEGINNING + timedelta(seconds=1)
            orders = orders._replace(at=self._clock)
        died = self._die(cell.death, orders, issue, chance)
        self._look(issue)
        self._jira.faults.clear()
        return died

    def _die(self, death: str, orders: Orders, issue: ExternalIssue, chance: random.Random) -> bool:
        match death:
            case "kill -9 before" | "kill -9 after":
                when = "before" if death == KILL_BEFORE else "after"
                return self._nursery.run(orders._replace(when=when, fate="kill")) == "killed"
            case "time-out, stored" | "reset, stored":
                return self._lose_the_answer(death, orders, chance)
            case "two workers":
                return self._run_two(orders, chance)
            case "bell rung twice":
                ends = [self._nursery.run(orders._replace(when="after", fate="kill"))]
                ends += [self._nursery.run(Orders(orders.at)) for _ in range(2)]
                return "killed" in ends
        return self._outlive_the_lease(orders, issue, chance)

    def _lose_the_answer(self, death: str, orders: Orders, chance: random.Random) -> bool:
        if death == TIMEOUT:
            fault = self._jira.faults.hang("POST /issue$", stage="after", seconds=1.5)
        else:
            fault = self._jira.faults.reset("POST /issue$", stage="after")
        when = chance.choice(("before", "after"))
        end = self._nursery.run(orders._replace(when=when, fate="kill"))
        survived = end == "done"
        if not fault.hits:  # it died before that: the next one meets it
            self._nursery.run(Orders(self._tick(RING)))
            survived = True
        if fault.hits and survived:
            self._lost_at = BEGINNING + self._clock
        return end == "killed" or bool(fault.hits)

    def _run_two(self, orders: Orders, chance: random.Random) -> bool:
        when = chance.choice(("before", "after"))
        one = self._nursery.start(orders._replace(when=when, fate="dawdle"))
        two = self._nursery.start(Orders(orders.at))
        ends = [self._nursery.wait(pid) for pid in (one, two)]
        return ends == ["done", "done"]

    def _outlive_the_lease(
        self, orders: Orders, issue: ExternalIssue, chance: random.Random
    ) -> bool:
        """The first stands still for half an hour, in which others do its work; then it goes on."""
        when = chance.choice(("before", "after"))
        sleeper = self._nursery.start(orders._replace(when=when, fate="stop"))
        if self._nursery.wait(sleeper) != "stopped":
            return False
        start = self._clock
        self._ring_until_created(issue)
        self._ring(start + 30 * MINUTE, issue)
        os.kill(sleeper, signal.SIGCONT)
        return self._nursery.wait(sleeper) == "done"

    def _ring(self, at: timedelta, issue: ExternalIssue) -> None:
        self._clock = max(self._clock, at)
        if not self._is_anything_to_do():
            return
        end = self._nursery.run(Orders(self._clock))
        if end != "done":
            raise RuntimeError(f"a worker {end}")
        self._look(issue)

    def _is_anything_to_do(self) -> bool:
        return is_anything_due(BEGINNING + self._clock)

    def _tick(self, wait: timedelta) -> timedelta:
        self._clock += wait
        return self._clock

    def _look(self, issue: ExternalIssue) -> None:
        self._most = max(self._most, len(self._jira.issues_with_label(issue.key)))

    def _wrong(self, issue: ExternalIssue, there: list) -> list[str]:
        wrong = []
        if [issue.issue_key] != [each.key for each in there]:
            wrong.append(f"{issue.issue_key or issue.reason} is not {[e.key for e in there]}")
        if orphans := list(issue.orphans.values_list("remote_key", flat=True)):
            wrong.append(f"orphans {orphans}")
        if issue.case.timeline.filter(kind="issue").count() != 1:
            wrong.append("the case's timeline does not say it once")
        if issue.tries.filter(outcome="", operation="create").exists():
            wrong.append("an attempt never ended")
        return wrong


def results(runs: int, seed: int, *, only: str = "") -> Iterator[Result]:
    """Cell after cell, each with other circumstances every time."""
    nursery = Nursery()  # before there are threads and connections
    call_command("migrate", verbosity=0)
    chance = random.Random(seed)
    table = [cell for cell in cells() if only in f"{cell.step} × {cell.death}"]
    with SandboxJira() as jira:
        theatre = Theatre(jira, nursery)
        for number in range(runs):
            if number % len(table) == 0:
                chance.shuffle(table)
            yield theatre.play(table[number % len(table)], chance)
    nursery.close()


def main(runs: str, seed: str, only: str = "") -> None:
    played = [result._asdict() for result in results(int(runs), int(seed), only=only)]
    connection.close()  # the database may have to go
    sys.stdout.write(json.dumps(played))


if __name__ == "__main__":
    main(*sys.argv[1:])
