"""Many cases asked for at once: all of them are opened, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import prefetch_related_objects

from config.accounts.access import Actor
from config.accounts.models import User
from ticketing.attachments import release
from ticketing.locking import lock
from ticketing.models import Case, Project
from ticketing.outbox import Promise
from ticketing.services import change_case, check_count, manual_case, open_cases

MAX_CASES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A case for these findings; an empty word is made from them."""

    project: Project
    finding_pks: Sequence[int]
    title: str = ""
    description: str = ""
    priority: str = ""
    assignee: User | None = None
    promise: Promise | None = None


@transaction.atomic
def open_one(asked: Asked, *, status: str | None = None, actor: Actor) -> Case:
    """Open this case, in another status than OPEN if one is said."""
    [case] = open_asked([asked], actor=actor)
    return change_case(case, status=status, actor=actor) if status else case


@transaction.atomic
def open_asked(
    asked: Sequence[Asked], *, actor: Actor, origin: Case.Origin = Case.Origin.API
) -> list[Case]:
    """Open these cases, in order; findings that have a case already move.

    The number of statements does not depend on how many cases and findings there are. A
    finding goes to one case: to ask for it twice is the caller's error.
    """
    for each in asked:
        check_count(each.finding_pks)
    pks = [pk for each in asked for pk in each.finding_pks]
    released = release(pks, lock(finding_pks=pks), actor=actor)
    prefetch_related_objects(released, "evaluation")
    rows = {row.pk: row for row in released}
    return open_cases(
        [
            manual_case(
                # One that was deleted a moment ago is left out.
                [rows[pk] for pk in each.finding_pks if pk in rows],
                project=each.project,
                actor=actor,
                assignee=each.assignee,
                origin=origin,
                title=each.title,
                description=each.description,
                priority=each.priority,
                promise=each.promise,
            )
            for each in asked
        ]
    )
