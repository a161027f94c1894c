"""Everything that changes a case. Each function is one transaction, or a part of its caller's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from config.accounts.access import Actor, answerable, key_id, key_maker, key_name, person
from config.accounts.models import User
from config.lib.links import absolute
from config.lib.rows import store
from findings.facts import Status, facts_to_json
from findings.models import Finding
from findings.selectors import facts_of
from ticketing import due_dates, due_days, outbox
from ticketing.attachments import Subject, attach_rows, release, subject_of
from ticketing.case_changes import CaseChange, change_cases, set_archived
from ticketing.close_reasons import CloseReason
from ticketing.drafts import Draft, findings_draft
from ticketing.due import mark_due
from ticketing.following import reopen
from ticketing.group_queue import mark_groups
from ticketing.groups import GroupDraft, store_groups
from ticketing.jira_people import assign_as_promised
from ticketing.locking import lock
from ticketing.mirror import issues_of, mirror
from ticketing.models import Attachment, Case, Project, TimelineEntry
from ticketing.outbox import Promise
from ticketing.projects import take_numbers
from ticketing.timeline import Kind, tell

MAX_FINDINGS = 50


class TooManyFindings(ValueError):
    """More findings in one request than a ticket may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDraft:
    """A case to open, with the findings to attach to it."""

    project_id: UUID
    title: str
    description: str
    priority: str
    origin: Case.Origin
    findings: tuple[Subject, ...] = ()
    assignee_id: UUID | None = None
    due_date: date | None = None  # a person's own; else it is that of the findings
    rule_id: UUID | None = None
    rule_name: str = ""
    rule_set_version: int | None = None
    notice_day: date | None = None
    created_by: Actor = None
    promise: Promise | None = None  # of an issue in Jira, where the project's settings say
    group: GroupDraft | None = None  # of a case for a group of findings, which says what it says
    write: Callable[[str], Draft] | None = None  # the same of one that is no group's, by its key

    def words(self, key: str) -> Draft:
        """Title and description, once its key is known."""
        write = self.group.write if self.group else self.write
        return write(key) if write else Draft(self.title, self.description, self.priority)


def open_cases(drafts: Sequence[CaseDraft], *, now: datetime | None = None) -> list[Case]:
    """Open one case for each draft, in order, in the caller's transaction.

    The findings must be locked by the caller and attached to no case. The number of
    statements does not depend on the number of drafts. Raises Destination.DoesNotExist for
    the promise of an issue in a project that has none.
    """
    now = now or timezone.now()
    numbers = take_numbers(Counter(draft.project_id for draft in drafts))
    cases = [_new_case(draft, *numbers[draft.project_id].pop(0), now=now) for draft in drafts]
    opened = list(zip(drafts, cases, strict=True))
    assign_as_promised([(case, draft.promise.fields) for draft, case in opened if draft.promise])
    store(cases)
    store(
        TimelineEntry(
            case_id=case.pk,
            kind=Kind.CREATED,
            actor=person(draft.created_by),
            answerable=key_maker(draft.created_by),
            key_name=key_name(draft.created_by),
            created_at=now,
        )
        for draft, case in opened
    )
    store_groups([(draft.group, case) for draft, case in opened if draft.group])
    attach_rows([(case, subject) for draft, case in opened for subject in draft.findings])
    outbox.promise([(case, draft.promise) for draft, case in opened if draft.promise])
    return cases


def _source_of(draft: CaseDraft) -> str:
    return Case.CreationSource.SECURITY_FINDING if draft.findings else Case.CreationSource.MANUAL


def _workflows(draft: CaseDraft) -> Iterator[Mapping[str, Any]]:
    return (each.workflow for each in draft.findings if each.is_open)


