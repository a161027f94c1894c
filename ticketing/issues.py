"""Reads of the issues that cases have in Jira, and how pages say how they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from ticketing.health import LASTING
from ticketing.models import (
    Case,
    CommentLink,
    Destination,
    ExternalIssue,
    SyncMode,
    TimelineEntry,
)
from ticketing.states import WAITING, State
from ticketing.trackers.base import Fault


class Sync(NamedTuple):
    """How a case and its issue are to each other, in a word; `reason` is for a person."""

    name: str
    label: str
    icon: str
    tone: str = ""
    reason: str = ""


NO_ISSUE = Sync("none", "Case only", "minus")


def live_issues() -> QuerySet[ExternalIssue]:
    """Of each case the one it has, or was promised; not those it let go of."""
    held = ExternalIssue.objects.filter(detached_at=None).exclude(state=State.CANCELLED)
    return held.select_related("account").defer("facts", "fields")


def issue_of(case: Case) -> ExternalIssue | None:
    return live_issues().filter(case=case).first()


def issues_by_case(case_pks: Collection[UUID]) -> dict[UUID, ExternalIssue]:
    return {issue.case_id: issue for issue in live_issues().filter(case__in=case_pks)}


def waiting_by_key(keys: Collection[str]) -> dict[str, Sync]:
    """Case key → how its issue waits, for those of these cases whose issue is not there yet."""
    waiting = live_issues().filter(case__key__in=keys).exclude(state=State.CREATED)
    found = waiting.select_related(None).select_related("case")
    return {issue.case.key: sync_of(issue) for issue in found.only("case__key", "state", "reason")}


def sync_of(issue: ExternalIssue | None) -> Sync:
    if issue is None:
        return NO_ISSUE
    if issue.state == State.CREATED:
        return _of_created(issue)
    if issue.state == State.BLOCKED:
        return Sync("failed", "Failed", "circle-x", "bad", issue.reason)
    reason = "Jira did not answer in time; the ticket is looked for."
    unsure = issue.state == State.UNSURE
    return Sync("creating", "Creating…", "refresh-cw", "", reason if unsure else issue.reason)


def is_held(issue: ExternalIssue) -> bool:
    """Whether a person must say if it was created: looking for it came to no end."""
    return issue.state == State.BLOCKED and issue.fault == Fault.UNSURE


def is_waiting(issue: ExternalIssue) -> bool:
    return issue.state in WAITING


def destination_of_case(case: Case) -> Destination | None:
    places = Destination.objects.filter(project=case.project_id, is_enabled=True)
    return places.select_related("account").first()


class ClosingBlock(NamedTuple):
    """A field that Jira asks for on closing, and how many tickets of a project wait for it."""

    field: str
    name: str
    tickets: int


def closing_blocks(project_id: UUID) -> list[ClosingBlock]:
    waiting = ExternalIssue.objects.filter(case__project=project_id, detached_at=None)
    rows = waiting.exclude(closing_field="").order_by("closing_field")
    counted = rows.values_list("closing_field").annotate(
        name=Max("closing_field_name"), tickets=Count("pk")
    )
    return [ClosingBlock(*row) for row in counted]


def shared_comments(issue: ExternalIssue) -> int:
    """How many comments are on both sides."""
    return CommentLink.objects.filter(issue=issue).count() if issue.issue_key else 0


def posted_to(issue: ExternalIssue | None, destination: Destination | None) -> str:
    """The key of the issue that a comment goes to as well; usually none."""
    if issue is None or destination is None or not issue.issue_key or issue.gone_at:
        return ""
    return issue.issue_key if destination.sync_comments == SyncMode.TWO_WAY else ""


def comment_goes_to(entry: TimelineEntry) -> str:
    """The key of the issue on which the comment is, too; a change of it follows there."""
    link = CommentLink.objects.filter(entry=entry).select_related("issue").first()
    if link is None or link.issue.detached_at or link.issue.gone_at:
        return ""
    return posted_to(link.issue, destination_of_case(entry.case))


def _of_created(issue: ExternalIssue) -> Sync:
    if issue.gone_at:
        reason = f"{issue.issue_key} was deleted in Jira, or is hidden from us."
        return Sync("gone", "Deleted in Jira", "trash-2", "bad", reason)
    if issue.sync_problem:
        return Sync("failed", "Failed", "circle-x", "bad", issue.sync_problem)
    if issue.account.is_suspended:
        reason = f"{issue.account.name} is suspended. {issue.account.problem}"
        return Sync("waiting", "Waiting", "clock", "warn", reason)
    if issue.account.sync_failures >= LASTING:
        return Sync("waiting", "Waiting", "clock", "warn", issue.account.sync_problem)
    if issue.sync_due_at and issue.sync_due_at <= timezone.now():
        return Sync("syncing", "Syncing", "refresh-cw")
    return Sync("synced", "In sync", "circle-check", "ok")
