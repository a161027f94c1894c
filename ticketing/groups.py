"""Tickets that stand for a group of findings: opened, joined, and kept saying what is so.

The pipeline joins findings to open cases while it holds the findings of its chunk, and no others.
So it attaches them and leaves the rest (title, text, priority, the copy on the other findings, a
comment) to `refresh_due`, which locks what it changes in the one order that there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from config.lib.deadline import Deadline
from config.lib.isolation import run_batch, run_each
from config.lib.links import absolute
from config.lib.rows import rewrite, store
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from findings.selectors import facts_of
from ticketing import due_dates
from ticketing.attachments import Subject, attach_rows
from ticketing.drafts import PRIORITY_LEVELS, Draft
from ticketing.due import mark_due
from ticketing.following import reopen_for_new
from ticketing.group_queue import ring
from ticketing.group_text import Group, Member, Summary, group_draft, number, worst_first
from ticketing.locking import Locked, lock, portion
from ticketing.mirror import issues_of, mirror
from ticketing.models import (
    MAX_FINDINGS_OF_GROUP,
    Attachment,
    Case,
    CaseGroup,
    ExternalIssue,
    TimelineEntry,
)
from ticketing.placeholders import summary_and_description
from ticketing.timeline import Kind, tell

CHUNK = 200  # tickets in a transaction, or fewer with many findings
SECONDS_A_RING = 10.0
LOST_AFTER, GIVEN_UP_AFTER = timedelta(seconds=5), timedelta(minutes=1)
COMMENT_EVERY = timedelta(hours=1)
AT_MOST = "At most one comment an hour."
_TEXTS = ("title", "description")  # that are ours until somebody writes something else
_NO_LEVEL = 6  # of a priority that is not defined: every other is above it


# --- Opening ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDraft:
    """The group that a case is opened for."""

    case_id: UUID
    rule_id: UUID
    key: str
    group: Group
    members: Sequence[Member]  # the worst first
    templates: Mapping[str, Any]  # the rule's own summary and description
    takes_more: bool = True
    follows: UUID | None = None  # the case before
    is_continuation: bool = False

    def write(self, case_key: str) -> Draft:
        return write_group(self.group, self.members, self.templates, case_key)


def store_groups(opened: Sequence[tuple[GroupDraft, Case]]) -> None:
    """In the caller's transaction, which holds the locks of the cases that these follow."""
    if not opened:
        return
    followed = [draft.follows for draft, _ in opened if draft.follows]
    if followed:
        CaseGroup.objects.filter(case__in=followed).update(takes_more=False)
    store(
        CaseGroup(
            case=case,
            rule_id=draft.rule_id,
            key=draft.key,
            group_by=list(draft.group.fields),
            group_values=list(draft.group.values),
            takes_more=draft.takes_more,
            follows_id=draft.follows,
            is_continuation=draft.is_continuation,
            templates=dict(draft.templates),
            written=_signature(case),
            written_at=case.created_at,
            commented_at=case.created_at,
        )
        for draft, case in opened
    )


# --- Joining ------------------------------------------------------------------------------


@dataclass(slots=True)
class OpenGroup:
    """The newest case of a group, locked, and how many findings are on it."""

    case: Case
    row: CaseGroup
    size: int

    @property
    def is_open(self) -> bool:
        return self.case.status != Case.Status.CLOSED and self.case.archived_at is None

    def takes(self, *, reopens: bool) -> bool:
        """Whether a finding may join it now, if it has room."""
        return self.is_open or (reopens and self.case.archived_at is None)

    @property
    def is_full(self) -> bool:
        return self.size >= MAX_FINDINGS_OF_GROUP


def lock_groups(keys: Mapping[UUID, Collection[str]]) -> dict[tuple[UUID, str], OpenGroup]:
    """Rule → keys: the cases that take more of these groups, locked, by (rule, key).

    No finding is locked: the caller holds those that it changes already. A case that turns out
    not to take more, once it is ours, is left out.
    """
    return _groups(keys, Case.objects.select_for_update(no_key=True))


def find_groups(keys: Mapping[UUID, Collection[str]]) -> dict[tuple[UUID, str], OpenGroup]:
    """The same, not locked."""
    return _groups(keys, Case.objects.all())


def _groups(
    keys: Mapping[UUID, Collection[str]], every: QuerySet[Case]
) -> dict[tuple[UUID, str], OpenGroup]:
    if not keys:
        return {}
    any_key = {key for some in keys.values() for key in some}
    rows = CaseGroup.objects.filter(rule_id__in=keys, key__in=any_key, takes_more=True)
    if not (held := sorted(rows.values_list("case_id", flat=True))):
        return {}
    cases = every.filter(pk__in=held).order_by("pk").in_bulk()
    sizes = _sizes(held)
    return {
        (row.rule_id, row.key): OpenGroup(cases[row.case_id], row, sizes[row.case_id])
        for row in CaseGroup.objects.filter(case__in=held, takes_more=True)
        if row.case_id in cases
    }


