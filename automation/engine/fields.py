"""The fields that rules ask about, read from facts as cheaply as their place allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from automation.engine.index import FieldIndex, Positions
from automation.engine.memo import Memo
from findings.facts import CORE_FIELDS, CoreField, Facts
from findings.query.ast import Field, Matcher
from findings.query.predicate import core_values, document_path, reader
from findings.query.scalars import Value, scalar

MAX_CACHED = 20_000
"""Values of one place. With 5,000 rules an answer takes 700 bytes: 14 MB at the very most."""


class Allowed(NamedTuple):
    """What a field leaves possible of the conjunctions of all rules."""

    field: int  # the field's own bit, or several fields' bits; 0: as if they were missing
    conjunctions: int


AS_IF_MISSING = Allowed(0, 0)
Found = dict[int, int]
"""`Allowed` of all fields that say something."""
Read = Callable[[Facts], Allowed]
FEW_VALUES = ("finding_type", "severity", "source_severity", "resource_type")


class IndexedField:
    """A field with all that rules ask about it."""

    def __init__(
        self, field: Field, matchers: Mapping[Matcher, Positions], *, bit: int, width: int
    ) -> None:
        self.field = field
        self.bit = bit
        self._index = FieldIndex(matchers, width)
        self.when_missing = self._index.allowed(0)
        self._values = reader(field)
        self._together = Memo(self.of, MAX_CACHED)
        # Values that no rule names have the same bits: one answer in memory for all of them.
        self._allowed: Memo[int, Allowed] = Memo(
            lambda mask: Allowed(bit, self._index.allowed(mask)), MAX_CACHED
        )

    def together(self, facts: Facts) -> Allowed:
        """What all values of the field allow, wherever they are."""
        return self._together[self._values(facts)]

    def of(self, values: Iterable[Value]) -> Allowed:
        mask = 0
        for value in values:
            mask |= self._index.mask(value)
        return self._allowed[mask] if mask else AS_IF_MISSING


class Tags:
    """All tags at once: most findings have each key once, so a tag is one look-up."""

    def __init__(self, fields: Iterable[IndexedField]) -> None:
        self._by_key = {field.field.name: field for field in fields}
        self._allowed = Memo(self._of, MAX_CACHED)
        self._together = Memo(self._of_several, MAX_CACHED)

    def find(self, facts: Facts) -> Found:
        known, tags = self._allowed, facts.tags
        found: Found = {}
        for tag in tags:
            bit, allowed = known[tag]
            if bit:
                if bit in found:
                    same_key = tuple([t for t in tags if known[t][0] == bit])
                    allowed = self._together[same_key].conjunctions
                found[bit] = allowed
        return found

    def _of(self, tag: str) -> Allowed:
        key, _, value = tag.partition(":")
        field = self._by_key.get(key)
        return field.of((value,)) if field else AS_IF_MISSING

    def _of_several(self, tags: tuple[str, ...]) -> Allowed:
        """What tags of one key allow, which is not what each of them allows."""
        key = tags[0].partition(":")[0]
        return self._by_key[key].of(tag.partition(":")[2] for tag in tags)


def attributes(fields: Iterable[IndexedField]) -> list[Read]:
    """All fields that are no tags. Those of few values are read together, as one."""
    reads, few = [], []
    for field in fields:
        core = CORE_FIELDS.get(field.field.name)
        if core is None:
            reads.append(_document_path(field))
        elif core.column in FEW_VALUES:
            few.append((core, field))
        else:
            reads.append(_core_column(core, field))
    return [*reads, _core_columns(few)] if few else reads


def _core_column(core: CoreField, field: IndexedField) -> Read:
    column = Facts._fields.index(core.column)
    known: Memo[Any, Allowed] = Memo(lambda raw: field.of(core_values(core, raw)), MAX_CACHED)
    return lambda facts: known[facts[column]]


def _core_columns(fields: Sequence[tuple[CoreField, IndexedField]]) -> Read:
    columns = [Facts._fields.index(core.column) for core, _ in fields]

    def of(raws: tuple[Any, ...]) -> Allowed:
        allowed = [
            field.of(core_values(core, raw))
            for (core, field), raw in zip(fields, raws, strict=True)
        ]
        present = [each for each in allowed if each is not AS_IF_MISSING]
        if not present:
            return AS_IF_MISSING
        return Allowed(
            reduce(or_, (each.field for each in present)),
            reduce(and_, (each.conjunctions for each in present)),
        )

    known = Memo(of, MAX_CACHED)
    return lambda facts: known[tuple([facts[column] for column in columns])]


def _document_path(field: IndexedField) -> Read:
    """A dotted path, which mostly leads to one text or number without meeting an array."""
    column_name, keys = document_path(field.field.name)
    column = Facts._fields.index(column_name)
    together = field.together

    def of(raw: str | float) -> Allowed:
        value = scalar(raw)
        return AS_IF_MISSING if value is None else field.of((value,))

    known: Memo[str | float, Allowed] = Memo(of, MAX_CACHED)

    def read(facts: Facts) -> Allowed:
        raw: Any = facts[column]
        for key in keys:
            if not isinstance(raw, dict):
                return together(facts)
            raw = raw.get(key)
            if raw is None:
                return AS_IF_MISSING
        # Not int: a dictionary may take it for a float that is written differently (1e23).
        # Not bool: a dictionary takes true for 1.
        kind = type(raw)
        return known[raw] if kind is str or kind is float else together(facts)

    return read
