"""Undo import: what it brought goes, what it changed is put back, what was touched stays."""

from __future__ import annotations

import json

import pytest

from automation.decisions.conservation import violations
from automation.kinds.ticket_creation.action import Target
from automation.models import Decision
from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from config.accounts.models import AuditEvent
from findings.facts import Status
from findings.imports import undo
from findings.imports.run import ImportOptions, import_report
from findings.models import Evaluation, Finding, Import, Scope
from findings.selectors import unevaluated
from findings.services import assign, change_status
from tests.factories import DestinationFactory, ProjectFactory, ticket_rule
from ticketing import services
from ticketing.following import follow_findings
from ticketing.models import Case, ExternalIssue, TimelineEntry

pytestmark = pytest.mark.django_db
TYPES = ["library_vulnerability"]


def take(*numbers, scope="shop", source="ci", **said):
    finding = {"finding_type": TYPES[0], "severity": "high", "title": "Old"}
    findings = [finding | {"resource_id": f"r{n}"} for n in numbers]
    report = {"source": source, "scope": scope, "findings": findings}
    return import_report([json.dumps(report).encode()], ImportOptions(**said))


def rule(*, target=Target.CASE_MANAGEMENT, project=None, **said):
    data = {"name": "Libraries", "finding_types": TYPES, "max_tickets_per_day": 9}
    project = project or ProjectFactory()
    create_rule(ticket_rule(**data, target=target, project_id=project.pk, **said), actor=None)


def undone(run, admin):
    undo.begin(run, actor=admin)
    undo.finish_begun()
    run.refresh_from_db()
    return run


def statuses():
    return dict(Finding.objects.order_by("pk").values_list("resource_id", "status"))


@pytest.fixture
def past(frozen, admin):
    """r1 to r3 came, r3 was resolved; then the import to be undone brought 4 and 5."""
    take(1, 2, 3)
    evaluate_all()
    frozen.shift(60)
    change_status([named("r3").pk], status=Status.RESOLVED, actor=admin)
    frozen.shift(60)
    return statuses()


def named(resource):
    return Finding.objects.get(resource_id=resource)


def test_it_puts_everything_back(past, frozen, admin):
    rule()
    run = take(1, 3, 4, 5)
    evaluate_all()
    assert statuses() == past | {"r2": "auto_closed", "r3": "open", "r4": "open", "r5": "open"}
    frozen.shift(60)
    assert undo.plan_of(run) == undo.UndoPlan(2, 2, 1, 1, [])
    run = undone(run, admin)
    assert (run.state, run.undone_by) == ("undone", admin)
    assert statuses() == past
    assert named("r3").ticket == "none"
    assert not unevaluated().exists()
    assert {case.archived_at is None for case in Case.objects.all()} == {False}
    assert Decision.objects.filter(finding=None).count() == 2
    assert list(violations()) == []
    assert AuditEvent.objects.filter(action="undone").count() == 1


def test_the_next_report_makes_of_it_what_it_would_have_made_before(past, frozen, admin):
    undone(take(1, 3, 4, 5), admin)
    frozen.shift(60)
    again = take(1, 3, 4, 5)
    assert (again.new, again.seen_again, again.reopened, again.resolved) == (2, 1, 1, 1)


def test_it_leaves_what_people_touched(past, frozen, admin, analyst):
    run = take(1, 3, 4, 5)
    frozen.shift(60)
    assign([named("r4").pk], assignee=admin, actor=analyst)
    change_status([named("r3").pk], status=Status.IN_PROGRESS, actor=analyst)
    assert undo.plan_of(run) == undo.UndoPlan(2, 1, 0, 1, [analyst.name])
    run = undone(run, admin)
    assert statuses() == past | {"r3": "in-progress", "r4": "open"}
    assert run.undo_counts | {"after": 0} == {
        "after": 0,
        "taken_out": 1,
        "kept": 1,
        "reopened": 0,
        "resolved": 1,
    }


