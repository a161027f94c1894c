"""What the pages show of accounts and of deliveries. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from config.lib.elapsed import when_text
from config.lib.keyset import Identifier
from config.lib.log_pages import NewestFirst
from config.lib.utc import day_text, moment_text
from ticketing.models import Attempt, ExternalIssue, JiraAccount, JiraSpace, Orphan, RequestHour
from ticketing.states import WAITING, State

HOURS = 24
ROWS = 50
QUIET_AFTER = timedelta(days=3)
EXPIRES_SOON = timedelta(days=14)
LASTING = 3
"""Failures in a row of an account's sync: fewer are told to nobody."""
BRIEF = timedelta(seconds=30)
"""A second look is made within seconds: what is over before that worries nobody."""


class Mark(NamedTuple):
    """A colour, and the words that say the same."""

    tone: str  # ok, warn, bad or nothing
    text: str


@dataclass(frozen=True, slots=True)
class AccountCard:
    account: JiraAccount
    spaces: Sequence[JiraSpace]
    hours: Sequence[RequestHour]  # of the last 24, oldest first, none left out
    waiting: int  # tickets

    @property
    def badge(self) -> Mark:
        if self.account.connected_at is None:
            return Mark("", "Not finished")
        if self.account.state != JiraAccount.State.CONNECTED:
            tone = "bad" if self.account.is_suspended else "warn"
            return Mark(tone, self.account.get_state_display())
        if self.account.sync_failures >= LASTING:
            return Mark("warn", "Sync waits")
        if self.webhook.tone != "ok":
            return Mark("warn", "Webhook missing")
        return Mark("ok", "Connected")

    @property
    def webhook(self) -> Mark:
        last = self.account.webhook_event_at
        if last is None:
            return Mark("warn", "No event received yet")
        if last < timezone.now() - QUIET_AFTER:
            return Mark("warn", "No event received since")
        return Mark("ok", "Healthy · last event")

    @property
    def sync_problem(self) -> str:
        """Why changes there are not heard of, once that lasts."""
        return self.account.sync_problem if self.account.sync_failures >= LASTING else ""

    @property
    def shown_spaces(self) -> list[JiraSpace]:
        """Those that rules may use, and those with a problem."""
        return [space for space in self.spaces if space.is_allowed or space.problem]

    @property
    def problems(self) -> list[JiraSpace]:
        return [space for space in self.spaces if space.problem]

    @property
    def expiry(self) -> Mark | None:
        return expiry_of(self.account)


def expiry_of(account: JiraAccount) -> Mark | None:
    """What to say of the token's last day: nothing until two weeks before it."""
    last = account.token_expires_on
    if last is None:
        return None
    days = (last - timezone.now().date()).days
    on = day_text(last)
    if days < 0:
        return Mark("bad", f"The token of {account.name} expired on {on}.")
    if days > EXPIRES_SOON.days:
        return None
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return Mark("warn", f"The token of {account.name} expires {when}, on {on}.")


def account_cards() -> list[AccountCard]:
    """Every account, drafts last. The number of statements does not depend on how many."""
    accounts = JiraAccount.objects.filter(deleted_at=None).prefetch_related("spaces")
    waiting, hours, refusals = _waiting(), _hours(), _refusals()
    return [
        AccountCard(
            account=account,
            spaces=_with_refusals(account.spaces.all(), refusals),
            hours=hours[account.pk],
            waiting=waiting.get(account.pk, 0),
        )
        for account in sorted(accounts, key=lambda each: (each.connected_at is None, each.name))
    ]


def account_count() -> int:
    return JiraAccount.objects.filter(deleted_at=None).count()


