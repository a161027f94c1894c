"""How far a bulk run is, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, QuerySet

from config.accounts.models import User
from findings.forms import count_label
from ticketing.issues import live_issues
from ticketing.models import BulkRun, BulkStep, Case, ExternalIssue
from ticketing.states import WAITING, State

_DOING = {
    BulkRun.Deed.TICKETS: "Creating tickets",
    BulkRun.Deed.ATTACH: "Attaching findings",
    BulkRun.Deed.MUTE: "Muting findings",
    BulkRun.Deed.ASSIGN: "Assigning findings",
    BulkRun.Deed.STATUS: "Changing the status",
    BulkRun.Deed.SEVERITY: "Changing the severity",
    BulkRun.Deed.UNDO: "Undoing",
}
_DONE = {
    BulkRun.Deed.TICKETS: "created",
    BulkRun.Deed.ATTACH: "attached",
    BulkRun.Deed.MUTE: "muted",
    BulkRun.Deed.ASSIGN: "assigned",
    BulkRun.Deed.STATUS: "changed",
    BulkRun.Deed.SEVERITY: "changed",
}
_UNDONE = {
    BulkRun.Deed.ATTACH: "Attachment undone",
    BulkRun.Deed.MUTE: "Mute undone",
    BulkRun.Deed.ASSIGN: "Assignment undone",
    BulkRun.Deed.STATUS: "Status change undone",
    BulkRun.Deed.SEVERITY: "Severity change undone",
}
MOST_SHOWN = 100


class Progress(NamedTuple):
    run: BulkRun
    waiting: int
    done: int
    skipped: int
    failed: int
    on_way: int = 0  # tickets that Jira does not have yet
    refused: int = 0  # tickets that Jira refused
    refusal: str = ""  # why, of the first
    tickets: int = 0  # that stand for the findings done, of a run that makes tickets

    @property
    def total(self) -> int:
        return self.waiting + self.done + self.skipped + self.failed

    @property
    def worked_on(self) -> int:
        return self.total - self.waiting

    @property
    def got(self) -> int:
        """Of the total, for a bar: what is done, and in Jira where it goes there."""
        return self.worked_on - self.on_way

    @property
    def is_running(self) -> bool:
        return self.run.state == BulkRun.State.RUNNING

    @property
    def is_over(self) -> bool:
        return not self.is_running and not self.on_way

    @property
    def is_grouped(self) -> bool:
        """Whether a ticket is for more than one finding."""
        return bool(self.run.said.get("per"))

    @property
    def made(self) -> int:
        """What is done, as it is counted: findings, or tickets for groups of them."""
        return self.tickets if self.is_grouped else self.done

    @property
    def succeeded(self) -> int:
        return self.made - self.on_way - self.refused

    @property
    def went_wrong(self) -> int:
        return self.failed + self.refused

    @property
    def tone(self) -> str:
        if not self.is_over:
            return "info"
        if self.went_wrong or self.run.state == BulkRun.State.STOPPED:
            return "bad"
        return "warn" if self.is_undo and self.skipped else "ok"

    @property
    def is_undo(self) -> bool:
        return self.run.deed == BulkRun.Deed.UNDO

    @property
    def title(self) -> str:
        if self.is_running:
            return f"{_DOING[BulkRun.Deed(self.run.deed)]}: {self.worked_on:,} of {self.total:,}"
        if self.on_way:
            return f"Creating tickets in Jira: {self.succeeded + self.refused:,} of {self.made:,}"
        if self.is_undo:
            is_all = self.done == self.total
            undone = _UNDONE[BulkRun.Deed(self.run.said["deed"])]
            return undone if is_all else f"{self.done:,} of {self.total:,} undone"
        if self.is_grouped:
            return f"{_tickets(self.succeeded)} created for {count_label(self.done)}"
        wanted = self.total - self.skipped
        number = f"{self.succeeded:,} of {wanted:,}" if self.succeeded < wanted else f"{wanted:,}"
        noun = "ticket" if self.run.deed == BulkRun.Deed.TICKETS else "finding"
        return f"{number} {noun}{'' if wanted == 1 else 's'} {_DONE[BulkRun.Deed(self.run.deed)]}"

    @property
    def text(self) -> str:
        """What the title does not say."""
        why = f"{self.went_wrong:,} failed: {self.refusal}" if self.went_wrong else ""
        return " ".join(filter(None, (self.run.reason, why, self._left)))

    @property
    def _left(self) -> str:
        if self.is_undo and not self.is_running and self.done == self.total:
            are = "is as it was" if self.done == 1 else "are as they were"
            return f"{count_label(self.done)} {are}."
        one, since = self.skipped == 1, ""
        if self.is_undo:
            since = " It was changed since." if one else " They were changed since."
        return f"{count_label(self.skipped)} left unchanged.{since}" if self.skipped else ""

    @property
    def can_go_on(self) -> bool:
        return not self.is_running and bool(self.failed or self.waiting or self.refused)


def progress_of(run: BulkRun) -> Progress:
    """Two statements; one more for a run of groups, and one for what went wrong."""
    rows = run.steps.order_by().values_list("outcome").annotate(Count("pk"))
    steps = Counter(dict(rows))
    issues = Counter(dict(_issues(run).order_by().values_list("state").annotate(Count("pk"))))
    progress = Progress(
        run,
        waiting=steps[BulkStep.Outcome.WAITING],
        done=steps[BulkStep.Outcome.DONE],
        skipped=steps[BulkStep.Outcome.SKIPPED],
        failed=steps[BulkStep.Outcome.FAILED],
        on_way=sum(issues[state] for state in WAITING),
        refused=issues[State.BLOCKED],
        tickets=tickets_of(run).count() if run.said.get("per") else 0,
    )
    return progress._replace(refusal=_first_refusal(run)) if progress.went_wrong else progress


def failures_of(run: BulkRun) -> Sequence[BulkStep]:
    """The first findings of which it failed, and why; one statement."""
    failed = run.steps.filter(outcome=BulkStep.Outcome.FAILED)
    return list(failed.select_related("finding")[:MOST_SHOWN])


def left_by(run: BulkRun) -> Sequence[BulkStep]:
    """The first findings that undoing has left as they are, and why; one statement, or none."""
    if run.deed != BulkRun.Deed.UNDO:
        return []
    left = run.steps.filter(outcome=BulkStep.Outcome.SKIPPED)
    return list(left.select_related("finding")[:MOST_SHOWN])


def tickets_of(run: BulkRun) -> QuerySet[Case]:
    """In the order in which they were made."""
    of_run = Case.objects.filter(pk__in=run.steps.exclude(case=None).values("case"))
    return of_run.order_by("created_at", "number")


def refused_issues(run: BulkRun) -> QuerySet[ExternalIssue]:
    return _issues(run).filter(state=State.BLOCKED)


def shown_to(person: User) -> BulkRun | None:
    """The run whose progress, or result, the person has not put away; the newest."""
    return BulkRun.objects.filter(actor=person, seen_at=None).order_by("-created_at").first()


def _issues(run: BulkRun) -> QuerySet[ExternalIssue]:
    """The issues that were promised for tickets of this run."""
    if run.deed != BulkRun.Deed.TICKETS:
        return ExternalIssue.objects.none()
    return live_issues().filter(case__in=run.steps.exclude(case=None).values("case"))


def _tickets(number: int) -> str:
    return f"{number:,} ticket{'' if number == 1 else 's'}"


def _first_refusal(run: BulkRun) -> str:
    step = run.steps.filter(outcome=BulkStep.Outcome.FAILED).first()
    issue = None if step else refused_issues(run).order_by("created_at").first()
    return step.reason if step else issue.reason if issue else ""