def _new_case(draft: CaseDraft, number: int, key: str, *, now: datetime) -> Case:
    own = draft.words(key)
    return Case(
        id=draft.group.case_id if draft.group else uuid4(),
        project_id=draft.project_id,
        number=number,
        key=key,
        title=own.title,
        description=own.description,
        priority=draft.priority,
        assignee_id=draft.assignee_id,
        due_date=draft.due_date or due_days.earliest(_workflows(draft)),
        is_due_by_hand=draft.due_date is not None,
        origin=draft.origin,
        creation_source=_source_of(draft),
        rule_id=draft.rule_id,
        rule_name=draft.rule_name,
        rule_set_version=draft.rule_set_version,
        notice_day=draft.notice_day,
        created_by=answerable(draft.created_by),
        created_at=now,
        modified_at=now,
    )


@transaction.atomic
def open_manual_case(
    finding_pks: Sequence[int],
    *,
    project: Project,
    actor: Actor,
    title: str = "",
    description: str = "",
    assignee: User | None = None,
    priority: str = "",
    due_date: date | None = None,
    origin: Case.Origin = Case.Origin.MANUAL,
    promise: Promise | None = None,
) -> Case:
    """One case for all these findings; a finding that has a case already moves here.

    Missing title, description and priority are made from the findings, and so are the facts
    of a promise if there is one finding.
    """
    check_count(finding_pks)
    rows = release(finding_pks, lock(finding_pks=finding_pks), actor=actor)
    [case] = open_cases(
        [
            manual_case(
                rows,
                project=project,
                actor=actor,
                assignee=assignee,
                origin=origin,
                title=title,
                description=description,
                priority=priority,
                due_date=due_date,
                promise=promise,
            )
        ]
    )
    return case


@transaction.atomic
def open_case_each(
    finding_pks: Sequence[int],
    *,
    project: Project,
    actor: Actor,
    assignee: User | None = None,
    origin: Case.Origin = Case.Origin.MANUAL,
    promise: Promise | None = None,
) -> list[Case]:
    """One case for each of these findings; those that have a case already move."""
    check_count(finding_pks)
    rows = release(finding_pks, lock(finding_pks=finding_pks), actor=actor)
    prefetch_related_objects(rows, "evaluation")  # of all at once: each is told alone
    return open_cases(
        [
            manual_case(
                [row],
                project=project,
                actor=actor,
                assignee=assignee,
                origin=origin,
                promise=promise,
            )
            for row in rows
        ]
    )


@transaction.atomic
def attach(case: Case, finding_pks: Sequence[int], *, actor: Actor) -> None:
    """Attach findings to a case; those on another case move, those on this one stay."""
    check_count(finding_pks)
    locked = lock(finding_pks=finding_pks, case_pks=[case.pk])
    case = locked.cases[case.pk]
    here = set(case.attachments.values_list("finding_id", flat=True))
    moving = release([pk for pk in finding_pks if pk not in here], locked, actor=actor)
    if not moving:
        return
    now = timezone.now()
    issues = issues_of([case.pk])
    attach_rows([(case, subject_of(row)) for row in moving], issues=issues, actor=actor, now=now)
    tell([(case, Kind.ATTACHED, "", row.title) for row in moving], actor=actor, now=now)
    due_dates.follow([case], now=now)
    mark_groups([case], now=now)
    if any(Status(row.status).is_open for row in moving):
        reopen([case], reason="An open finding was attached.", now=now)


@transaction.atomic
def detach(finding_pks: Sequence[int], *, actor: Actor, case: Case | None = None) -> int:
    """Detach findings from their cases and say how many were attached. No case is deleted.

    With `case`, only from that one: a finding that has moved on meanwhile stays where it is.
    """
    locked = lock(finding_pks=finding_pks)
    attached = Attachment.objects.filter(finding__in=finding_pks)
    if case is not None:
        attached = attached.filter(case=case)
    pks = list(attached.values_list("finding_id", flat=True))
    release(pks, locked, actor=actor)
    return len(pks)


