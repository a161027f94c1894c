"""Undoing a bulk run: another run, which the queue works on, of all that the first one changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Act, User
from config.accounts.roles import Permission
from config.accounts.undo.acts import is_offered
from config.accounts.undo.registry import CannotUndo, Change, Outcome, register
from ticketing import bulk
from ticketing.bulk_records import KINDS
from ticketing.models import BulkRun, BulkStep

Deed, State = BulkRun.Deed, BulkRun.State


def act_offered(run: BulkRun, person: User) -> Act | None:
    """The run as an act that the person may undo now. One statement, or none."""
    if run.deed not in KINDS or run.state == State.RUNNING:
        return None
    act = Act.objects.filter(pk=run.pk).first()
    return act if is_offered(act, person) else None


def undo_of(run: BulkRun) -> BulkRun | None:
    """The run that undid it, or is about to."""
    return BulkRun.objects.filter(pk=bulk.undo_id(run)).select_related("actor").first()


@dataclass(frozen=True, slots=True)
class _Reverse:
    permission: Permission

    def restore(self, act: Act, changes: Sequence[Change], *, actor: User) -> Outcome:
        """Have the queue do it. Under the act's lock there is one such run, and its own does not
        go on meanwhile."""
        run = BulkRun.objects.filter(pk=act.pk).first()
        if run is None:
            raise CannotUndo("The run was deleted.")
        if run.state == State.RUNNING:
            raise CannotUndo("The run has not ended. Stop it first.")
        pks = list(_recorded(run).values_list("finding_id", flat=True))
        if not pks:
            raise CannotUndo("The run changed no finding.")
        undoing = _start(run, pks, actor=actor)
        bulk.put_away(run)
        return Outcome(
            f"Undoing: 0 of {len(pks):,}",
            link=("Show the run", reverse("ticketing:bulk-show", args=[undoing.pk])),
            progress_url=reverse("ticketing:bulk-toast", args=[undoing.pk]),
            progress_max=len(pks),
        )

    def links_to(self, object_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        return {}  # what is left is listed by the run that undid it


def _recorded(run: BulkRun) -> QuerySet[BulkStep]:
    done = run.steps.filter(outcome=BulkStep.Outcome.DONE, before__isnull=False)
    return done.order_by("position")


def _start(run: BulkRun, pks: Sequence[int], *, actor: User) -> BulkRun:
    undoing = BulkRun(
        id=bulk.undo_id(run),
        deed=Deed.UNDO,
        said={"run": str(run.pk), "deed": run.deed},
        search=run.search,
        actor=actor,
        seen_at=timezone.now(),  # its toast tells of it
    )
    bulk.begin(undoing, pks)
    return undoing


register(bulk.act_kind(Deed.ATTACH), _Reverse(Permission.CASES_WRITE))
register(bulk.act_kind(Deed.MUTE), _Reverse(Permission.FINDINGS_WRITE))
