"""Marks of findings that wait for the rules; who sets them holds the findings' locks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from config.lib.any_of import AnyOf
from findings.models import Evaluation


def request_recheck(pks: Collection[int], *, now: datetime) -> None:
    """Rules that act on what exists look at these findings again."""
    if pks:
        Evaluation.objects.filter(AnyOf("finding_id", pks)).update(recheck_since=now)