def _sizes(case_pks: Collection[UUID]) -> Mapping[UUID, int]:
    counts = Attachment.objects.filter(case__in=case_pks).order_by().values_list("case")
    return defaultdict(int, counts.annotate(Count("pk")))


class Addition(NamedTuple):
    group: OpenGroup
    findings: Sequence[Subject]
    where: str  # they are, in a few words


def join(additions: Sequence[Addition], *, now: datetime) -> None:
    """Attach these (locked, free) findings to the groups' (locked) cases. As few statements for
    any number; the tickets' texts follow within seconds."""
    if not additions:
        return
    cases = [added.group.case for added in additions]
    # Our moment may be older than the closing that we waited for, and `reopen_for_new` compares.
    closed = [case.closed_at for case in cases if case.closed_at]
    now = max([now, *(each + timedelta.resolution for each in closed)])
    attach_rows(
        [(added.group.case, subject) for added in additions for subject in added.findings],
        issues=issues_of([case.pk for case in cases]),
        now=now,
    )
    store(
        TimelineEntry(
            case=added.group.case,
            kind=Kind.GROUPED,
            after=str(len(added.findings)),
            reason=added.where,
            created_at=now,
        )
        for added in additions
    )
    for added in additions:
        row = added.group.row
        row.refresh_since = row.refresh_since or now
        row.added += len(added.findings)
        row.is_to_reopen = row.is_to_reopen or not added.group.is_open
    rewrite([added.group.row for added in additions], "refresh_since", "added", "is_to_reopen")
    ring()


# --- Keeping up ---------------------------------------------------------------------------


def refresh_due(*, seconds: float = SECONDS_A_RING) -> int:
    """Have tickets say what is so of their findings now; returns how many were checked.

    Running it twice, late or at once with another worker changes nothing more. One that cannot be
    written stops no other.
    """
    deadline, looked_at = Deadline(seconds), list[UUID]()
    run_each(_chunks(deadline, looked_at), lambda case_pks: run_batch(case_pks, _refresh))
    return len(looked_at)


def _chunks(deadline: Deadline, looked_at: list[UUID]) -> Iterator[Sequence[UUID]]:
    """Cases that are due, by their ids; the first chunk in any case. Rings for what is left."""
    due = _due(timezone.now()).values_list("case_id", flat=True)
    while rest := list((due.filter(case_id__gt=looked_at[-1]) if looked_at else due)[:CHUNK]):
        if looked_at and deadline.is_over:
            ring()
            return
        chunk = portion(rest)
        looked_at += chunk
        yield chunk


def is_anything_due(now: datetime) -> bool:
    """Whether a ticket says what is not so for longer than a wake-up takes: that one was lost.

    What waits for over a minute fails, and is tried again each minute.
    """
    lost = (now - GIVEN_UP_AFTER, now - LOST_AFTER)
    return CaseGroup.objects.filter(refresh_since__range=lost).exists()


def _due(now: datetime) -> QuerySet[CaseGroup]:
    comment = Q(added__gt=0, commented_at__lte=now - COMMENT_EVERY)
    return CaseGroup.objects.filter(Q(refresh_since__isnull=False) | comment).order_by("case_id")


@transaction.atomic
def _refresh(case_pks: Sequence[UUID]) -> None:
    now = timezone.now()
    locked = lock(case_pks=case_pks)
    rows = list(_due(now).filter(case__in=locked.cases))
    groups = {row.case_id: row for row in rows}
    members = _members(groups, locked)
    issues = issues_of(groups)
    before = {pk: locked.cases[pk].priority for pk in groups}
    changed = [
        case
        for pk, row in groups.items()
        if _follow(case := locked.cases[pk], row, members[pk], now=now)
    ]
    _tell_rises([case for case in changed if case.priority != before[case.pk]], before, now=now)
    reopen_for_new([locked.cases[pk] for pk, row in groups.items() if row.is_to_reopen], now=now)
    due_dates.follow([locked.cases[pk] for pk in groups], now=now)
    _comment(rows, locked, members, issues, now=now)
    for row in rows:
        row.refresh_since, row.is_to_reopen = None, False
    rewrite(rows, "refresh_since", "is_to_reopen", "added", "commented_at", "written", "written_at")
    if changed:
        rewrite(changed, "title", "description", "priority", "modified_at")
        mirror(changed)
        mark_due(changed)


