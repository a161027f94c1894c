"""The findings that a preview looks at: the newest ones, to which rule each would come, and how
they group. From the columns in memory where those tell, else from their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from operator import itemgetter
from time import monotonic
from typing import Any

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.simulation import STILL_THERE
from config.lib.statement_timeout import SECONDS
from config.lib.utc import microseconds
from findings.explorer.newest import Criteria, Groups, NewestFindings
from findings.facts import Facts, Status, lookup
from findings.grouping import columns_of_group, values_of
from findings.models import Finding
from findings.query.ast import QueryError
from findings.query.parse import parse_rule_query
from findings.query.predicate import columns_read
from findings.query.sql import condition

MAX_FINDINGS = 100_000  # beyond it a preview looks at the newest ones only
Grouping = tuple[str, ...]
Rules = Sequence[RuleSpec]
GroupingsOf = Callable[[RuleSpec], Sequence[Grouping]]
"""By what the findings that come to a rule are to be grouped."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Findings in the order in which they opened: columns of equal length."""

    pks: Sequence[int]
    opened: Sequence[int]  # microseconds since 1970
    gone: Sequence[int]  # or STILL_THERE
    winners: Sequence[Sequence[int]]
    """Of each list of rules: the place in it of the rule that the finding comes to; -1: of none."""
    groups: Mapping[Grouping, Groups]
    is_cut: bool  # there was more to look at

    def of_rule(self, place: int) -> Looked:
        """Those that come to that rule of the first list."""
        kept = [nth for nth, winner in enumerate(self.winners[0]) if winner == place]

        def of(column: Sequence[Any]) -> Sequence[Any]:
            return [column[nth] for nth in kept]

        return Looked(
            of(self.pks),
            of(self.opened),
            of(self.gone),
            [of(winners) for winners in self.winners],
            {names: Groups(of(each.numbers), each.values) for names, each in self.groups.items()},
            self.is_cut,
        )


def look(
    lists: Sequence[Rules],
    groupings_of: GroupingsOf,
    *,
    since: datetime,
    of: RuleSpec | None = None,
) -> Looked:
    """At the newest findings that opened since then: all, or those that meet a rule's criteria.

    Raises QueryError for a query of `of` that is none, QueryTimeout if the database takes too
    long. Rows are read for SECONDS at most.
    """
    own = Criteria(of.finding_types, parse_rule_query(of.query).root) if of else None
    in_memory = _in_memory(lists, groupings_of, since=since, own=own)
    return in_memory or _in_rows(lists, groupings_of, since=since, own=own)


def _groupings(lists: Sequence[Rules], groupings_of: GroupingsOf) -> list[Grouping]:
    found = chain.from_iterable(map(groupings_of, chain.from_iterable(lists)))
    return [names for names in dict.fromkeys(found) if names]


# --- From memory ----------------------------------------------------------------------------


def _in_memory(
    lists: Sequence[Rules], groupings_of: GroupingsOf, *, since: datetime, own: Criteria | None
) -> Looked | None:
    newest = NewestFindings.since(since, most=MAX_FINDINGS, of=own)
    if newest is None:
        return None
    winners = [newest.first_matches([_criteria(rule) for rule in rules]) for rules in lists]
    groups = {names: newest.groups(names) for names in _groupings(lists, groupings_of)}
    told = [each.tolist() for each in winners if each is not None]
    grouped = {names: each for names, each in groups.items() if each is not None}
    if len(told) < len(winners) or len(grouped) < len(groups):
        return None
    return Looked(
        newest.pks.tolist(),
        newest.opened.tolist(),
        newest.gone(still_there=STILL_THERE).tolist(),
        told,
        grouped,
        is_cut=newest.size == MAX_FINDINGS,
    )


def _criteria(rule: RuleSpec) -> Criteria | None:
    """As `compile_rules` has it: a rule that is disabled or cannot be read matches nothing."""
    if not rule.enabled:
        return None
    with suppress(QueryError):
        return Criteria(rule.finding_types, parse_rule_query(rule.query).root)
    return None


# --- From rows ------------------------------------------------------------------------------


def _numbered(values: Sequence[tuple[str, ...] | None]) -> Groups:
    known: dict[tuple[str, ...], int] = {}
    numbers = [None if each is None else known.setdefault(each, len(known)) for each in values]
    return Groups(numbers, list(known).__getitem__)


def _in_rows(
    lists: Sequence[Rules], groupings_of: GroupingsOf, *, since: datetime, own: Criteria | None
) -> Looked:
    ends = monotonic() + SECONDS
    compiled = [compile_rules(rules) for rules in lists]
    wanted = [[[each for each in groupings_of(rule) if each] for rule in rules] for rules in lists]
    values: dict[Grouping, list[tuple[str, ...] | None]] = {
        names: [] for names in _groupings(lists, groupings_of)
    }
    read, facts_of = _facts_of([*chain.from_iterable(lists)], [*values])
    rows = Finding.objects.filter(opened_at__gte=since)
    if own:
        rows = rows.filter(condition(own.query), finding_type__in=own.finding_types)
    newest_first = rows.order_by("-opened_at", "-id").values_list(
        "pk", "opened_at", "resolved_at", *map(lookup, read)
    )
    seen: list[tuple[int, int, int]] = []
    winners: list[list[int]] = [[] for _ in lists]
    in_time = True
    for pk, opened_at, resolved_at, *row in islice(newest_first.iterator(2_000), MAX_FINDINGS):
        facts = facts_of(row)
        seen.append((pk, microseconds(opened_at), _gone(facts, resolved_at)))
        asked: set[Grouping] = set()
        for rules, found, groupings in zip(compiled, winners, wanted, strict=True):
            winner = rules.first_match(facts)
            found.append(-1 if winner is None else winner)
            asked.update(() if winner is None else groupings[winner])
        for names, of_names in values.items():
            of_names.append(values_of(names, facts) if names in asked else None)
        if not (in_time := monotonic() < ends):
            break
    pks, opened, gone = zip(*reversed(seen), strict=True) if seen else ((), (), ())
    return Looked(
        pks,
        opened,
        gone,
        [found[::-1] for found in winners],
        {names: _numbered(found[::-1]) for names, found in values.items()},
        is_cut=len(seen) == MAX_FINDINGS or not in_time,
    )


def _gone(facts: Facts, resolved_at: datetime | None) -> int:
    is_gone = resolved_at is not None and Status(facts.status).is_gone
    return microseconds(resolved_at) if resolved_at and is_gone else STILL_THERE


def _facts_of(
    specs: Rules, groupings: Sequence[Grouping]
) -> tuple[Sequence[str], Callable[[Sequence[Any]], Facts]]:
    """The columns that these rules, and what is counted, depend on; and a row of them as facts,
    in which the others are empty. Texts, documents and times that nobody asks for take most of
    the time of a large preview to read."""
    wanted = {"finding_type", "severity", "status"}  # the last says what is gone
    wanted = wanted.union(*map(columns_of_group, chain.from_iterable(groupings)))
    for spec in specs:
        with suppress(QueryError):  # one that cannot be read matches nothing
            wanted |= columns_read(parse_rule_query(spec.query).root)
    read = [name for name in Facts._fields if name in wanted]
    empty = Facts("", "")
    sources = [*read, *Facts._fields]
    pick = itemgetter(*map(sources.index, Facts._fields))
    return read, lambda row: Facts._make(pick([*row, *empty]))
