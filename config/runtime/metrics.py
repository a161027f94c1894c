"""The numbers that matter are rows: what waits, what was decided today, whether workers live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from automation.models import Decision
from config.lib.utc import midnight
from config.runtime import failures, heartbeats
from config.runtime.health import oldest_unevaluated
from findings.explorer.due import overdue_by_severity
from findings.selectors import unevaluated
from ticketing.models import JiraAccount
from ticketing.outbox.numbers import by_state
from ticketing.states import WAITING, State


def exposition() -> bytes:
    """The metrics as they are now, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Tables())
    return generate_latest(registry)


class _Tables(Collector):
    """Reads the tables at each scrape: the same answer from every machine and process."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # else registering would read the tables once more

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        waiting = unevaluated().count()
        yield GaugeMetricFamily("fa_unevaluated_findings", "Findings that wait.", waiting)
        oldest = oldest_unevaluated()
        age = (now - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("fa_unevaluated_age_seconds", "How long the oldest waits.", age)
        yield _decisions_today()
        yield _overdue()
        yield from _promises(now)
        yield from _accounts(now)
        yield _heartbeats()
        yield _failures()


def _decisions_today() -> GaugeMetricFamily:
    counted = (
        Decision.objects.filter(created_at__gte=midnight(timezone.now()))
        .order_by()
        .values_list("outcome")
        .annotate(count=Count("pk"))
    )
    counts = dict.fromkeys(Decision.Outcome.values, 0) | dict(counted)
    family = GaugeMetricFamily(
        "fa_decisions_today", "Decisions since midnight UTC.", labels=["outcome"]
    )
    for outcome, count in counts.items():
        family.add_metric([outcome], count)
    return family


def _overdue() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "fa_findings_overdue", "Open findings whose due date has passed.", labels=["severity"]
    )
    for severity, count in overdue_by_severity().items():
        family.add_metric([severity], count)
    return family


def _promises(now: datetime) -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily(
        "fa_external_issues", "Issues promised in Jira, by state.", labels=["state"]
    )
    ages = GaugeMetricFamily(
        "fa_external_issue_age_seconds",
        "Since the oldest of a state was promised.",
        labels=["state"],
    )
    for promises in by_state():
        family.add_metric([promises.state], promises.number)
        if promises.state in (*WAITING, State.BLOCKED):
            age = (now - promises.oldest).total_seconds() if promises.oldest else 0
            ages.add_metric([promises.state], age)
    yield family
    yield ages


def _accounts(now: datetime) -> Iterator[GaugeMetricFamily]:
    names = {
        "state": "1 for the state that an account of Jira is in.",
        "suspended_seconds": "Since it stopped working; 0 while it works.",
        "next_check_seconds": "Until it is looked at again; 0 while it works.",
        "sync_failures": "Syncs in a row that Jira as a whole failed.",
    }
    state, since, until, failures = (
        GaugeMetricFamily(
            f"fa_jira_account_{name}",
            help_,
            labels=["account", "state"] if name == "state" else ["account"],
        )
        for name, help_ in names.items()
    )
    for account in JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False):
        is_stopped = account.state != JiraAccount.State.CONNECTED
        for each in JiraAccount.State.values:
            state.add_metric([account.name, each], float(each == account.state))
        stopped_at, next_at = account.problem_at or now, account.probe_at or now
        since.add_metric([account.name], (now - stopped_at).total_seconds() if is_stopped else 0)
        wait = max((next_at - now).total_seconds(), 0) if is_stopped else 0
        until.add_metric([account.name], wait)
        failures.add_metric([account.name], account.sync_failures)
    yield from (state, since, until, failures)


def _heartbeats() -> GaugeMetricFamily:
    now = timezone.now()
    family = GaugeMetricFamily(
        "fa_queue_beat_age_seconds", "Since a worker last took a task.", labels=["cluster"]
    )
    for cluster, at in heartbeats.every_last():
        family.add_metric([cluster], (now - at).total_seconds())
    return family


def _failures() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "fa_task_failures", "Failures in a row of a task that runs by the clock.", labels=["task"]
    )
    for task in failures.failing():
        family.add_metric([task.path], task.failures)
    return family
