"""What the pages of Jira accounts show of rules: how many use one, which it broke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from automation.models import Rule
from automation.rules.data import known_action
from automation.rules.selectors import jira_rules
from ticketing.models import Destination, JiraSpace

register = template.Library()


class Use(NamedTuple):
    rule: Rule
    space_id: str


@register.simple_tag
def rules_by_account() -> Mapping[UUID, list[Use]]:
    """The rules that create tickets with each account, in order. Two statements."""
    places = {
        project: (account, space)
        for project, account, space in Destination.objects.values_list(
            "project_id", "account_id", "space_id"
        )
    }
    uses: dict[UUID, list[Use]] = defaultdict(list)
    for rule in jira_rules():
        action = known_action(rule)
        if action and (place := places.get(action.project_id)):
            account, space = place
            uses[account].append(Use(rule, space))
    return uses


@register.simple_tag
def used_by(uses: Mapping[UUID, list[Use]], account_id: UUID) -> str:
    number = len(uses.get(account_id, ()))
    return f"used by {number or 'no'} rule{'' if number == 1 else 's'}"


@register.simple_tag
def disabled_by_space(uses: Mapping[UUID, list[Use]], space: JiraSpace) -> SafeString:
    """ "It disabled Host patching backlog.", with links; nothing if it disabled none."""
    broken = [
        (reverse("automation:rule-edit", args=[use.rule.pk]), use.rule.name)
        for use in uses.get(space.account_id, ())
        if use.space_id == space.space_id and use.rule.is_broken
    ]
    if not broken:
        return SafeString("")
    links = format_html_join(", ", '<a class="link" href="{}">{}</a>', broken)
    return format_html("It disabled {}.", links)