@transaction.atomic
def change_case(
    case: Case,
    *,
    actor: Actor,
    status: str | None = None,
    priority: str | None = None,
    assignee: User | str | None = "unchanged",
    title: str | None = None,
    description: str | None = None,
    close_reason: CloseReason | None = None,
    seen: datetime | None = None,
) -> Case:
    """Change what is given, tell the timeline what really changed, and mirror it.

    `close_reason` is why, of one that is closed. With `seen`, raises CaseChanged if the same was
    changed after that time.
    """
    case = _lock(case)
    change = CaseChange(
        status=status,
        priority=priority,
        title=title,
        description=description,
        assignee=assignee,
        close_reason=close_reason,
    )
    change_cases([case], change, actor=actor, seen=seen)
    return case


@transaction.atomic
def comment(case: Case, text: str, *, actor: Actor) -> TimelineEntry:
    """Write a comment (Markdown) on the case's timeline."""
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Write a comment first."})
    now = timezone.now()
    Case.objects.filter(pk=case.pk).update(modified_at=now)
    mark_due([case])
    return TimelineEntry.objects.create(
        case=case,
        kind=Kind.COMMENT,
        after=text,
        actor=person(actor),
        answerable=key_maker(actor),
        key_name=key_name(actor),
        key_id=key_id(actor),
        created_at=now,
    )


@transaction.atomic
def move(case: Case, project: Project, *, actor: Actor) -> Case:
    """Give the case the next number of another project; its old key still leads to it."""
    case = _lock(case)
    if case.project_id == project.pk:
        return case
    former = case.key
    [(case.number, case.key)] = take_numbers(Counter([project.pk]))[project.pk]
    case.project = project
    now = case.modified_at = timezone.now()
    case.save(update_fields=("project", "number", "key", "modified_at"))
    tell([(case, Kind.MOVED, former, case.key)], actor=actor, now=now)
    mirror([case])
    return case


def archive(case: Case, *, actor: Actor) -> Case:
    return _set_archived(case, to=timezone.now(), actor=actor)


def unarchive(case: Case, *, actor: Actor) -> Case:
    return _set_archived(case, to=None, actor=actor)


def manual_case(
    rows: Sequence[Finding],
    *,
    project: Project,
    actor: Actor,
    assignee: User | None,
    origin: Case.Origin,
    title: str = "",
    description: str = "",
    priority: str = "",
    due_date: date | None = None,
    promise: Promise | None = None,
) -> CaseDraft:
    """What is not said of the case is made from its (locked, free) findings."""
    draft = _manual_draft(rows, actor=actor)
    return CaseDraft(
        project_id=project.pk,
        title=title or draft.title,
        description=description or draft.description,
        priority=priority or draft.priority,
        origin=origin,
        findings=tuple(subject_of(row) for row in rows),
        assignee_id=assignee.pk if assignee else None,
        due_date=due_date,
        created_by=actor,
        promise=_with_facts(promise, rows) if promise else None,
    )


def _with_facts(promise: Promise, rows: Sequence[Finding]) -> Promise:
    if promise.facts is not None or len(rows) != 1:
        return promise
    return promise._replace(facts=facts_to_json(rows[0].facts))


def _manual_draft(rows: Sequence[Finding], *, actor: Actor) -> Draft:
    if not rows:
        return Draft("", "", Case.Priority.NOT_DEFINED)
    made_by = f"Created by {actor.name}." if actor else "Created through the API."
    return findings_draft(
        facts_of(rows),
        urls=[absolute("findings:finding-show", row.finding_id) for row in rows],
        made_by=made_by,
    )


def check_count(finding_pks: Sequence[int]) -> None:
    if len(finding_pks) > MAX_FINDINGS:
        raise TooManyFindings(
            f"A ticket takes up to {MAX_FINDINGS} findings at once, got {len(finding_pks)}."
        )


def _lock(case: Case) -> Case:
    return lock(case_pks=[case.pk]).cases[case.pk]


@transaction.atomic
def _set_archived(case: Case, *, to: datetime | None, actor: Actor) -> Case:
    case = _lock(case)
    set_archived([case], to=to, actor=actor)
    return case
