"""One change of many cases: each as a change of its own, and none in the way of another."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    ProjectFactory,
    UserFactory,
)
from ticketing import case_bulk, case_changes, services
from ticketing.case_bulk import Action, change_all
from ticketing.case_changes import CaseChange
from ticketing.models import Case, ExternalIssue, TimelineEntry
from ticketing.states import State
from ticketing.trackers.base import Fault

pytestmark = pytest.mark.django_db
CLOSE = case_bulk.change(CaseChange(status="CLOSED"))


def action(work, **said) -> Action:
    return Action(work, str, str, **said)


def open_cases(number: int, *, project=None) -> list[Case]:
    pks = [FindingFactory().pk for _ in range(number)]
    return services.open_case_each(pks, project=project or ProjectFactory(), actor=None)


def pks_of(cases) -> list:
    return [case.pk for case in cases]


def keys(failures) -> list[str]:
    return [each.key for each in failures]


@pytest.mark.parametrize(
    ("work", "values", "kind"),
    [
        (CLOSE, {"status": "CLOSED", "close_reason": "fixed"}, "status"),
        (case_bulk.change(CaseChange(priority="P1")), {"priority": "P1"}, "priority"),
        (
            case_bulk.set_due_date(date(2026, 12, 1)),
            {"due_date": date(2026, 12, 1), "is_due_by_hand": True},
            "due_date",
        ),
        (case_bulk.archive, {"archived_at__isnull": False}, "archived"),
    ],
)
def test_it_changes_each_and_tells_its_timeline(analyst, work, values, kind):
    cases = open_cases(3)

    outcome = change_all(pks_of(cases), action(work), actor=analyst)

    assert Case.objects.filter(**values).count() == len(outcome.changed) == 3
    assert TimelineEntry.objects.filter(kind=kind, actor=analyst).count() == 3
    again = change_all(pks_of(cases), action(work, takes_archived=True), actor=analyst)
    assert (again.changed, again.kept) == ([], 3)
    assert TimelineEntry.objects.filter(kind=kind).count() == 3


def test_it_says_what_was_before(analyst, editor):
    [case] = open_cases(1)
    services.change_case(case, assignee=editor, actor=None)

    work = case_bulk.change(CaseChange(assignee=None))
    [changed] = change_all([case.pk], action(work), actor=analyst).changed

    assert (changed.before["assignee_id"], changed.case.assignee) == (editor.pk, None)


def test_it_copies_the_status_to_the_findings_and_to_jira(analyst):
    case = ExternalIssueFactory(state=State.CREATED, issue_id="1", issue_key="SEC-1").case
    finding = FindingFactory()
    services.attach(case, [finding.pk], actor=None)
    ExternalIssue.objects.update(sync_due_at=None)

    change_all([case.pk], action(CLOSE), actor=analyst)

    finding.refresh_from_db()
    assert finding.ticket_status == "closed"
    assert ExternalIssue.objects.get().sync_due_at is not None


def test_it_leaves_out_archived_cases_and_those_that_are_gone(analyst):
    cases = open_cases(3)
    services.archive(cases[1], actor=None)

    outcome = change_all([*pks_of(cases), uuid4()], action(CLOSE), actor=analyst)

    assert (len(outcome.changed), outcome.gone, outcome.kept) == (2, 1, 0)
    assert keys(outcome.failed) == [cases[1].key]
    assert Case.objects.get(pk=cases[1].pk).status == "OPEN"


def test_one_that_raises_stops_no_other(analyst, monkeypatch):
    cases = open_cases(3)

    def raises(case, *_, **__):
        if case.pk == cases[1].pk:
            raise RuntimeError
        return [("priority", case.priority, "P1")]

    monkeypatch.setattr(case_changes, "_apply", raises)
    work = case_bulk.change(CaseChange(priority="P1"))
    outcome = change_all(pks_of(cases), action(work), actor=analyst)

    assert keys(outcome.failed) == [cases[1].key]
    assert len(outcome.changed) == 2
    assert TimelineEntry.objects.filter(kind="priority").count() == 2


def test_what_was_done_stays_when_the_database_fails(analyst, monkeypatch):
    monkeypatch.setattr(case_bulk, "CHUNK", 2)
    cases, done = open_cases(4), []

    def works_once(some, actor):
        if done:
            raise OperationalError
        done.extend(some)
        return CLOSE(some, actor)

    with pytest.raises(OperationalError):
        change_all(pks_of(cases), action(works_once), actor=analyst)

    assert Case.objects.filter(status="CLOSED").count() == 2
    outcome = change_all(pks_of(cases), action(CLOSE), actor=analyst)
    assert (len(outcome.changed), outcome.kept) == (2, 2)


def test_it_retries_what_failed_and_nothing_else(analyst):
    account = DestinationFactory().account
    said = {"account": account, "reason": "No."}
    blocked = ExternalIssueFactory(state=State.BLOCKED, fault=Fault.REJECTED, **said)
    unsure = ExternalIssueFactory(state=State.BLOCKED, fault=Fault.UNSURE, **said)
    unsynced = ExternalIssueFactory(
        account=account, state=State.CREATED, issue_id="1", sync_problem="It says no."
    )
    fine = ExternalIssueFactory(account=account, state=State.CREATED, issue_id="2")
    issues = [blocked, unsure, unsynced, fine]

    outcome = change_all([each.case_id for each in issues], action(case_bulk.retry), actor=analyst)

    for issue in issues:
        issue.refresh_from_db()
    assert [each.state for each in issues] == ["pending", "unsure", "created", "created"]
    assert (bool(unsynced.sync_due_at), bool(fine.sync_due_at)) == (True, False)
    assert (len(outcome.changed), outcome.kept) == (3, 1)
    tried = TimelineEntry.objects.filter(reason="Tried again.", actor=analyst)
    assert set(tried.values_list("case", flat=True)) == {blocked.case_id, unsure.case_id}


@pytest.mark.parametrize("work", [CLOSE, case_bulk.archive, case_bulk.set_due_date(None)])
def test_it_costs_the_same_for_three_cases_as_for_thirty(analyst, work):
    costs, project = [], ProjectFactory()
    for number in (3, 30):
        cases = open_cases(number, project=project)
        services.change_case(cases[0], assignee=UserFactory(), actor=None)
        for case in cases:
            Case.objects.filter(pk=case.pk).update(is_due_by_hand=True, due_date=date(2026, 12, 1))
        with CaptureQueriesContext(connection) as statements:
            change_all(pks_of(cases), action(work), actor=analyst)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 26
