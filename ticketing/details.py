"""What is kept with a case besides its words: a due date, attributes, why it was resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from ticketing.case_changes import set_due_dates
from ticketing.close_reasons import reason_of_words
from ticketing.following import STATUS_COLUMNS, close_by_hand
from ticketing.locking import lock
from ticketing.models import Case
from ticketing.timeline import Kind, tell

MAX_ATTRIBUTES, MAX_VALUES = 50, 50
MAX_NAME, MAX_VALUE, MAX_REASON = 200, 1_000, 255
Attributes = Mapping[str, Sequence[str]]


@transaction.atomic
def set_due_date(
    case: Case, due_date: date | None, *, actor: Actor, seen: datetime | None = None
) -> Case:
    """A person's own, which findings do not change. None: it is due when its findings are.

    With `seen`, raises CaseChanged if it was changed after that time.
    """
    case = lock(case_pks=[case.pk]).cases[case.pk]
    set_due_dates([case], due_date, actor=actor, seen=seen)
    return case


def set_resolved_reason(case: Case, reason: str, *, actor: Actor) -> Case:
    """Raises ValidationError for a reason that is empty or longer than MAX_REASON."""
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        raise ValidationError(f"A reason has 1 to {MAX_REASON} characters.")
    return _keep(case, "resolved_reason", reason, kind=Kind.RESOLVED, actor=actor)


def set_attributes(case: Case, attributes: Attributes, *, actor: Actor) -> Case:
    """Put these in the place of all there were. Raises ValidationError for too many or too long."""
    _check(attributes)
    kept = {name: list(values) for name, values in attributes.items()}
    return _keep(case, "attributes", kept, kind=Kind.ATTRIBUTES, actor=actor)


@transaction.atomic
def _keep(case: Case, column: str, value: Any, *, kind: Kind, actor: Actor) -> Case:
    case = lock(case_pks=[case.pk]).cases[case.pk]
    before = getattr(case, column)
    if before != value:
        setattr(case, column, value)
        if kind is Kind.RESOLVED and case.status == Case.Status.CLOSED:
            close_by_hand([case], reason_of_words(value))
        now = case.modified_at = timezone.now()
        case.save(update_fields={column, *STATUS_COLUMNS})
        tell([(case, kind, _said(before), _said(value))], actor=actor, now=now)
    return case


def _said(value: Any) -> str:
    """As the timeline keeps it; attributes one a line."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {', '.join(values)}" for name, values in sorted(value.items()))
    return "" if value is None else str(value)


def _check(attributes: Attributes) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise ValidationError(f"A case has at most {MAX_ATTRIBUTES} attributes.")
    for name, values in attributes.items():
        if not 1 <= len(name) <= MAX_NAME:
            raise ValidationError(f"The name of an attribute has 1 to {MAX_NAME} characters.")
        if len(values) > MAX_VALUES:
            raise ValidationError(f"“{name}” has more than {MAX_VALUES} values.")
        if any(len(value) > MAX_VALUE for value in values):
            raise ValidationError(f"A value of “{name}” has more than {MAX_VALUE} characters.")
