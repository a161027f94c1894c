"""Tickets of groups, while others are at work on the same ones. On PostgreSQL, where
transactions really run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import Count, F
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.models import DailyUsage, Decision
from automation.pipeline import evaluate_all, evaluate_chunk
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from tests.factories import ExternalIssueFactory, ProjectFactory
from tests.flows.test_hostile_together import _in_a_thread, _until_somebody_waits
from ticketing import services
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Attachment, Case
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


def _close_with_findings(case):
    change_status([case.attachments.get().finding_id], status=Status.RESOLVED, actor=None)
    follow_findings()


BEFORE_IT_IS_JOINED = {  # → findings on each ticket, in the order of their numbers
    "moved": (lambda case: services.move(case, ProjectFactory(key="OPS"), actor=None), [2]),
    "archived": (lambda case: services.archive(case, actor=None), [1, 1]),
    "closed": (lambda case: change_case(case, actor=None, status=Case.Status.CLOSED), [1, 1]),
    "emptied": (lambda case: services.detach(pks()[:1], actor=None), [0, 1]),
    "gone": (_close_with_findings, [1, 1]),
    "split": (
        lambda case: services.open_case_each(pks()[:1], project=case.project, actor=None),
        [0, 1, 1],
    ),
}


@pytest.mark.parametrize("name", BEFORE_IT_IS_JOINED)
def test_a_worker_that_waits_for_a_ticket_meets_it_as_it_became(name, make_rule, report):
    act, sizes = BEFORE_IT_IS_JOINED[name]
    make_rule(group_by=["package"])
    report(attributes=PACKAGE)
    evaluate_all()
    report(prefix="later", attributes=PACKAGE)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            act(Case.objects.get())
            joining = _in_a_thread(pool, lambda: evaluate_chunk(1, pks=pks()[1:2]))
            _until_somebody_waits()
        assert joining.result(timeout=10) == 1
    counts = Case.objects.annotate(size=Count("attachments")).order_by("created_at", "number")
    assert [case.size for case in counts] == sizes
    assert not Attachment.objects.exclude(finding__ticket_key=F("case__key")).exists()
    assert [*violations()] == []
