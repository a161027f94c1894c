"""A query as a list of terms, when it is one: any of these, and none of those.

`(env:prod OR env:staging) -team:sandbox` ⇄ `env:prod`, `env:staging`, `-team:sandbox`.
"""

from __future__ import annotations

from collections.abc import Iterator

from findings.query.ast import And, Node, Not, Or, Root, Term
from findings.query.canonical import write
from findings.query.parse import parse


def split_terms(text: str) -> tuple[str, ...] | None:
    """The terms of `text`, or None when a list of terms cannot say the same.

    Raises QueryError for a text that is no query.
    """
    root = parse(text).root
    parts = root.nodes if isinstance(root, And) else (root,)
    wanted = [part for part in parts if not isinstance(part, Not)]
    unwanted = [part.node for part in parts if isinstance(part, Not)]
    if len(wanted) > 1:
        return None
    either = [term for part in wanted for term in _alternatives(part)]
    terms = [*either, *unwanted]
    if not all(isinstance(term, Term) and term.field.root is not Root.TEXT for term in terms):
        return None
    return (*(write(term) for term in either), *(f"-{write(term)}" for term in unwanted))


def _alternatives(node: Node) -> Iterator[Node]:
    if isinstance(node, Or):
        for each in node.nodes:
            yield from _alternatives(each)
    else:
        yield node
