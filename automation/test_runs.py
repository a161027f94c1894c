"""Test Rule: a real ticket for one finding, made with a form that may never be saved.

A run is carried on by a task that may die on any line and be run any number of times, by two
workers at once, too: the case is made under the lock of the run's row, so once, and its issue
is delivered like any other. A test takes no slot of the daily limit and belongs to no rule, so
it cannot break one. It never takes a finding from another ticket.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.models import TestRun
from automation.preview import DAYS
from config.accounts.models import User
from config.lib.links import absolute
from config.lib.tasks import enqueue
from findings.models import Finding
from findings.query.parse import parse_rule_query
from findings.query.sql import condition
from ticketing import services as ticketing
from ticketing.attaching import attach_free
from ticketing.drafts import finding_draft
from ticketing.models import Attachment, Case, Project
from ticketing.services import CaseDraft, open_cases

SHOWN = 10
KEPT = timedelta(days=30)
LOST_AFTER = timedelta(seconds=15)
GIVEN_UP_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Matches:
    """What a test can be made with: findings without a ticket first, each part newest first."""

    findings: Sequence[Finding]
    found: int  # with these words
    total: int  # without them


class NotTestable(ValueError):
    """The finding does not match, or has a ticket already."""


class _Failed(Exception):
    def __init__(self, reason: str, *, field: str = "", response: str = "", note: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field, self.response, self.note = reason, field, response, note


def matches(spec: RuleSpec, *, words: str = "") -> Matches:
    """The findings of the last 30 days that match; a word is looked for in title and resource."""
    matching = Finding.objects.filter(
        condition(parse_rule_query(spec.query).root),
        finding_type__in=spec.finding_types,
        opened_at__gte=_first_day(),
    )
    found = matching
    for word in words.split():
        found = found.filter(
            Q(title__icontains=word)
            | Q(resource_id__icontains=word)
            | Q(resource_name__icontains=word)
        )
    held = Exists(Attachment.objects.filter(finding=OuterRef("pk")))
    newest = found.defer("description").alias(held=held).order_by("held", "-opened_at", "-pk")
    return Matches(list(newest[:SHOWN]), found.count(), matching.count())


def start(spec: RuleSpec, finding: Finding, *, actor: User) -> TestRun:
    """Begin a test; raises NotTestable for a finding that cannot be tested with."""
    if Attachment.objects.filter(finding=finding).exists():
        raise NotTestable(f"This finding has a ticket already: {finding.ticket_key}.")
    if not _matches(spec, finding):
        raise NotTestable("This finding does not match the rule any more.")
    run = TestRun(rule=spec.to_json(), finding=finding, created_by=actor)
    run.steps = [_step_of(label) for label in _labels(spec)]
    with transaction.atomic():
        run.save()
        enqueue("automation.tasks.run_test", str(run.pk))
    return run


def detach(run: TestRun, *, actor: User) -> bool:
    """Take the finding off the test's ticket, which stays; False if it was off already."""
    case = case_of(run)
    return bool(case and ticketing.detach([run.finding_id], actor=actor, case=case))


def destination_of(spec: RuleSpec) -> str:
    """What a test makes, in words: "case in Cloud Risk"."""
    project = Project.objects.filter(pk=spec.project_id).first()
    return f"case in {project.name if project else 'a project that is gone'}"


def waits_for(run: TestRun) -> str:
    """Why it takes longer than a moment, for a person; usually nothing."""
    return ""


def case_of(run: TestRun) -> Case | None:
    cases = Case.objects.filter(pk__in=[run.case_id]).select_related("assignee", "project")
    return cases.first()


def sweep() -> None:
    """Carry on the runs whose worker died, forget the old ones; runs every minute."""
    now = timezone.now()
    TestRun.objects.filter(created_at__lt=now - KEPT).delete()
    lost = TestRun.objects.filter(state=TestRun.State.RUNNING, created_at__lt=now - LOST_AFTER)
    for run in lost.filter(case_id=None, created_at__lt=now - GIVEN_UP_AFTER):
        _fail(run, _Failed("It was interrupted before anything was created."))
    for pk in lost.values_list("pk", flat=True):
        enqueue("automation.tasks.run_test", str(pk))


# --- One run --------------------------------------------------------------------------


