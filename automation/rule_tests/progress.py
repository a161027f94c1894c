"""The row of a run of Test Rule: its steps as they go, and its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import NAME
from automation.models import TestRun
from automation.rules.data import spec_from_json
from findings.models import Finding
from ticketing.destinations import destination_of
from ticketing.models import ASSIGNEES, Case, Destination, ExternalIssue, Project

CREATE, LINK = -2, -1  # the last steps, whatever is looked at before them


class Failed(Exception):
    """The end of a run that made no ticket; `reason` is for a person, `note` for its step."""

    def __init__(self, reason: str, *, field: str = "", response: str = "", note: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field, self.response, self.note = reason, field, response, note


def spec_of(run: TestRun) -> RuleSpec:
    return spec_from_json(NAME, run.rule)


def is_match(spec: RuleSpec, finding: Finding) -> bool:
    return compile_rules([spec]).first_match(finding.facts) is not None


def destination_for(spec: RuleSpec) -> Destination | None:
    """Where in Jira the rule's tickets are created, if they are."""
    return destination_of(spec.action.project_id) if spec.action.is_jira else None


def case_of(run: TestRun) -> Case | None:
    cases = Case.objects.filter(pk__in=[run.case_id]).select_related(*ASSIGNEES, "project")
    return cases.first()


def issue_of(run: TestRun) -> ExternalIssue | None:
    """The issue the run has made, promised, or given up."""
    issues = ExternalIssue.objects.filter(case__in=[run.case_id])
    return issues.select_related("account", "case").first()


def steps_of(spec: RuleSpec) -> list[dict[str, Any]]:
    """As they are before the first of them."""
    return [
        {"label": label, "state": "waiting", "milliseconds": None, "note": ""}
        for label in (
            "Finding matches the rule criteria",
            *_places(spec),
            "Creating the ticket",
            "Linking the ticket to the finding",
        )
    ]


def _places(spec: RuleSpec) -> list[str]:
    if place := destination_for(spec):
        return [
            f"Jira account {place.account.host} accepts the credentials",
            f"Space {place.space_key} exists and allows {place.type_name}",
        ]
    project = Project.objects.filter(pk=spec.action.project_id).first()
    return [f"Case project {project.name if project else ''} exists"]


@contextmanager
def step(run: TestRun, at: int) -> Iterator[None]:
    now, began = run.steps[at], time.monotonic()
    _note(run, now, state="running")
    try:
        yield
    except Failed as failure:
        _note(run, now, state="failed", note=failure.note)
        raise
    _note(run, now, state="done", milliseconds=round((time.monotonic() - began) * 1_000))


def _note(run: TestRun, now: dict[str, Any], **said: object) -> None:
    """Tell those who watch; an ended run stays as it ended."""
    now |= said
    TestRun.objects.filter(pk=run.pk, state=TestRun.State.RUNNING).update(steps=run.steps)


def fail(run: TestRun, failure: Failed) -> None:
    for each in run.steps:
        if each["state"] == "waiting":
            each["note"] = "skipped"
    end(
        run,
        TestRun.State.FAILED,
        reason=failure.reason,
        field=failure.field,
        response=failure.response,
    )


def end(run: TestRun, state: TestRun.State, **said: object) -> None:
    """End the run, unless another worker has brought it further than we know."""
    known = TestRun.objects.filter(pk=run.pk, state=TestRun.State.RUNNING, case_id=run.case_id)
    known.update(state=state, steps=run.steps, ended_at=timezone.now(), **said)
