"""From the checked records of one request to findings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from findings.formats.normalised import Normalised, Rejected
from findings.models import Scope, Source
from findings.services import record


class Received(NamedTuple):
    """What became of everything sent: received = new + seen_again + reopened + rejected."""

    received: int
    new: int
    seen_again: int
    reopened: int
    rejected: int


@transaction.atomic
def receive(
    outcomes: Sequence[Normalised | Rejected],
    *,
    source_name: str,
    scope: Scope | None = None,
    now: datetime | None = None,
) -> Received:
    """Record the good ones of a request, all of them or, on any fault, none.

    Each gets the tag `source:<name>`, which the public schema promises. A request without a
    good one leaves no source behind.
    """
    tag = f"source:{source_name}"
    good = [
        outcome._replace(tags=_with(outcome.tags, tag))
        for outcome in outcomes
        if isinstance(outcome, Normalised)
    ]
    if not good:
        return Received(len(outcomes), 0, 0, 0, len(outcomes))
    source, _ = Source.objects.get_or_create(name=source_name)
    recorded = record(good, source=source, scope=scope, now=now)
    return Received(len(outcomes), *recorded, len(outcomes) - len(good))


def _with(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    """The sorted tags and this one, once."""
    at = bisect_left(tags, tag)
    return tags if tags[at : at + 1] == (tag,) else (*tags[:at], tag, *tags[at:])
