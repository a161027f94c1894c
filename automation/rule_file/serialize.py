"""The rules there are, as a file that says the same again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rule_file.formats import DEFAULTS, FORMATS, LISTS, members_of
from automation.rules.data import RuleData, data_of
from automation.rules.default_rows import default_specs

_HEAD = "# Rules in the order in which they are tried; the first of a list that matches wins.\n"


def write_rules(rules: Sequence[Rule], *, with_ids: bool = False) -> str:
    """YAML. Names tell rules apart; `with_ids` their ids are written, too."""
    lists: dict[str, list[Any]] = {}
    for kind, name in LISTS.items():
        of_kind = [rule for rule in rules if rule.kind == kind]
        lists[name] = [*_documents(of_kind, with_ids=with_ids)]
        if kind in DEFAULTS:
            specs = default_specs(KINDS[kind])
            lists[DEFAULTS[kind]] = [spec.id for spec in specs if spec.enabled]
    return _HEAD + yaml.dump(lists, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def members_of_rules(rules: Sequence[RuleData]) -> Iterator[dict[str, Any]]:
    """What the file says of rules of one kind, without what goes without saying."""
    if not rules:
        return
    kind = rules[0].kind
    write = FORMATS[kind].writer([data.action for data in rules])
    names = members_of(kind)
    for data in rules:
        values: Mapping[str, Any] = {
            "name": data.name,
            "enabled": None if data.enabled else False,
            "finding_types": [*data.finding_types],
            "query": data.query or None,
            **write(data.action),
        }
        yield {name: value for name in names if (value := values.get(name)) is not None}


def _documents(rules: Sequence[Rule], *, with_ids: bool) -> Iterator[dict[str, Any]]:
    for rule, members in zip(rules, members_of_rules([*map(data_of, rules)]), strict=True):
        yield ({"id": str(rule.pk)} if with_ids else {}) | members


class _Dumper(yaml.SafeDumper):
    """Text that holds a line break of Unicode's own is quoted, which PyYAML forgets."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(each in text for each in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
