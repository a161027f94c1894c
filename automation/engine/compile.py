"""Ordered rules → the first that matches, at a cost that hardly grows with their number.

Each conjunction of a rule's query (`dnf`) is one bit. Each value of a field maps to those that it
leaves possible; the AND over a finding's values leaves the candidates, and the lowest set bit is
the first match. Only what no index answers is evaluated, for candidates alone, in order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from automation.engine.dnf import Clause, Conjunction, conjunctions
from automation.engine.fields import MAX_CACHED, IndexedField, Tags, attributes
from automation.engine.memo import Memo
from automation.engine.rules import RuleSpec
from findings.facts import Facts
from findings.query.ast import And, Exact, Field, Matcher, QueryError, Root
from findings.query.parse import parse_rule_query
from findings.query.predicate import compile_predicate

FINDING_TYPE = Field(Root.ATTRIBUTE, "finding_type")
FEW = 4
"""Rules of one finding type. Measured, in µs a finding, as rules in turn and with the index:
values seen before 5.7 and 4.5, none seen before 6.2 and 21; with 9 rules 40 and 5.4, 36 and 22."""
RulesInTurn = Mapping[str, Sequence[tuple[int, Callable[[Facts], bool]]]]
"""Finding type → index and query of each of its rules, in order."""


class CompiledRules:
    """Made by `compile_rules`. Threads may share it."""

    def __init__(
        self,
        found: Sequence[tuple[int, Conjunction]],
        faults: Mapping[int, str],
        few: RulesInTurn | None = None,
    ) -> None:
        self.faults = faults  # index of a rule whose query cannot be read → why
        self._few = few
        self._rules = [index for index, _ in found]
        self._rest = [compile_predicate(And(each.rest)) if each.rest else None for _, each in found]
        self._every_conjunction = (1 << len(found)) - 1
        self._fields = [
            IndexedField(field, matchers, bit=1 << number, width=len(found))
            for number, (field, matchers) in enumerate(_matchers(found).items())
        ]
        by_root = {
            root: [each for each in self._fields if each.field.root is root] for root in Root
        }
        self._tags = Tags(by_root[Root.TAG])
        self._attributes = attributes(by_root[Root.ATTRIBUTE])
        self._allowed_without = Memo(self._missing_all_but, MAX_CACHED)

    def first_match(self, facts: Facts, accepts: Callable[[int], bool] | None = None) -> int | None:
        """The index of the first rule that matches; None when none does.

        With `accepts` one that matches and is not accepted is passed over.
        """
        if self._few is not None:
            for index, matches in self._few.get(facts.finding_type, ()):
                if matches(facts) and (accepts is None or accepts(index)):
                    return index
            return None
        found = self._tags.find(facts)
        for read in self._attributes:
            bits, allowed = read(facts)
            if bits:
                found[bits] = allowed
        candidates = self._allowed_without[sum(found)]
        for allowed in found.values():
            candidates &= allowed
        while candidates:
            lowest = candidates & -candidates
            number = lowest.bit_length() - 1
            rest = self._rest[number]
            if rest is None or rest(facts):
                index = self._rules[number]
                if accepts is None or accepts(index):
                    return index
            candidates ^= lowest
        return None

    def _missing_all_but(self, present: int) -> int:
        """What is possible when only the fields with these bits say anything."""
        allowed = self._every_conjunction
        for field in self._fields:
            if not field.bit & present:
                allowed &= field.when_missing
        return allowed


def compile_rules(specs: Sequence[RuleSpec]) -> CompiledRules:
    """Disabled rules and rules whose query cannot be read never match."""
    found: list[tuple[int, Conjunction]] = []
    faults: dict[int, str] = {}
    in_turn: defaultdict[str, list[tuple[int, Callable[[Facts], bool]]]] = defaultdict(list)
    for index, spec in enumerate(specs):
        try:
            root = parse_rule_query(spec.query).root
        except QueryError as error:
            faults[index] = error.message
            continue
        if spec.enabled and spec.finding_types:
            types = tuple(Exact(finding_type) for finding_type in spec.finding_types)
            of_type = Conjunction(clauses=(Clause(FINDING_TYPE, types),))
            found += [(index, of_type.and_also(each)) for each in conjunctions(root)]
            for finding_type in set(spec.finding_types):
                in_turn[finding_type].append((index, compile_predicate(root)))
    is_few = all(len(rules) <= FEW for rules in in_turn.values())
    return CompiledRules(found, faults, dict(in_turn) if is_few else None)


def _matchers(found: Sequence[tuple[int, Conjunction]]) -> dict[Field, dict[Matcher, list[int]]]:
    """All matchers of each field with their positions, as `FieldIndex` counts them."""
    matchers: defaultdict[Field, defaultdict[Matcher, list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, (_, conjunction) in enumerate(found):
        for term in conjunction.blocked:
            matchers[term.field][term.matcher].append(number)
        clauses: Counter[Field] = Counter()
        for clause in conjunction.clauses:
            clauses[clause.field] += 1
            position = clauses[clause.field] * len(found) + number
            for matcher in clause.matchers:
                matchers[clause.field][matcher].append(position)
    return {field: dict(by_matcher) for field, by_matcher in matchers.items()}