def _members(case_pks: Iterable[UUID], locked: Locked) -> dict[UUID, list[Finding]]:
    found: dict[UUID, list[Finding]] = {pk: [] for pk in case_pks}
    attached = Attachment.objects.filter(case__in=found).order_by("pk")
    for case_id, finding_id in attached.values_list("case_id", "finding_id"):
        found[case_id].append(locked.findings[finding_id])
    prefetch_related_objects([each for some in found.values() for each in some], "evaluation")
    return found


def _follow(case: Case, row: CaseGroup, findings: Sequence[Finding], *, now: datetime) -> bool:
    """Put on the case what its findings say now; whether anything of it changed.

    Its title and text are ours until somebody, here or in the tracker, wrote something else. The
    priority rises with that of the worst finding, and never falls by itself: what a person made
    of it stays until a finding is worse than the worst one was.
    """
    if not findings:
        return False
    group = Group(row.group_by, row.group_values, case.rule_name)
    draft = write_group(group, members_of(findings), row.templates, case.key)
    before = (case.title, case.description, case.priority)
    for name in _TEXTS:
        if row.written.get(name) == _digest(getattr(case, name)):
            setattr(case, name, getattr(draft, name))
    known = (case.priority, row.written.get("priority", case.priority))
    if _level(draft.priority) < min(map(_level, known)):
        case.priority = draft.priority
    ours = [name for name in _TEXTS if getattr(case, name) == getattr(draft, name)]
    said = {name: _digest(getattr(case, name)) for name in ours}
    row.written = {**row.written, **said, "priority": draft.priority}
    if before == (case.title, case.description, case.priority):
        return False
    case.modified_at = row.written_at = now
    return True


def _tell_rises(cases: Sequence[Case], before: Mapping[UUID, str], *, now: datetime) -> None:
    entries = [(case, Kind.PRIORITY, before[case.pk], case.priority) for case in cases]
    tell(entries, reason="A finding that is worse came to it.", now=now)


def _comment(
    rows: Iterable[CaseGroup],
    locked: Locked,
    findings: Mapping[UUID, Sequence[Finding]],
    issues: Mapping[UUID, ExternalIssue],
    *,
    now: datetime,
) -> None:
    """Tell the tracker what was added, once an hour at most."""
    ripe = [
        row
        for row in rows
        if row.added and row.commented_at and row.commented_at <= now - COMMENT_EVERY
    ]
    told = [row for row in ripe if row.case_id in issues]
    tell(
        [(locked.cases[row.case_id], Kind.COMMENT, "", _news(row, findings)) for row in told],
        reason=AT_MOST,
        now=now,
    )
    for row in ripe:
        row.added, row.commented_at = 0, now
    if told:
        mark_due(locked.cases[row.case_id] for row in told)


def _news(row: CaseGroup, findings: Mapping[UUID, Sequence[Finding]]) -> str:
    all_ = findings[row.case_id]
    still_open = sum(finding.status in OPEN_STATUSES for finding in all_)
    verb = "was" if row.added == 1 else "were"
    return (
        f"{number(row.added, 'finding')} {verb} added. The ticket stands for {len(all_):,} now, "
        f"{still_open:,} of them open."
    )


def text_of_some(
    row: CaseGroup, case: Case, findings: Sequence[Finding], *, made_by: str
) -> Callable[[str], Draft]:
    """Key → what a ticket under it says of these findings of a group that is not its own."""
    group = Group(row.group_by, row.group_values, case.rule_name)
    members = members_of(findings)
    return lambda key: write_group(group, members, row.templates, key, made_by=made_by)


def write_group(
    group: Group,
    members: Sequence[Member],
    templates: Mapping[str, Any],
    case_key: str,
    *,
    made_by: str = "",
) -> Draft:
    """The text by the rule's own templates, where it has them, filled from the worst finding."""
    all_url = absolute("findings:finding-list", query={"q": f"@ticket.key:{case_key}"})
    made_by = made_by or f"Created by the rule “{group.rule_name}”."
    draft = group_draft(group, members, all_url=all_url, made_by=made_by)
    if not templates:
        return draft
    worst, *_ = members
    own = summary_and_description(
        templates,
        worst.facts,
        url=worst.url,
        rule_name=group.rule_name,
        group=Summary.of([member.facts for member in members]),
    )
    return draft._replace(
        title=own.summary or draft.title, description=own.description or draft.description
    )


def members_of(findings: Sequence[Finding]) -> list[Member]:
    """The worst first."""
    return worst_first(
        Member(facts, absolute("findings:finding-show", facts.finding_id))
        for facts in facts_of(findings)
    )


def _signature(case: Case) -> dict[str, str]:
    texts = {name: _digest(getattr(case, name)) for name in _TEXTS}
    return {**texts, "priority": case.priority}


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _level(priority: str) -> int:
    return PRIORITY_LEVELS.get(priority, _NO_LEVEL)
