"""From the checked records of one request to findings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from findings.formats.normalised import Normalised, Rejected
from findings.models import Import, Scope, Source
from findings.services import record


class Received(NamedTuple):
    """What became of everything sent: received = new + seen_again + reopened + rejected."""

    received: int
    new: int
    seen_again: int
    reopened: int
    rejected: int


_TAGS = Normalised._fields.index("tags")


@transaction.atomic
def receive(
    outcomes: Sequence[Normalised | Rejected],
    *,
    source_name: str,
    scope: Scope | None = None,
    run: Import | None = None,
    now: datetime | None = None,
) -> Received:
    """Record the good ones of a request, all of them or, on any fault, none.

    A request without a good one leaves no source behind.
    """
    good = with_source(outcomes, source_name)
    if not good:
        return Received(len(outcomes), 0, 0, 0, len(outcomes))
    source, _ = Source.objects.get_or_create(name=source_name)
    recorded = record(good, source=source, scope=scope, run=run, now=now)
    return Received(len(outcomes), *recorded, len(outcomes) - len(good))


def with_source(outcomes: Iterable[Normalised | Rejected], source_name: str) -> list[Normalised]:
    """The good ones, each with the tag `source:<name>`, which the public schema promises."""
    tag = f"source:{source_name}"
    return [
        # Less than half the cost of `_replace`.
        Normalised._make((*outcome[:_TAGS], _with(outcome.tags, tag), *outcome[_TAGS + 1 :]))
        for outcome in outcomes
        if isinstance(outcome, Normalised)
    ]


def _with(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    """The sorted tags and this one, once."""
    at = bisect_left(tags, tag)
    return tags if tags[at : at + 1] == (tag,) else (*tags[:at], tag, *tags[at:])
