"""Which rules nobody wants advice about, for some time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from automation.models import DismissedAdvice, Rule

KEPT_AWAY = timedelta(days=30)


@transaction.atomic
def dismiss_advice(rule_id: UUID) -> Rule | None:
    """For everybody; asked again, for as long from now on. None if there is no such rule."""
    rule = Rule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is not None:
        until = timezone.now() + KEPT_AWAY
        DismissedAdvice.objects.update_or_create(rule=rule, defaults={"until": until})
    return rule


def rules_without_advice() -> set[UUID]:
    """One statement."""
    dismissed = DismissedAdvice.objects.filter(until__gt=timezone.now())
    return set(dismissed.values_list("rule_id", flat=True))
