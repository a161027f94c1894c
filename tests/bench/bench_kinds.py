"""What the kinds of rules cost: on new findings, and on those that are there."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.db import connection  # noqa: E402 - after setup

from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate  # noqa: E402
from automation.kinds.inbox.action import AddToInbox  # noqa: E402
from automation.kinds.mute.action import MuteFinding, Reason  # noqa: E402
from automation.kinds.severity.action import Level, SetSeverity  # noqa: E402
from automation.models import Recheck  # noqa: E402
from automation.pipeline import evaluate_all  # noqa: E402
from automation.recheck import recheck  # noqa: E402
from automation.rules.data import RuleData  # noqa: E402
from automation.rules.services import create_rule, delete_rule  # noqa: E402
from findings.facts import FindingType, Severity  # noqa: E402
from findings.models import Finding  # noqa: E402
from tests.bench import bench_intake as intake  # noqa: E402
from tests.bench.rows import Options, Row  # noqa: E402

STANDING = int(os.environ.get("BENCH_STANDING", "200000"))
ALL_TYPES = [kind.value for kind in FindingType]
ACTIONS: list[Any] = [
    SetSeverity(severity=Level.CRITICAL),
    MuteFinding(reason=Reason.OTHER),
    AddToInbox(),
    SetDueDate(
        due_from=DueFrom.FIRST_SEEN,
        due_days_per_severity=[DueDays(severity=each, due_in_days=7) for each in Severity],
    ),
]
MUTE = MuteFinding(reason=Reason.RISK_ACCEPTED)


def run(options: Options) -> Iterator[Row]:
    if connection.vendor != "postgresql":
        return
    with intake._database():
        yield from _new_findings()
    with intake._database():
        yield from _standing_findings()


def _new_findings() -> Iterator[Row]:
    """A hundred rules of each kind; each kind's match about one finding in eight."""
    send, unseen = intake._sender(), intake._unseen()
    rows = intake._rows(_after_one(send))
    intake._make_rules()
    alone = intake._least(lambda: _decide(send, next(unseen)), prepare=intake._empty)
    for action in ACTIONS:
        for number in range(100):
            create_rule(_rule(action, number), actor=None)
    decided = intake._least(lambda: _decide(send, next(unseen)), prepare=intake._empty)
    floor = intake._least(lambda: intake._copy(rows), prepare=intake._empty)
    yield Row("intake + 100 ticket rules ÷ COPY", alone / floor, "×")
    yield Row("intake + 100 rules of each kind ÷ COPY", decided / floor, "×")


def _after_one(send: Any) -> list[dict[str, Any]]:
    findings = intake._workload(Random(7))
    send(intake._bodies(findings[:1]))  # the source is stored
    return findings


def _decide(send: Any, bodies: list[bytes]) -> None:
    send(bodies)
    evaluate_all(seconds=600)


def _rule(action: Any, number: int, query: str | None = None) -> RuleData:
    said = f"tag{number % 12}:value-{number % 50} @attribute1:*1*" if query is None else query
    return RuleData(name=f"Rule {number}", finding_types=ALL_TYPES, query=said, action=action)


def _standing_findings() -> Iterator[Row]:
    """All of them muted by one rule, looked at again, and unmuted."""
    send = intake._sender()
    for first in range(0, STANDING, intake.FINDINGS):
        send(intake._bodies(intake._workload(Random(first), first=first)))
    evaluate_all(seconds=3600)
    rule = create_rule(_rule(MUTE, 0, query=""), actor=None)
    memory = _memory()
    yield _pass("muted by a new rule", "muted")
    Recheck.objects.update(finished_at=None)
    yield _pass("looked at again", "muted")
    delete_rule(rule.pk, actor=None)
    yield _pass("unmuted", "open")
    grown = _memory() - memory
    yield Row("memory that these take", grown, "MB")


def _pass(what: str, status: str) -> Row:
    started = time.monotonic()
    recheck(seconds=3600)
    seconds = time.monotonic() - started
    assert Finding.objects.filter(status=status).count() == STANDING
    note = f"{STANDING:,} in {seconds:.0f} s"
    return Row(f"standing findings {what}", STANDING / seconds, "/s", note)


def _memory() -> float:
    """The most so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
