"""What the values of one field leave possible, as bits: one bit per conjunction."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from itertools import chain
from operator import or_
from typing import cast

from automation.engine.memo import Memo
from findings.query.ast import Exact, Exists, Matcher, Range, Wildcard
from findings.query.predicate import as_bound, as_text, exact_keys
from findings.query.scalars import Value

Positions = Sequence[int]
MAX_SEGMENTS = 5_000


class FieldIndex:
    """The matchers that all conjunctions have on one field, arranged for looking values up.

    A matcher that accepts a value sets the bits at its positions. With `width` conjunctions, the
    first `width` bits are those it blocks; the next, those whose first clause on this field it
    fulfils; the next, their second clause on it; and so on (most fields need but one).
    """

    def __init__(self, matchers: Mapping[Matcher, Positions], width: int) -> None:
        self._width = width
        self._every_conjunction = (1 << width) - 1
        self._required = bits(chain.from_iterable(matchers.values())) >> width
        self._always = 0
        self._exact: defaultdict[Value, list[int]] = defaultdict(list)
        self._prefixes: defaultdict[int, dict[str, Positions]] = defaultdict(dict)
        ranges: dict[Range, Positions] = {}
        for matcher, positions in matchers.items():
            match matcher:
                case Exact(text):
                    for key in exact_keys(text):
                        self._exact[key].extend(positions)
                case Wildcard((str(prefix), _)):
                    self._prefixes[len(prefix)][prefix] = positions
                case Range():
                    ranges[matcher] = positions
                case Exists():
                    self._always = bits(positions)
        self._ranges = _Ranges(ranges) if ranges else None

    def mask(self, value: Value) -> int:
        mask = self._always
        if value in self._exact:
            mask |= bits(self._exact[value])
        text = as_text(value) if self._prefixes else None
        if text is not None:
            for length, prefixes in self._prefixes.items():
                mask |= bits(prefixes.get(text[:length], ()))
        if self._ranges is not None:
            mask |= self._ranges.mask(value)
        return mask

    def allowed(self, mask: int) -> int:
        """The conjunctions that are still possible when all values together have set these bits."""
        missing = self._required ^ (mask >> self._width)
        unmet = 0
        while missing:
            unmet |= missing
            missing >>= self._width
        return self._every_conjunction & ~(unmet | mask)


class _Ranges:
    """Numeric ranges. Their bounds cut the numbers into segments whose numbers are all alike.

    Segment 2i + 1 is the i-th bound itself, segment 2i what lies below it and above the one before.
    """

    def __init__(self, ranges: Mapping[Range, Positions]) -> None:
        bounds = {each for found in ranges for each in (found.low, found.high) if each is not None}
        self._bounds = sorted(cast("set[Decimal]", bounds))
        self._spans = [(*self._span(found), positions) for found, positions in ranges.items()]
        self._segments = Memo(self._segment_mask, MAX_SEGMENTS)

    def mask(self, value: Value) -> int:
        bound = as_bound(value)
        if not isinstance(bound, Decimal):
            return 0
        at = bisect_left(self._bounds, bound)
        is_bound = at < len(self._bounds) and self._bounds[at] == bound
        return self._segments[2 * at + is_bound]

    def _span(self, found: Range) -> tuple[int, int]:
        """The first and the last segment inside."""
        first, last = 0, 2 * len(self._bounds)
        if found.low is not None:
            first = 2 * self._at(found.low) + (1 if found.includes_low else 2)
        if found.high is not None:
            last = 2 * self._at(found.high) + (1 if found.includes_high else 0)
        return first, last

    def _at(self, bound: object) -> int:
        return bisect_left(self._bounds, cast(Decimal, bound))

    def _segment_mask(self, segment: int) -> int:
        return bits(
            chain.from_iterable(
                positions for first, last, positions in self._spans if first <= segment <= last
            )
        )


def bits(positions: Iterable[int]) -> int:
    return reduce(or_, (1 << position for position in positions), 0)