def carry_on(run_id: UUID) -> None:
    """Do what is left of a run, as far as it goes now."""
    run = _running(run_id)
    if run is None:
        return
    try:
        if run.case_id is None:
            _check(run)
        with _step(run, -2):
            _create(run)
        with _step(run, -1):
            _link(run)
    except _Failed as failure:
        _fail(run, failure)
    else:
        _end(run, state=TestRun.State.PASSED, steps=run.steps)


def _check(run: TestRun) -> None:
    spec = spec_of(run)
    with _step(run, 0):
        if not _matches(spec, run.finding):
            raise _Failed("The finding does not match the rule any more.")
    with _step(run, 1):
        if not Project.objects.filter(pk=spec.project_id).exists():
            raise _Failed("The case project does not exist.")
        people = User.objects.filter(is_active=True)
        if spec.assignee_id and not people.filter(pk=spec.assignee_id).exists():
            raise _Failed("The assignee does not exist or is deactivated.")


@transaction.atomic
def _create(run: TestRun) -> None:
    """The case, unless it is there: whoever else carries this run on waits for the row."""
    row = TestRun.objects.select_for_update().get(pk=run.pk)
    if row.case_id is None:
        [case] = open_cases([_draft(run)])
        row.case_id = case.pk
        row.save(update_fields=("case_id",))
    run.case_id = row.case_id


def _draft(run: TestRun) -> CaseDraft:
    spec, tester = spec_of(run), run.created_by
    draft = finding_draft(
        run.finding.facts,
        url=absolute("findings:finding-show", run.finding.finding_id),
        made_by=f"A test of the rule “{spec.name}” by {tester.name if tester else 'the system'}.",
    )
    return CaseDraft(
        **draft._asdict(),
        project_id=UUID(spec.project_id),
        assignee_id=UUID(spec.assignee_id) if spec.assignee_id else None,
        origin=Case.Origin.TEST,
        rule_name=spec.name,
        created_by=tester,
    )


@transaction.atomic
def _link(run: TestRun) -> None:
    """Attach the finding, unless it got another ticket meanwhile: a test takes none away."""
    case = Case.objects.get(pk__in=[run.case_id])
    if not attach_free(case, run.finding_id, actor=run.created_by):
        run.finding.refresh_from_db(fields=["ticket_key"])
        raise _Failed(
            f"{case.key} was created, but the finding got another ticket meanwhile and keeps "
            f"it: {run.finding.ticket_key}."
        )


# --- Its row --------------------------------------------------------------------------


def spec_of(run: TestRun) -> RuleSpec:
    return RuleSpec.from_json(run.rule)


def _running(run_id: UUID) -> TestRun | None:
    return (
        TestRun.objects.filter(pk=run_id, state=TestRun.State.RUNNING)
        .select_related("finding", "created_by")
        .first()
    )


def _labels(spec: RuleSpec) -> list[str]:
    project = Project.objects.filter(pk=spec.project_id).first()
    return [
        "Finding matches the rule criteria",
        f"Case project {project.name if project else ''} exists",
        "Creating the ticket",
        "Linking the ticket to the finding",
    ]


def _step_of(label: str) -> dict[str, Any]:
    return {"label": label, "state": "waiting", "milliseconds": None, "note": ""}


@contextmanager
def _step(run: TestRun, at: int) -> Iterator[None]:
    step, began = run.steps[at], time.monotonic()
    _note(run, step, state="running")
    try:
        yield
    except _Failed as failure:
        _note(run, step, state="failed", note=failure.note)
        raise
    _note(run, step, state="done", milliseconds=round((time.monotonic() - began) * 1_000))


def _note(run: TestRun, step: dict[str, Any], **said: object) -> None:
    """Tell those who watch; an ended run stays as it ended."""
    step |= said
    TestRun.objects.filter(pk=run.pk, state=TestRun.State.RUNNING).update(steps=run.steps)


def _fail(run: TestRun, failure: _Failed) -> None:
    """End the run, unless another worker has brought it further than we know."""
    for step in run.steps:
        if step["state"] == "waiting":
            step["note"] = "skipped"
    _end(
        run,
        state=TestRun.State.FAILED,
        steps=run.steps,
        reason=failure.reason,
        field=failure.field,
        response=failure.response,
    )


def _end(run: TestRun, **said: object) -> bool:
    known = TestRun.objects.filter(pk=run.pk, state=TestRun.State.RUNNING, case_id=run.case_id)
    return bool(known.update(ended_at=timezone.now(), **said))


def _matches(spec: RuleSpec, finding: Finding) -> bool:
    return compile_rules([spec]).first_match(finding.facts) is not None


def _first_day() -> Any:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1)
