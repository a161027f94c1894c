"""The fields that rules ask about, read from facts as cheaply as their place allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from automation.engine.index import FieldIndex, Positions
from automation.engine.memo import Memo
from findings.facts import CORE_FIELDS, CoreField, Facts
from findings.query.ast import Field, Matcher
from findings.query.predicate import core_values, document_path, reader
from findings.query.scalars import Value, scalar

MOST_REMEMBERED = 20_000
"""Values of one place. With 5,000 rules an answer takes 700 bytes: 14 MB."""


class Allowed(NamedTuple):
    """What a field leaves possible of the ways to satisfy a rule."""

    field: int  # one bit, the field's own; 0: as if the field were missing
    ways: int


AS_IF_MISSING = Allowed(0, 0)
Found = dict[int, int]
"""A field's bit → the ways that its values allow."""


class IndexedField:
    def __init__(
        self, field: Field, matchers: Mapping[Matcher, Positions], *, bit: int, width: int
    ) -> None:
        self.bit = bit
        self._index = FieldIndex(matchers, width)
        self._read = reader(field)
        self._together = Memo(self.of, MOST_REMEMBERED)
        self.when_missing = self._index.allowed(0)

    def together(self, facts: Facts) -> Allowed:
        """What all values of the field allow, wherever they are."""
        return self._together[self._read(facts)]

    def of(self, values: Iterable[Value]) -> Allowed:
        said = 0
        for value in values:
            said |= self._index.says(value)
        return Allowed(self.bit, self._index.allowed(said)) if said else AS_IF_MISSING


class Tags:
    """All tags at once: most findings have each key once, so a tag is one look-up."""

    def __init__(self, fields: Mapping[str, IndexedField]) -> None:
        self._fields = fields
        self._by_bit = {field.bit: field for field in fields.values()}
        self._allowed = Memo(self._of, MOST_REMEMBERED)

    def find(self, facts: Facts, found: Found) -> None:
        known = self._allowed
        for tag in facts.tags:
            bit, ways = known[tag]
            if bit:
                found[bit] = ways if bit not in found else self._by_bit[bit].together(facts).ways

    def _of(self, tag: str) -> Allowed:
        key, _, value = tag.partition(":")
        field = self._fields.get(key)
        return field.of((value,)) if field else AS_IF_MISSING


class CoreColumn:
    """A core field: one value in one column."""

    def __init__(self, core: CoreField, field: IndexedField) -> None:
        self._column = Facts._fields.index(core.column)
        self._allowed: Memo[Any, Allowed] = Memo(
            lambda raw: field.of(core_values(core, raw)), MOST_REMEMBERED
        )

    def find(self, facts: Facts, found: Found) -> None:
        bit, ways = self._allowed[facts[self._column]]
        if bit:
            found[bit] = ways


class DocumentPath:
    """A dotted path, which mostly leads to one text or number without meeting an array."""

    def __init__(self, name: str, field: IndexedField) -> None:
        column, self._keys = document_path(name)
        self._column = Facts._fields.index(column)
        self._field = field
        self._allowed: Memo[str | float, Allowed] = Memo(self._of, MOST_REMEMBERED)

    def find(self, facts: Facts, found: Found) -> None:
        raw: Any = facts[self._column]
        for key in self._keys:
            if not isinstance(raw, dict):
                break
            raw = raw.get(key)
            if raw is None:
                return
        else:
            # Not int, which a dictionary may hold for the same key as a float that is
            # written differently (1e23); not bool, which it holds for the same key as 1.
            if type(raw) is str or type(raw) is float:
                bit, ways = self._allowed[raw]
                if bit:
                    found[bit] = ways
                return
        bit, ways = self._field.together(facts)
        if bit:
            found[bit] = ways

    def _of(self, raw: str | float) -> Allowed:
        value = scalar(raw)
        return AS_IF_MISSING if value is None else self._field.of((value,))


Place = Tags | CoreColumn | DocumentPath


def place(name: str, field: IndexedField) -> CoreColumn | DocumentPath:
    """Where an attribute stands."""
    core = CORE_FIELDS.get(name)
    return CoreColumn(core, field) if core else DocumentPath(name, field)
