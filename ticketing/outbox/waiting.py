"""What there is to do: asked every few seconds, and told by the one index on `act_at`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ticketing import accounts
from ticketing.models import ExternalIssue, JiraAccount
from ticketing.outbox import lost
from ticketing.states import State

SLOTS = {JiraAccount.Deployment.CLOUD: 8, JiraAccount.Deployment.DATA_CENTER: 2}
"""Creates in flight in one space: more make the window larger in which one is looked for."""
MAX_AT_ONCE = 50
"""Unsure issues of one space that are looked for together."""


def due_accounts(now: datetime) -> list[UUID]:
    """Accounts that may be called now and have something to create or to look up."""
    return list(_due_accounts(now).values_list("pk", flat=True))


def is_anything_due(now: datetime) -> bool:
    """Cheap enough to be asked every few seconds."""
    return _due_accounts(now).exists() or lost.is_any_lost()


def due_count(account_id: UUID, *, limit: int) -> int:
    """How many issues of the account have something to be done now, up to `limit`."""
    return _due(account_id, timezone.now())[:limit].count()


def is_workable(account_id: UUID) -> bool:
    """Whether a claim of the account would find something now."""
    now = timezone.now()
    account = JiraAccount.objects.filter(accounts.is_callable_at(now), pk=account_id).first()
    if account is None:
        return False
    if _due(account_id, now).exclude(state__in=[State.PENDING, State.SENDING]).exists():
        return True
    return may_create(account, now) and pending(account, now).exists()


def unsure(account_id: UUID, now: datetime) -> QuerySet[ExternalIssue]:
    return _due(account_id, now).filter(state=State.UNSURE).order_by("act_at")


def late(account_id: UUID, now: datetime) -> QuerySet[ExternalIssue]:
    """Those that were unsure once, and may turn out to have a second issue."""
    settled = [State.CREATED, State.BLOCKED, State.CANCELLED]
    return _due(account_id, now).filter(state__in=settled).order_by("act_at")


def pending(account: JiraAccount, now: datetime) -> QuerySet[ExternalIssue]:
    """Those that may be claimed: in spaces that have a slot left."""
    full = [
        space_id
        for space_id, slots in slots_in_use(account).items()
        if len(slots) >= slots_of(account)
    ]
    waiting = _due(account.pk, now).filter(state=State.PENDING)
    if full:
        waiting = waiting.exclude(space_id__in=full)
    return waiting.order_by("act_at", "created_at", "pk")


def may_create(account: JiraAccount, now: datetime) -> bool:
    """Whether creates may leave: they stop when several in a row have become unsure."""
    return account.creates_paused_until is None or account.creates_paused_until <= now


def slots_of(account: JiraAccount) -> int:
    return SLOTS[JiraAccount.Deployment(account.deployment)]


def slots_in_use(account: JiraAccount) -> dict[str, set[int]]:
    """Space → the slots of its creates in flight."""
    used: dict[str, set[int]] = defaultdict(set)
    held = ExternalIssue.objects.filter(
        account=account, state=State.SENDING, act_at__isnull=False
    ).order_by()
    for space_id, slot in held.values_list("space_id", "slot"):
        used[space_id].add(slot)
    return used


def _due_accounts(now: datetime) -> QuerySet[JiraAccount]:
    due = ExternalIssue.objects.filter(account=OuterRef("pk"), act_at__lte=now)
    return JiraAccount.objects.filter(accounts.is_callable_at(now), Exists(due)).order_by()


def _due(account_id: UUID, now: datetime) -> QuerySet[ExternalIssue]:
    return ExternalIssue.objects.filter(account=account_id, act_at__lte=now).order_by()
