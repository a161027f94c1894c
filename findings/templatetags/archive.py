"""What is not in lists and counts, because it is archived."""

from __future__ import annotations

from uuid import UUID

from django import template

from findings import selectors

register = template.Library()


@register.simple_tag
def archived_count() -> int:
    return selectors.archived_count()


@register.simple_tag
def archived_of_case(case_id: UUID) -> int:
    return selectors.archived_of_case(case_id)
