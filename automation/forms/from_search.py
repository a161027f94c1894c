"""A search of the explorer → what the editor of a new rule begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from automation.engine.from_group import GroupCriteria, criteria_of_groups
from automation.engine.from_query import QueryCriteria, criteria_of, joined
from automation.forms.grouping import initial_grouping
from automation.kinds.base import EffectKind, RuleKind
from automation.rules.names import free_name
from findings.explorer.search import TAG_FACETS
from findings.facts import TYPE_CHOICES, Severity
from findings.forms import CLOCKS, ExplorerQuery
from findings.query.ast import Exact, Exists, Field, Node, Not, Or, QueryError, Root, Term
from findings.query.canonical import write
from findings.query.terms import split_terms

MAX_SUGGESTED = 100
MAX_NAMED = 2
_CRITERIA = {"type": "types", "severity": "severities"}
_SAID = ("severity", "type", *TAG_FACETS)
_LABELS = {
    "ticket": "ticket",
    "due": "due date",
    "status": "status",
    "inbox": "Security Inbox",
    "case_status": "ticket status",
    "rule": "rule",
    "mute_rule": "mute rule",
}


@dataclass(frozen=True, slots=True)
class SearchedCriteria:
    """What the form shows, and what of the search a rule cannot say."""

    values: dict[str, Any] = field(default_factory=dict)
    terms: Sequence[str] = ()  # left out, as in the query
    words: Sequence[str] = ()  # left out besides
    search: str = ""  # as the explorer's address has it

    @property
    def left_out(self) -> Sequence[str]:
        return [*self.terms, *self.words]


def criteria_of_search(search: str, *, kind: RuleKind, name: str = "") -> SearchedCriteria:
    """`search` is the query of an explorer page's address; `name` what it is called there."""
    params = ExplorerQuery(QueryDict(search))
    if params.search(timezone.now()) is None:
        return SearchedCriteria(words=["the query, which can’t be read"], search=params.state)
    chosen = params.chosen
    facets = [write(node) for node in _tag_facets(params)]
    already = [name for facet, name in _CRITERIA.items() if facet in chosen]
    found = criteria_of(params.text, refused=kind.not_in_query, already=already)
    groups = _groups(params)
    types = chosen.get("type", found.types)
    severities = chosen.get("severity", found.severities)
    values = {
        "types": _known(types, [choice.value for choice in TYPE_CHOICES]),
        "severities": _known(severities or (), [*Severity]),
        "query": joined([*found.kept, *facets, *groups.kept]),
        **_grouping(params, kind),
    }
    values["name"] = free_name(kind.name, (name or _suggested(values))[:MAX_SUGGESTED])
    words = [*_left_out(params, kind, found, groups)]
    return SearchedCriteria(values, found.left_out, words, params.state)


def _known(chosen: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """In the order of the form; all of them where the search names none."""
    return [str(value) for value in known if chosen is None or value in chosen]


def _tag_facets(params: ExplorerQuery) -> Iterator[Node]:
    for key in TAG_FACETS:
        if key in params.chosen:
            nodes = tuple(_tagged(key, value) for value in params.chosen[key])
            yield nodes[0] if len(nodes) == 1 else Or(nodes)


def _tagged(key: str, value: str) -> Node:
    tag = Field(Root.TAG, key)
    return Term(tag, Exact(value)) if value else Not(Term(tag, Exists()))


def _groups(params: ExplorerQuery) -> GroupCriteria:
    within = params.grouping.within
    if within is None:
        return GroupCriteria((), ())
    names = params.grouping.names
    return criteria_of_groups(names, within.groups, lone=within.lone, every=within.every)


def _grouping(params: ExplorerQuery, kind: RuleKind) -> dict[str, Any]:
    names = params.grouping.names
    if isinstance(kind, EffectKind) or not names:
        return {}
    return initial_grouping(names, reopens=False)


def _left_out(
    params: ExplorerQuery, kind: RuleKind, found: QueryCriteria, groups: GroupCriteria
) -> Iterator[str]:
    yield from (_LABELS.get(name, name) for name in params.chosen if name not in _SAID)
    if params.range != "all" or params.is_custom:
        yield f"time range ({dict(CLOCKS)[params.clock].lower()})"
    yield from groups.left_out
    if params.grouping.names and isinstance(kind, EffectKind):
        yield "grouping"
    has_severities = "severity" in params.chosen or found.severities is not None
    if has_severities and kind.severity_path != "severity":
        yield "severities set by people and rules"


def _suggested(values: dict[str, Any]) -> str:
    """A name that tells what the rule is about: "Critical Secret, team:payments"."""
    labels = {choice.value: choice.label for choice in TYPE_CHOICES}
    types = [labels[value] for value in values["types"]]
    severities = [value.capitalize() for value in values["severities"]]
    words = [" and ".join(severities)] if len(severities) <= MAX_NAMED else []
    words += types if len(types) == 1 else ["findings"]
    about = " ".join(filter(None, words))
    return ", ".join([about[:1].upper() + about[1:], *_terms(values["query"])[:MAX_NAMED]])


def _terms(query: str) -> Sequence[str]:
    try:
        terms = split_terms(query)
    except QueryError:  # written out it costs too much: whoever saves it will be told
        terms = None
    return terms if terms is not None else [query]
