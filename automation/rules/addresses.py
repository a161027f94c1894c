"""Where pages find a rule."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse


def address_in_list(rule_id: UUID | str) -> str:
    """The page of the list that shows the rule, at its row."""
    return f"{reverse('automation:rule-list')}?rule={rule_id}#rule-{rule_id}"
