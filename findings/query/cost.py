"""What a query may cost, told before anybody pays for it.

Measured: the predicate on one finding with a description of 2.4 kB, as multiples of the time of
a `key:value` term. A field with wildcards took 1 to 1.4 of it, a wildcard in the description 8,
a free word 15 to 27, a free word with wildcards 20 to 40; `-` adds nothing. SQL was not measured.

Chosen: weights below what was measured, so that a query still has 1,000 terms, or 200 words, or
100 with wildcards.
"""

from __future__ import annotations

from collections.abc import Iterator

from findings.query.ast import (
    And,
    AnyPiece,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Root,
    Term,
    Wildcard,
    Words,
)

MAX_COST = 1_000
WORD, WILD_WORD = 5, 10
_LONG = "description"  # the one field that may be as long as free text


def cost_of(field: Field, matcher: Matcher) -> int:
    """Of one term."""
    if field.root is Root.TEXT and isinstance(matcher, Words):
        return WILD_WORD if any(isinstance(piece, AnyPiece) for piece in matcher.pieces) else WORD
    if isinstance(matcher, Wildcard) and field.name == _LONG:
        return WORD
    return 1


def cost_of_words(node: Node) -> int:
    """What of a query no index answers: its cost without the terms that cost 1."""
    return sum(cost for cost in map(_cost, terms_of(node)) if cost > 1)


def _cost(term: Term) -> int:
    return cost_of(term.field, term.matcher)


def terms_of(node: Node) -> Iterator[Term]:
    match node:
        case Term():
            yield node
        case Not(inner):
            yield from terms_of(inner)
        case And(nodes) | Or(nodes):
            for inner in nodes:
                yield from terms_of(inner)