def test_it_leaves_what_a_person_put_on_a_ticket(past, frozen, admin):
    rule()
    run = take(1, 2, 4, 5)
    evaluate_all()
    frozen.shift(60)
    case = Case.objects.get(attachments__finding=named("r4"))
    services.attach(case, [named("r5").pk], actor=admin)
    undone(run, admin)
    assert set(statuses()) == {"r1", "r2", "r3", "r5"}
    case.refresh_from_db()
    assert (case.archived_at, case.attachments.get().finding) == (None, named("r5"))
    assert list(violations()) == []


def test_it_tells_the_tracker_and_sends_it_nothing_more(past, frozen, admin):
    rule(target=Target.JIRA, project=DestinationFactory().project)
    run = take(1, 2, 4, 5)
    evaluate_all()
    sent, waiting = ExternalIssue.objects.order_by("created_at", "pk")
    there = {"state": "created", "issue_id": "1", "issue_key": "SEC-1"}
    ExternalIssue.objects.filter(pk=sent.pk).update(**there)
    frozen.shift(60)
    undone(run, admin)
    states = dict(ExternalIssue.objects.values_list("pk", "state"))
    assert states == {sent.pk: "created", waiting.pk: "cancelled"}
    comments = TimelineEntry.objects.filter(kind="comment")
    assert [entry.case_id for entry in comments] == [sent.case_id]
    assert "The report was undone" in comments.get().after
    assert ExternalIssue.objects.get(pk=sent.pk).sync_due_at is not None


def test_a_ticket_of_a_group_keeps_those_that_were_there(past, frozen, admin):
    rule(group_by=["title"])
    take(6, scope="other")
    evaluate_all()
    frozen.shift(60)
    run = take(1, 2, 4, 5)
    evaluate_all()
    case = Case.objects.get()
    assert case.attachments.count() == 3
    frozen.shift(60)
    undone(run, admin)
    case.refresh_from_db()
    assert (case.archived_at, case.attachments.count()) == (None, 1)


def test_it_opens_tickets_again_with_what_was_resolved(frozen, admin):
    rule()
    take(1, 2, 3)
    evaluate_all()
    frozen.shift(60)
    run = take(1, 2)
    follow_findings()
    assert Case.objects.filter(status="CLOSED").count() == 1
    frozen.shift(60)
    undone(run, admin)
    follow_findings()
    assert Case.objects.filter(status="CLOSED").count() == 0
    assert Case.objects.count() == 3


def test_a_person_decides_again_about_what_was_held_before(frozen, admin):
    take(*range(10))
    frozen.shift(60)
    held = take(1, 2)
    frozen.shift(60)
    run = take(*range(9))
    held.refresh_from_db()
    assert held.closing == "none"
    undone(run, admin)
    held.refresh_from_db()
    assert (held.closing, held.closing_note) == (
        "held",
        "8 of 10 findings are missing from this report.",
    )


def test_a_scope_that_it_mixed_is_not_mixed_any_more(frozen, admin):
    take(1, 2, scope="")
    frozen.shift(60)
    run = take(3, 4, scope="")
    assert Scope.objects.get().is_mixed
    undone(run, admin)
    assert not Scope.objects.get().is_mixed


def test_it_undoes_only_the_last_of_a_scope_and_once(past, frozen, admin):
    first = take(1, 4)
    frozen.shift(60)
    second = take(1, 5)
    frozen.shift(60)
    with pytest.raises(undo.NotUndone, match="A later report of this scope is in"):
        undo.begin(first, actor=admin)
    undone(second, admin)
    with pytest.raises(undo.NotUndone, match="undone already"):
        undo.begin(second, actor=admin)
    undone(first, admin)
    assert statuses() == past


def test_a_report_that_comes_meanwhile_finishes_it_first(past, frozen, admin):
    run = take(1, 3, 4, 5)
    undo.begin(run, actor=admin)
    frozen.shift(60)
    later = take(1, 3, 4)
    assert Import.objects.get(pk=run.pk).state == "undone"
    assert (later.new, later.reopened, later.seen_again) == (1, 1, 1)


def test_a_later_batch_of_the_api_keeps_what_it_names(past, frozen, admin):
    run = take(1, 2, 4, 5)
    frozen.shift(60)
    Evaluation.objects.filter(finding=named("r5")).update(
        last_seen_at=named("r5").last_seen_at.replace(minute=59)
    )
    undone(run, admin)
    assert set(statuses()) == {"r1", "r2", "r3", "r5"}
