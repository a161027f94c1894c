"""The rule form ⇄ one query text.

The form shows severities and the choice between container images and hosts apart; on the
wire both are terms of the query. Only a query whose AND at the top holds exactly one such
term is taken apart. Everything else stays, letter for letter, in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.query.ast import Exact, Field, Node, Or, QueryError, Root, Term
from findings.query.parse import Part, parse, parts

Narrowing = Literal["image", "host"]

_NOT_BOTH = f"-@finding_type:{FindingType.HOST_AND_CONTAINER.value}"
_NARROWINGS: dict[Narrowing, str] = {
    "image": f"({_NOT_BOTH} OR @resource_type:{CONTAINER_IMAGE})",
    "host": f"({_NOT_BOTH} OR -@resource_type:{CONTAINER_IMAGE})",
}
_NARROWING_NODES = {parse(text).root: name for name, text in _NARROWINGS.items()}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the form shows apart."""

    severities: tuple[str, ...] | None = None
    narrowed: Narrowing | None = None
    text: str = ""


def split(text: str, *, severity_path: str = "severity") -> Criteria:
    """Take a query apart for the form. A text that is no query comes back whole.

    `severity_path` is the attribute that the form's severities are about.
    """
    try:
        found = parts(text)
    except QueryError:
        return Criteria(text=text)
    named = _severities_of(Field(Root.ATTRIBUTE, severity_path))
    severity = _only(found, named)
    narrowing = _only(found, _NARROWING_NODES.get)
    if severity is None and narrowing is None:
        return Criteria(text=text)
    return Criteria(
        severities=named(severity.node) if severity else None,
        narrowed=_NARROWING_NODES[narrowing.node] if narrowing else None,
        text=_rest(text, found, (severity, narrowing)),
    )


def join(criteria: Criteria, *, was: str = "", severity_path: str = "severity") -> str:
    """The query that the form says; raises `QueryError` when its text is none.

    `was` is the query that the form was opened with: when the form still says the same,
    that text is kept as it was written.
    """
    if was and _tidy(split(was, severity_path=severity_path)) == _tidy(criteria):
        return was
    is_either = not parts(criteria.text) and criteria.text.strip()
    terms = []
    if criteria.narrowed:
        terms.append(_NARROWINGS[criteria.narrowed])
    if criteria.severities:
        either = " OR ".join(criteria.severities)
        values = f"({either})" if len(criteria.severities) > 1 else either
        terms.append(f"@{severity_path}:{values}")
    if not terms:
        return criteria.text
    if criteria.text.strip():
        terms.append(f"({criteria.text})" if is_either else criteria.text)
    return " ".join(terms)


def _only(found: Sequence[Part], read: Callable[[Node], object]) -> Part | None:
    """The one part in which `read` sees something; None if there are more."""
    seen = [part for part in found if read(part.node) is not None]
    return seen[0] if len(seen) == 1 else None


def _severities_of(wanted: Field) -> Callable[[Node], tuple[str, ...] | None]:
    """Reads the severities of a term that is nothing but a choice of severities."""

    def read(node: Node) -> tuple[str, ...] | None:
        named = set()
        for term in node.nodes if isinstance(node, Or) else (node,):
            match term:
                case Term(field, Exact(value)) if field == wanted and value in set(Severity):
                    named.add(value)
                case _:
                    return None
        return tuple(severity.value for severity in Severity if severity in named)

    return read


def _rest(text: str, found: Sequence[Part], taken: Sequence[Part | None]) -> str:
    """The text without the parts taken, and without the parentheses of an OR left alone."""
    runs = [tuple(run) for kept, run in groupby(found, lambda part: part not in taken) if kept]
    match runs:
        case [(Part(Or(), start, end),)] if text[start] == "(":
            return text[start + 1 : end - 1]
    return " ".join(text[run[0].start : run[-1].end] for run in runs)


def _tidy(criteria: Criteria) -> Criteria:
    """As a form sends it back: no space around the text, nothing chosen is None."""
    return replace(criteria, severities=criteria.severities or None, text=criteria.text.strip())
