"""Acts that can be undone: kept with what they changed, offered for an hour, and forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Act, ActRow, User
from config.accounts.roles import Role
from config.accounts.undo.registry import Change, reverse_of
from config.lib.rows import store

OFFERED = timedelta(hours=1)
REMEMBERED = timedelta(days=1)
"""After it nobody is told any more that the hour has passed."""
_AT_ONCE = 500


class Recording:
    """The act that was recorded, once it has been; None if it changed nothing."""

    act: Act | None = None


def record_act(
    kind: str,
    changes: Iterable[Change] = (),
    *,
    actor: User,
    act_id: UUID | None = None,
) -> Act:
    """Keep what a person did, in the transaction in which it is done. Two statements."""
    now = timezone.now()
    act = Act(
        id=act_id or uuid4(), kind=kind, actor=actor, created_at=now, expires_at=now + OFFERED
    )
    act.save(force_insert=True)
    store(
        ActRow(act=act, object_id=each.object_id, before=each.before, after=each.after)
        for each in changes
    )
    return act


def undo_url(act: Act | None) -> str:
    """Where Undo is asked for; empty where there is nothing to undo."""
    return reverse("undo", args=[act.pk]) if act else ""


def is_theirs(act: Act, person: User) -> bool:
    """Whether the person may undo it, as far as it is about whose act it is."""
    return act.actor_id == person.pk or person.role == Role.ADMIN


def is_offered(act: Act | None, person: User) -> bool:
    """Whether a page shows Undo to them."""
    return (
        act is not None
        and act.undone_at is None
        and act.expires_at > timezone.now()
        and is_theirs(act, person)
        and person.may(reverse_of(act.kind).permission)
    )


def offered_rows(object_id: str, *, person: User) -> list[ActRow]:
    """What acts that the person may undo have changed of this; newest first. One statement."""
    rows = ActRow.objects.filter(
        object_id=object_id, act__undone_at=None, act__expires_at__gt=timezone.now()
    )
    found = rows.select_related("act__actor").order_by("-act__created_at")
    return [row for row in found if is_offered(row.act, person)]


def start_hour(act_id: UUID, *, ended_at: datetime) -> None:
    """What took its time has ended: the hour counts from now."""
    Act.objects.filter(pk=act_id).update(expires_at=ended_at + OFFERED)


def hand_over(act_id: UUID, *, to: User) -> None:
    """It is the act of somebody else from now on."""
    Act.objects.filter(pk=act_id).update(actor=to)


def forget_old(now: datetime, *, seconds: float = 10.0) -> None:
    """Rows whose hour is over, but for those that say what was left; acts after a day."""
    ends = monotonic() + seconds
    over = ActRow.objects.filter(act__expires_at__lt=now, reason="")
    while monotonic() < ends and (pks := list(over.values_list("pk", flat=True)[:_AT_ONCE])):
        ActRow.objects.filter(pk__in=pks).delete()
    old = Act.objects.filter(expires_at__lt=now - REMEMBERED)
    while monotonic() < ends and (ids := list(old.values_list("pk", flat=True)[:_AT_ONCE])):
        Act.objects.filter(pk__in=ids).delete()


def changes_between(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    """Of each thing that differs."""
    return [
        Change(key, was, after.get(key)) for key, was in before.items() if was != after.get(key)
    ]
