"""Reads of the group that a case stands for, for its page and where a finding shows its ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from findings.grouping import group_field
from findings.packages import Fix, fix_of
from ticketing.models import MAX_FINDINGS_OF_GROUP, Attachment, Case, CaseGroup

OF_PROBLEMS = frozenset({"package", "vulnerability", "rule", "title", "correlation"})
"""Fields that say what is wrong: findings that share one of them differ in their places."""


class _Packaged(NamedTuple):
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """What a case's page says of its group."""

    case: Case
    row: CaseGroup
    size: int  # findings on the case
    later: CaseGroup | None  # of the ticket after this one
    fix: Fix

    @property
    def fields(self) -> list[tuple[str, str]]:
        """("Package", "pypi/grpcio") of each."""
        pairs = zip(self.row.group_by, self.row.group_values, strict=True)
        labels = ((group_field(name).short, value) for name, value in pairs)
        return [(label[0].upper() + label[1:], value) for label, value in labels]

    @property
    def subject(self) -> str:
        """As in "the earlier ticket for grpcio"."""
        pairs = zip(self.row.group_by, self.row.group_values, strict=True)
        names = (
            value.partition("/")[2] or value if name == "package" else value
            for name, value in pairs
        )
        return ", ".join(names)

    @property
    def is_of_places(self) -> bool:
        """Whether its findings are told apart by where they are, and not by their titles."""
        return bool(OF_PROBLEMS & set(self.row.group_by))

    @property
    def room(self) -> int:
        return max(0, MAX_FINDINGS_OF_GROUP - self.size)

    @property
    def most(self) -> int:
        return MAX_FINDINGS_OF_GROUP

    @property
    def no_more(self) -> str:
        """Why it takes no more findings, whatever its rule says; empty if the rule decides."""
        if self.later and self.later.is_continuation:
            return f"continued by {self.later.case.key}"
        if self.case.archived_at:
            return "archived"
        if self.later:
            is_closed = self.case.status == Case.Status.CLOSED
            return "closed" if is_closed else f"followed by {self.later.case.key}"
        if not self.row.takes_more:
            return "detached by hand"
        return "" if self.room else "it is full"


def group_of(case: Case) -> CaseGroup | None:
    """No statement for a case that no rule made."""
    if case.origin != Case.Origin.RULE:
        return None
    return CaseGroup.objects.filter(case=case).select_related("follows").first()


def shown_group(case: Case, *, size: int) -> ShownGroup | None:
    """Up to three statements; none for a case that no rule made."""
    row = group_of(case)
    if row is None:
        return None
    later = CaseGroup.objects.filter(follows=case).select_related("case").first()
    return ShownGroup(case, row, size, later, _fix(row))


def _fix(row: CaseGroup) -> Fix:
    if "package" not in row.group_by:
        return Fix("", 0)
    attached = Attachment.objects.filter(case=row.case_id).order_by("pk")
    packages = attached.values_list("finding__attributes__package", flat=True)
    return fix_of([_Packaged({"package": each}) for each in packages[:MAX_FINDINGS_OF_GROUP]])
