"""Tickets of groups, while others are at work on the same ones. On PostgreSQL, where
transactions really run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.models import DailyUsage, Decision
from automation.pipeline import evaluate_all, evaluate_chunk
from findings.models import Finding
from tests.factories import ExternalIssueFactory
from tests.flows.test_hostile_together import _in_a_thread, _until_somebody_waits
from ticketing.groups import refresh_due
from ticketing.models import Case
from ticketing.services import change_case
from ticketing.states import State
from ticketing.taking import locked_issue
from ticketing.timeline import Kind, tell

pytestmark = pytest.mark.django_db(transaction=True)
PACKAGE = {"package": {"name": "grpcio"}}
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _postgresql():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")


def pks():
    return list(Finding.objects.order_by("pk").values_list("pk", flat=True))


def outcomes():
    return sorted(Decision.objects.values_list("outcome", flat=True))


@pytest.mark.parametrize("size", [1, 3])
def test_two_workers_over_midnight_make_one_ticket_for_a_new_group(make_rule, report, size):
    """Each holds the rule's row of another day: nothing but the constraint stands between them."""
    make_rule(group_by=["package"])
    report(1 + size, attributes=PACKAGE)
    first, *others = pks()
    before = MIDNIGHT.replace(day=23, hour=23, minute=59)
    with time_machine.travel(before, tick=False) as clock, ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            evaluate_chunk(1, pks=[first])
            clock.move_to(MIDNIGHT)
            other = _in_a_thread(pool, lambda: evaluate_chunk(size, pks=others))
            _until_somebody_waits()
        assert other.result(timeout=10) == size
    assert outcomes() == ["grouped"] * size + ["ticketed"]
    assert Case.objects.get().attachments.count() == 1 + size
    assert sorted(DailyUsage.objects.values_list("ticketed", "grouped")) == [(0, size), (1, 0)]
    assert [*violations()] == []


def test_a_finding_that_joins_a_ticket_while_it_is_being_closed_opens_it_again(make_rule, report):
    """The worker's moment is from before it waited for the one who closes."""
    make_rule(group_by=["package"], reopens_closed=True)
    report(attributes=PACKAGE)
    evaluate_all()
    report(prefix="later", attributes=PACKAGE)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            case = Case.objects.select_for_update().get()
            joining = _in_a_thread(pool, evaluate_chunk)
            _until_somebody_waits()
            change_case(case, actor=None, status=Case.Status.CLOSED)
        joining.result(timeout=10)
    refresh_due()
    case.refresh_from_db()
    assert (case.attachments.count(), case.status) == (2, Case.Status.OPEN)


def test_a_ticket_is_refreshed_while_a_line_is_told_of_its_issue(make_rule, report):
    """Who tells it holds the issue and names the case; who refreshes holds the case."""
    make_rule(group_by=["package"])
    report(attributes=PACKAGE)
    evaluate_all()
    said = {"state": State.CREATED, "issue_id": "7", "issue_key": "SEC-7"}
    issue = ExternalIssueFactory(case=Case.objects.get(), **said)
    report(prefix="later", attributes=PACKAGE)
    evaluate_all()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = locked_issue(issue.pk)
            refreshing = _in_a_thread(pool, refresh_due)
            _until_somebody_waits()
            tell([(held.case, Kind.ISSUE, "", "SEC-7")], now=timezone.now())
        assert refreshing.result(timeout=10) == 1
    assert "2 findings" in Case.objects.get().title
