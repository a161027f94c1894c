"""Which rows of the columns in memory a search finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_

from findings.columnar.arrays import Mask
from findings.columnar.pinned import current
from findings.columnar.selection import Selection
from findings.columnar.table import Table
from findings.explorer.columnar_values import is_within
from findings.explorer.matched import matched
from findings.explorer.search import FILTERS, Search

Found = tuple[Table, Selection]


def rows_of(search: Search, facets: Sequence[str] = FILTERS) -> Found | None:
    """What `search.findings(facets=…)` finds; None where the columns cannot tell."""
    table = current()
    mask = mask_of(table, search, facets) if table else None
    return None if table is None or mask is None else (table, Selection(mask))


def mask_of(table: Table, search: Search, facets: Sequence[str] = FILTERS) -> Mask | None:
    found = matched(table, replace(search, within=None), facets=facets)
    if found is None or search.within is None:
        return found
    inside = is_within(table, search.group, search.within)
    return None if inside is None else found & inside


@dataclass(slots=True)
class FacetRows:
    """What a search finds, with and without the choice made in one of its facets."""

    base: Mask
    chosen: Mapping[str, Mask]
    _found: dict[str, Selection] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, search: Search) -> FacetRows | None:
        base = mask_of(table, search, ())
        chosen: dict[str, Mask] = {}
        for name, values in search.chosen.items():
            mask = matched(table, Search(chosen={name: values}), facets=(name,))
            if mask is None:
                return None
            chosen[name] = mask
        return None if base is None else cls(base, chosen)

    def without(self, facet: str) -> Selection:
        others = [name for name in self.chosen if name != facet]
        key = facet if facet in self.chosen else ""
        if key not in self._found:
            masks = [self.base, *(self.chosen[name] for name in others)]
            self._found[key] = Selection(reduce(and_, masks))
        return self._found[key]