def warnings(*, is_admin: bool) -> list[Mark]:
    """What everybody should know on every page, and what an admin should; one statement."""
    now = timezone.now()
    stopped = ~Q(state=JiraAccount.State.CONNECTED)
    expires = Q(token_expires_on__lte=now.date() + EXPIRES_SOON)
    worrying = JiraAccount.objects.filter(
        stopped | expires if is_admin else stopped, deleted_at=None, connected_at__isnull=False
    )
    marks = []
    for account in worrying:
        if account.state == JiraAccount.State.CONNECTED:
            marks.append(expiry_of(account))
        elif account.problem_at and account.problem_at <= now - BRIEF:
            marks.append(Mark("bad", _stopped_sentence(account, is_admin=is_admin)))
    return [mark for mark in marks if mark]


def _stopped_sentence(account: JiraAccount, *, is_admin: bool) -> str:
    """The reason is for those who can do something about it."""
    since = moment_text(account.problem_at) if account.problem_at else "now"
    said = f"{account.name} has been suspended since {since}: its tickets wait."
    if not is_admin:
        return said
    again = f" Next check {when_text(account.probe_at)}." if account.probe_at else ""
    return f"{said} {account.problem}{again}"


def suspended(now: datetime) -> list[timedelta]:
    """For how long each account that does not work has been stopped; in no order."""
    stopped = JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False)
    stopped = stopped.exclude(state=JiraAccount.State.CONNECTED).order_by()
    ages = [now - (at or now) for at in stopped.values_list("problem_at", flat=True)]
    return [age for age in ages if age >= BRIEF]


def _waiting() -> dict[UUID, int]:
    waiting = ExternalIssue.objects.filter(state__in=WAITING).order_by()
    return dict(waiting.values_list("account_id").annotate(Count("pk")))


def _refusals() -> dict[tuple[UUID, str], str]:
    """Why tickets wait for their space, of each space for which any do."""
    blocked = ExternalIssue.objects.filter(state=State.BLOCKED, field="project").order_by()
    rows = blocked.values_list("account_id", "space_id").annotate(Max("reason"))
    return {(account, space): reason for account, space, reason in rows}


def _with_refusals(
    spaces: Iterable[JiraSpace], refusals: Mapping[tuple[UUID, str], str]
) -> list[JiraSpace]:
    """Jira refuses a space long before the next test of the connection misses it."""
    shown = list(spaces)
    for space in shown:
        space.problem = refusals.get((space.account_id, space.space_id)) or space.problem
    return shown


def _hours() -> Mapping[UUID, list[RequestHour]]:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    last = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    known: dict[UUID, dict[datetime, RequestHour]] = defaultdict(dict)
    for row in RequestHour.objects.filter(hour__gte=last[0]):
        known[row.account_id][row.hour] = row
    return defaultdict(
        lambda: [RequestHour(hour=hour) for hour in last],
        {
            account: [rows.get(hour) or RequestHour(hour=hour) for hour in last]
            for account, rows in known.items()
        },
    )


# --- The delivery log -----------------------------------------------------------------

OUTCOMES: Mapping[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "delivered": ("Delivered", Q(outcome__in=["created", "found"])),
    "retried": ("Tried again later", Q(outcome__in=["transient", "auth", "absent", "lost"])),
    "unsure": ("Unsure", Q(outcome__in=["unsure", "failed"])),
    "refused": ("Refused", Q(outcome__in=["config", "rejected"])),
}


@dataclass(frozen=True, slots=True)
class LogPage:
    rows: Sequence[Attempt]
    older: str  # the place to go on from, or nothing


_NEWEST_FIRST = NewestFirst("started_at", Identifier())


def delivery_log(outcome: str = "", *, before: str = "") -> LogPage:
    """One page of tries, newest first. Raises BadKeyset."""
    tries = Attempt.objects.filter(OUTCOMES[outcome][1]).select_related("issue__case")
    return LogPage(*_NEWEST_FIRST.page(tries, before=before, size=ROWS))


def stuck_issues() -> QuerySet[ExternalIssue]:
    """Tickets that need a person, oldest first."""
    blocked = ExternalIssue.objects.filter(state=State.BLOCKED, detached_at=None)
    return blocked.select_related("case", "account").order_by("created_at", "pk")


def orphans() -> QuerySet[Orphan]:
    return Orphan.objects.select_related("issue__case", "issue__account")
