"""Test Rule, the work: a real ticket for one finding, by the way that every ticket goes.

A run is carried on by a task that may die on any line and be run any number of times, by two
workers at once, too: the case is made under the lock of the run's row, so once, and its issue
is delivered like any other. A test takes no slot of the daily limit and belongs to no rule, so
it cannot break one. It never takes a finding from another ticket.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import CreateTicket
from automation.kinds.ticket_creation.tickets import draft_of, issue_fields, promise_of
from automation.models import TestRun
from automation.rule_tests.progress import (
    CREATE,
    LINK,
    Failed,
    destination_for,
    end,
    fail,
    is_match,
    issue_of,
    spec_of,
    step,
)
from config.accounts.models import User
from config.lib.deadline import PAGE_SECONDS, Deadline
from ticketing import outbox
from ticketing import services as ticketing
from ticketing.allowed_spaces import SpaceClosed, may_use
from ticketing.allowed_spaces import reason as closed_reason
from ticketing.attaching import attach_free
from ticketing.delivery import deliver_one
from ticketing.issues import is_held
from ticketing.models import Attempt, Case, Destination, ExternalIssue, JiraAccount, Project
from ticketing.place_check import PlaceProblem, checker_for
from ticketing.services import CaseDraft, open_cases
from ticketing.states import State

MAX_WAIT = timedelta(seconds=20)


class _Waits(Exception):
    """The issue is on its way without us: whoever looks later carries the run on."""


def carry_on(run_id: UUID) -> None:
    """Do what is left of a run, as far as it goes now."""
    running = TestRun.objects.filter(pk=run_id, state=TestRun.State.RUNNING)
    run = running.select_related("finding", "created_by").first()
    if run is None:
        return
    try:
        if run.case_id is None:
            _check(run)
        with step(run, CREATE):
            _create(run)
            _deliver(run)
        with step(run, LINK):
            _link(run)
    except Failed as failure:
        fail(run, failure)
    except _Waits:
        return
    else:
        end(run, TestRun.State.PASSED)


# --- Before anything is created -------------------------------------------------------


def _check(run: TestRun) -> None:
    spec = spec_of(run)
    with step(run, 0):
        if not is_match(spec, run.finding):
            raise Failed("The finding does not match the rule any more.")
    if spec.action.is_jira:
        _check_jira(run, spec)
        return
    with step(run, 1):
        _check_case(spec)


def _check_case(spec: RuleSpec) -> None:
    action: CreateTicket = spec.action
    if not Project.objects.filter(pk=action.project_id).exists():
        raise Failed("The case project does not exist.")
    people = User.objects.filter(is_active=True)
    if action.assignee_id and not people.filter(pk=action.assignee_id).exists():
        raise Failed("The assignee does not exist or is deactivated.")


def _check_jira(run: TestRun, spec: RuleSpec) -> None:
    place, deadline = destination_for(spec), Deadline(PAGE_SECONDS)
    with step(run, 1):
        account = _usable(place)
        with checker_for(account, deadline=deadline) as checker:
            _require_none(checker.check_account())
    with step(run, 2):
        if place is None or not place.is_enabled:
            raise Failed("The Jira integration of the project is switched off.")
        if not may_use(place.account, place):
            raise Failed(closed_reason(place.space_key), field="project")
        _check_case(spec)
        with checker_for(account, deadline=deadline) as checker:
            _require_none(checker.check(place, issue_fields(spec.action.fields)))


def _usable(place: Destination | None) -> JiraAccount:
    if place is None:
        raise Failed("No Jira account is connected to the project.")
    if place.account.deleted_at or place.account.connected_at is None:
        raise Failed("The Jira account was removed.")
    return place.account


def _require_none(problem: PlaceProblem | None) -> None:
    if problem is not None:
        note = f"HTTP {problem.status}" if problem.status else ""
        raise Failed(problem.reason, field=problem.field, response=problem.response, note=note)


# --- The ticket -----------------------------------------------------------------------


@transaction.atomic
def _create(run: TestRun) -> None:
    """The case, unless it is there: whoever else carries this run on waits for the row."""
    row = TestRun.objects.select_for_update().get(pk=run.pk)
    if row.case_id is None:
        try:
            [case] = open_cases([_draft(run)])
        except SpaceClosed as closed:
            raise Failed(str(closed), field="project") from closed
        row.case_id = case.pk
        row.save(update_fields=("case_id",))
    run.case_id = row.case_id


def _draft(run: TestRun) -> CaseDraft:
    spec, tester = spec_of(run), run.created_by
    by = tester.name if tester else "the system"
    draft = draft_of(spec, run.finding.facts, made_by=f"A test of the rule “{spec.name}” by {by}.")
    return CaseDraft(
        **draft._asdict(),
        project_id=spec.action.project_id,
        assignee_id=spec.action.assignee_id,
        origin=Case.Origin.TEST,
        rule_name=spec.name,
        created_by=tester,
        promise=promise_of(spec, run.finding.facts),
    )


def _deliver(run: TestRun) -> None:
    """Have the issue created, if one was promised; it may be on its way by somebody else."""
    issue = issue_of(run)
    if issue is None:
        return
    issue = _as_far_as_it_goes(issue)
    if issue.state in (State.SENDING, State.UNSURE):
        raise _Waits
    if issue.state == State.CREATED:
        return
    if is_held(issue):
        raise _refusal(issue)
    tester = run.created_by
    if issue.state != State.CANCELLED and not outbox.cancel(issue, actor=tester):
        raise _Waits
    ticketing.archive(issue.case, actor=tester)
    raise _refusal(issue)


def _as_far_as_it_goes(issue: ExternalIssue) -> ExternalIssue:
    """Deliver it, also if Jira wants us to wait for a moment."""
    ends = timezone.now() + MAX_WAIT
    while True:
        issue = deliver_one(issue.pk, patience=max((ends - timezone.now()).total_seconds(), 0))
        account = JiraAccount.objects.get(pk=issue.account_id)
        again_at = max(issue.not_before, account.paused_until or issue.not_before)
        stopped = account.state != JiraAccount.State.CONNECTED
        if issue.state != State.PENDING or stopped or again_at > ends or timezone.now() > ends:
            return issue
        time.sleep(max((again_at - timezone.now()).total_seconds(), 0.1))


def _refusal(issue: ExternalIssue) -> Failed:
    last = issue.tries.exclude(operation=Attempt.Operation.SYNC).first()
    account = JiraAccount.objects.get(pk=issue.account_id)
    reason = issue.reason or account.problem or "Its delivery was cancelled."
    return Failed(
        f"{reason} {issue.case.key} waits for somebody to look." if is_held(issue) else reason,
        field=issue.field,
        response=last.response if last else "",
        note=f"HTTP {last.status}" if last and last.status else "",
    )


@transaction.atomic
def _link(run: TestRun) -> None:
    """Attach the finding, unless it got another ticket meanwhile: a test takes none away."""
    case = Case.objects.get(pk__in=[run.case_id])
    if attach_free(case, run.finding_id, actor=run.created_by):
        return
    issue = issue_of(run)
    run.finding.refresh_from_db(fields=["ticket_key"])
    raise Failed(
        f"{issue.issue_key if issue else case.key} was created, but the finding got another "
        f"ticket meanwhile and keeps it: {run.finding.ticket_key}."
    )
