"""What a rule asks for, in the words of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from findings.facts import TYPE_CHOICES, TypeChoice
from findings.query.ast import QueryError
from findings.query.form import Narrowing, split
from findings.query.terms import split_terms


@dataclass(frozen=True, slots=True)
class RuleCriteria:
    """What a rule asks for, as the list and the editor show it."""

    types: tuple[TypeChoice, ...]
    severities: tuple[str, ...]
    text: str  # the rest of the query
    terms: tuple[str, ...] | None  # the text as tokens, when tokens can say it

    @classmethod
    def of(
        cls, finding_types: Sequence[str], query: str, *, severity_path: str = "severity"
    ) -> Self:
        return cls(*_read(tuple(finding_types), query, severity_path))

    @property
    def types_key(self) -> str:
        """The same for the same types, in a few characters."""
        return f"{sum(1 << TYPE_CHOICES.index(choice) for choice in self.types):x}"


_Parts = tuple[tuple[TypeChoice, ...], tuple[str, ...], str, tuple[str, ...] | None]


@lru_cache(maxsize=8192)
def _read(finding_types: tuple[str, ...], query: str, severity_path: str) -> _Parts:
    criteria = split(query, severity_path=severity_path)
    try:
        terms = split_terms(criteria.text)
    except QueryError:  # stored under an older version of the language: shown as it is
        terms = None
    types = _choices_of(finding_types, criteria.narrowed)
    return types, criteria.severities or (), criteria.text, terms


def _choices_of(wire_types: Sequence[str], narrowed: Narrowing | None) -> tuple[TypeChoice, ...]:
    unwanted = None if narrowed is None else narrowed == "host"
    return tuple(
        choice
        for choice in TYPE_CHOICES
        if choice.wire in wire_types
        and (unwanted is None or choice.resource_is_image is not unwanted)
    )


def narrowed(choices: set[str]) -> Narrowing | None:
    """Which half of the one wire type for hosts and container images is meant."""
    image, host = "container_image_vulnerability" in choices, "host_vulnerability" in choices
    return None if image == host else "image" if image else "host"
