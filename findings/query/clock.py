"""What a query says about today, as a query that says it of any day."""

from __future__ import annotations

from datetime import UTC, datetime

from findings.facts import OPEN_STATUSES
from findings.query.ast import And, Exact, Field, Node, Not, Or, Range, Root, Term
from findings.query.predicate import test

OVERDUE = Field(Root.ATTRIBUTE, "workflow.due_date.is_overdue")
_DUE_AT = Field(Root.ATTRIBUTE, "workflow.due_date.due_at")
_STATUS = Field(Root.ATTRIBUTE, "status")
_IS_OPEN = Or(tuple(Term(_STATUS, Exact(status)) for status in OPEN_STATUSES))


def as_of(node: Node, now: datetime) -> Node:
    """The query with `is_overdue` spelled out for the UTC day of `now`.

    An open finding is overdue once the day it is due has passed.
    """
    match node:
        case Term(field) if field == OVERDUE:
            return _overdue(node, now)
        case Term():
            return node
        case Not(inner):
            return Not(as_of(inner, now))
        case And(nodes):
            return And(tuple(as_of(inner, now) for inner in nodes))
        case Or(nodes):
            return Or(tuple(as_of(inner, now) for inner in nodes))


def _overdue(term: Term, now: datetime) -> Node:
    """Like every flag it is "true" or "false", never missing."""
    passes = test(term.matcher)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    overdue = And((Term(_DUE_AT, Range(None, today, includes_high=False)), _IS_OPEN))
    if passes("true"):
        return And(()) if passes("false") else overdue
    return Not(overdue) if passes("false") else Or(())
