"""Undoing an act, once: its row is the lock under which it is decided who does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from config.accounts.models import Act, ActRow, User
from config.accounts.roles import lowest_role_with
from config.accounts.undo.acts import is_theirs
from config.accounts.undo.registry import CannotUndo, Change, Later, Outcome, reverse_of
from config.lib.rows import rewrite


class AlreadyUndone(Exception):
    """By whom and when, `act` says."""

    def __init__(self, act: Act) -> None:
        super().__init__(str(act))
        self.act = act


class HourPassed(Exception):
    """It is not offered any more."""


@transaction.atomic
def undo(act_id: UUID, *, actor: User) -> Outcome:
    """Put back what the act changed, as far as nobody has changed it since.

    Where that is nothing at all, the act stays as it is: it may be asked again. Raises
    Act.DoesNotExist, PermissionDenied, AlreadyUndone, HourPassed and CannotUndo.
    """
    acts = Act.objects.select_for_update(of=("self",)).select_related("actor", "undone_by")
    act = acts.get(pk=act_id)
    reverse = reverse_of(act.kind)
    _require_may(act, actor)
    if act.undone_at is not None:
        raise AlreadyUndone(act)
    now = timezone.now()
    if act.expires_at <= now:
        raise HourPassed
    rows = list(act.rows.all())
    changes = [Change(row.object_id, row.before, row.after) for row in rows]
    outcome = replace(reverse.restore(act, changes, actor=actor), total=len(rows))
    if rows and len(outcome.left) == len(rows):
        return outcome
    act.undone_at, act.undone_by = now, actor
    act.save(update_fields=("undone_at", "undone_by"))
    _keep_reasons([row for row in rows if row.object_id in outcome.left], outcome.left)
    return outcome


def _require_may(act: Act, actor: User) -> None:
    if not is_theirs(act, actor):
        raise CannotUndo(f"Only {act.actor.name} or an admin can undo this.")
    needed = reverse_of(act.kind).permission
    if not actor.may(needed):
        raise PermissionDenied(f"You need the {lowest_role_with(needed).label} role to do this.")


def _keep_reasons(rows: list[ActRow], left: Mapping[str, Later]) -> None:
    for row in rows:
        row.reason = left[row.object_id].sentence(is_kept=True)[:300]
    if rows:
        rewrite(rows, "reason")
