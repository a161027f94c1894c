"""One change of the rules of a kind: under the lock of its set, and written down as a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from automation.kinds.base import RuleKind
from automation.kinds.registry import KINDS
from automation.models import Rule, RuleSet
from automation.rules.data import InvalidRule, rule_to_json, spec_to_json
from automation.rules.default_rows import default_specs
from automation.rules.names import refused_name
from automation.rules.versions import latest_version, write_version
from config.accounts.models import User
from config.lib.tasks import enqueue
from findings.query.ast import QueryError
from findings.query.cost import cost_of_words
from findings.query.parse import parse_rule_query

MAX_WORDS_COST = 5_000  # of all enabled rules: 1,000 words, or 500 with wildcards
TOO_COSTLY_TOGETHER = (
    "The enabled rules together look for too many words: evaluating a finding would take too "
    "long. Use fewer words and wildcards, or `key:value` terms instead."
)


@dataclass(slots=True)
class Change:
    """What a change has left to say when it is done."""

    kind: RuleKind
    rule_set: RuleSet
    actor: User | None
    now: datetime = field(default_factory=timezone.now)


def lock(kind: str) -> RuleSet:
    RuleSet.objects.get_or_create(kind=kind)
    return RuleSet.objects.select_for_update().get(kind=kind)


@contextmanager
def changing(kind: str, actor: User | None) -> Iterator[Change]:
    """One change of the rules of a kind: locked, and written down as a version if anything
    differs. Raises InvalidRule for what the database does not take."""
    try:
        with transaction.atomic():
            yield from _changing(kind, actor)
    except IntegrityError as error:
        if refusal := refused_name(error):
            raise refusal from error
        raise


def _changing(kind: str, actor: User | None) -> Iterator[Change]:
    change = Change(KINDS[kind], lock(kind), actor)
    yield change
    rules = [
        *map(rule_to_json, Rule.objects.filter(kind=kind)),
        *map(spec_to_json, default_specs(change.kind)),
    ]
    latest = latest_version(kind)
    before = latest.rules if latest else [*map(spec_to_json, change.kind.defaults)]
    if rules == before:
        return
    _check_cost(rules, before)
    change.rule_set.version += 1
    change.rule_set.save(update_fields=("version",))
    write_version(change.rule_set, rules, latest=latest, actor=actor, at=change.now)
    if change.kind.acts_on_existing:
        enqueue("automation.tasks.recheck")


def _check_cost(rules: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rules that together look for more words than evaluation bears.

    Where those from before this bound exceed it, a change may still make it less.
    """
    cost = _cost_of_words(rules)
    if cost > MAX_WORDS_COST and cost > _cost_of_words(before):
        raise InvalidRule({"query": TOO_COSTLY_TOGETHER}, position=0)


def _cost_of_words(rules: Sequence[Mapping[str, Any]]) -> int:
    return sum(_cost(rule["query"] or "") for rule in rules if rule["enabled"])


@lru_cache(maxsize=2048)
def _cost(query: str) -> int:
    try:
        return cost_of_words(parse_rule_query(query).root)
    except QueryError:  # it never matches, and costs nothing
        return 0
