"""The highest issue number known of a space, which every issue created later is above."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import PositiveBigIntegerField, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from ticketing.models import ExternalIssue, NewestNumber
from ticketing.outbox import timing


class Known(NamedTuple):
    number: int  # 0: none
    is_fresh: bool  # hardly any can have been given out since


def known_number(issue: ExternalIssue) -> Known:
    """A number that the issues of its space have reached."""
    rows = NewestNumber.objects.filter(account=issue.account_id, space_id=issue.space_id)
    row = rows.first()
    if row is None:
        return Known(0, is_fresh=False)
    return Known(row.number, is_fresh=timezone.now() - row.at < timing.TIMING.number_is_fresh)


def remember_number(issue: ExternalIssue, number: int, *, at: datetime) -> None:
    """Keep a number that was seen in the issue's space at that time; the highest stays."""
    rows = NewestNumber.objects.filter(account=issue.account_id, space_id=issue.space_id)
    highest = Greatest("number", Value(number), output_field=PositiveBigIntegerField())
    if rows.update(at=at, number=highest):
        return
    first = NewestNumber(account_id=issue.account_id, space_id=issue.space_id, number=number, at=at)
    NewestNumber.objects.bulk_create([first], ignore_conflicts=True)


def number_of(key: str, *, space_key: str) -> int:
    """The number in an issue's key; 0 if it is of another space by now."""
    prefix, _, number = key.rpartition("-")
    return int(number) if prefix == space_key and number.isdecimal() else 0
