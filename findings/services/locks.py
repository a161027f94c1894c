"""Locks of findings, in the one order that avoids deadlock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from findings.models import Finding


def lock(pks: Iterable[int]) -> list[Finding]:
    """The findings, locked until the transaction ends, in the one order that avoids deadlock."""
    return list(
        Finding.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update(no_key=True)
    )


def lock_workflows(pks: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The same, and of each finding what people and tickets made of it."""
    rows = Finding.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update(no_key=True)
    return dict(rows.values_list("pk", "workflow"))
