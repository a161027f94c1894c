"""Some of a case's findings get a ticket of their own; the others, and what comes, stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from findings.facts import Status, facts_to_json
from findings.models import Finding
from findings.selectors import facts_of
from ticketing.attaching import promise_by_hand
from ticketing.attachments import release
from ticketing.case_groups import group_of
from ticketing.group_text import Summary, number
from ticketing.groups import text_of_some
from ticketing.issues import destination_of_case, issue_of
from ticketing.locking import lock
from ticketing.models import Case, Destination, ExternalIssue
from ticketing.outbox import Promise
from ticketing.services import CaseDraft, check_count, manual_case, open_cases
from ticketing.timeline import Kind, tell


class CannotSplit(ValueError):
    """Nothing was done; `str(error)` is a sentence for the person who asked."""


@transaction.atomic
def split(case: Case, finding_pks: Sequence[int], *, actor: Actor) -> Case:
    """A case by hand, in the same project, for those of these findings that are on this one.

    It stands for no group: what its rule finds later goes to the case that it was split from.
    Raises CannotSplit, TooManyFindings and SpaceClosed.
    """
    check_count(finding_pks)
    locked = lock(finding_pks=finding_pks, case_pks=[case.pk])
    case = locked.cases[case.pk]
    here = set(case.attachments.values_list("finding_id", flat=True))
    chosen = [pk for pk in dict.fromkeys(finding_pks) if pk in here]
    require_some_left(case, chosen=len(chosen), total=len(here))
    draft_of = _Part(case, actor)
    rows = _worst_first(release(chosen, locked, actor=actor, is_told=False))
    [part] = open_cases([draft_of(rows)])
    now, words = timezone.now(), number(len(rows), "finding")
    tell([(case, Kind.DETACHED, words, part.key)], actor=actor, now=now)
    tell([(part, Kind.ATTACHED, case.key, words)], actor=actor, now=now)
    return part


def require_some_left(case: Case, *, chosen: int, total: int) -> None:
    """Raises CannotSplit."""
    if not chosen:
        raise CannotSplit(f"None of these findings is on {case.key} any more.")
    if chosen >= total:
        raise CannotSplit(f"Leave at least one finding in {case.key}.")


class _Part:
    """How a case's parts are made: what of it they take over, read before anything changes."""

    def __init__(self, case: Case, actor: Actor) -> None:
        self._case, self._actor = case, actor
        self._group = group_of(case)
        self._issue, self._place = issue_of(case), destination_of_case(case)

    def __call__(self, rows: Sequence[Finding]) -> CaseDraft:
        case, by = self._case, f" by {self._actor.name}" if self._actor else ""
        draft = manual_case(
            rows,
            project=case.project,
            actor=self._actor,
            assignee=case.assignee,
            origin=Case.Origin.MANUAL,
            promise=self._promise(rows),
        )
        if self._group is None:
            return draft
        made_by = f"Split from {case.key}{by}."
        return replace(draft, write=text_of_some(self._group, case, rows, made_by=made_by))

    def _promise(self, rows: Sequence[Finding]) -> Promise | None:
        """An issue as that of the case, if the case has one and its project is linked."""
        if self._issue is None or self._place is None:
            return None
        fields = self._issue.fields if _is_at(self._issue, self._place) else {}
        promise = promise_by_hand(self._place, assignee=self._case.assignee, fields=fields)
        return promise if self._issue.facts is None else promise._replace(facts=_facts(rows))


def _worst_first(rows: Sequence[Finding]) -> list[Finding]:
    return sorted(rows, key=lambda row: (Status(row.status).is_gone, -row.severity_rank))


def _is_at(issue: ExternalIssue, place: Destination) -> bool:
    there = (place.account_id, place.space_id, place.type_id)
    return (issue.account_id, issue.space_id, issue.type_id) == there


def _facts(rows: Sequence[Finding]) -> Mapping[str, Any]:
    """Those of the worst, and what placeholders say of all."""
    facts = facts_of(rows)
    return {**facts_to_json(facts[0]), "group": Summary.of(facts)._asdict()}
