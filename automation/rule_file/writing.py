"""The rules there are, as a file that says the same again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from automation.models import Rule
from automation.rule_file.reading import MEMBERS
from config.accounts.models import User
from ticketing.models import Project

_HEAD = "# Rules in the order in which they are tried; the first that matches wins.\n"


def write_rules(rules: Sequence[Rule], *, with_ids: bool = False) -> str:
    """YAML. Ids are written where names do not tell rules apart, or for all."""
    projects = Project.objects.in_bulk({rule.project_id for rule in rules})
    people = User.objects.in_bulk({rule.assignee_id for rule in rules if rule.assignee_id})
    names = Counter(rule.name for rule in rules)
    said = [
        _said(
            rule,
            id=str(rule.pk) if with_ids or names[rule.name] > 1 else None,
            project=project.key
            if (project := projects.get(rule.project_id))
            else str(rule.project_id),
            assignee=_assignee(rule, people.get(rule.assignee_id)),
        )
        for rule in rules
    ]
    return _HEAD + yaml.dump(
        {"rules": said}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


class _Dumper(yaml.SafeDumper):
    """Text that holds a line break of Unicode's own is quoted, which PyYAML forgets."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(each in text for each in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _assignee(rule: Rule, person: User | None) -> str | None:
    if person is not None:
        return person.email
    return str(rule.assignee_id) if rule.assignee_id else None


def _said(rule: Rule, **named: Any) -> dict[str, Any]:
    values = {
        "name": rule.name,
        "enabled": None if rule.enabled else False,
        "finding_types": rule.finding_types,
        "query": rule.query or None,
        "target": str(rule.target),
        "max_tickets_per_day": rule.max_tickets_per_day,
        "fields": rule.fields,
        **named,
    }
    return {name: values[name] for name in MEMBERS if values[name] is not None}
