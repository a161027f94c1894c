"""Versions of a rule set: written as what changed, and now and then whole.

A version is read from the last one that is whole and the changes since: at most `MAX_CHANGES`,
and together not larger than that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce

from automation.models import RuleSet, RuleSetVersion
from automation.rules.version_changes import Stored, changed, changes_between, size
from config.accounts.models import User

MAX_CHANGES = 100
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest version, and what reading it took."""

    rules: Sequence[Stored]
    base: int  # the version that is whole
    number: int  # of changes since
    size: int  # of these, in bytes


class VersionRules(NamedTuple):
    version: int
    rules: Sequence[Stored]
    created_by: User | None
    created_at: datetime

    @property
    def order(self) -> list[UUID]:
        """Without the rules that come with the product."""
        return [UUID(rule["id"]) for rule in self.rules if not rule.get("is_default")]


def rules_at(kind: str, version: int) -> Sequence[Stored]:
    """The rules in their order. One statement. Raises RuleSetVersion.DoesNotExist."""
    rows = list(_rows_since(kind, version).filter(version__lte=version))
    if not rows or rows[-1].version != version:
        raise RuleSetVersion.DoesNotExist(f"{kind} has no version {version}.")
    *_, (_, rules) = _read(rows)
    return rules


def latest_version(kind: str) -> Latest | None:
    """Of a rule set that ever changed. One statement."""
    newest = RuleSetVersion.objects.filter(kind=kind).order_by("-version")
    rows = list(_rows_from(kind, newest))
    if not rows:
        return None
    *_, (_, rules) = _read(rows)
    return Latest(rules, rows[0].version, len(rows) - 1, sum(size(row.changes) for row in rows[1:]))


def versions_since(kind: str, version: int) -> Iterator[VersionRules]:
    """That version and all after it, read as they are asked for; none if there is no such."""
    rows = _rows_since(kind, version).select_related("created_by")
    for row, rules in _read(_in_chunks(rows)):
        if row.version >= version:
            yield VersionRules(row.version, rules, row.created_by, row.created_at)


def write_version(
    rule_set: RuleSet,
    rules: Sequence[Stored],
    *,
    latest: Latest | None,
    actor: User | None,
    at: datetime,
) -> None:
    """Keep the rules as the version that the rule set has now."""
    changes = _changes(latest, rules)
    RuleSetVersion.objects.create(
        kind=rule_set.kind,
        version=rule_set.version,
        rules=rules if changes is None else None,
        changes=changes,
        base=latest.base if latest and changes is not None else None,
        created_at=at,
        created_by=actor,
    )


def _changes(latest: Latest | None, rules: Sequence[Stored]) -> dict[str, Any] | None:
    """None where the version is written whole."""
    if latest is None or latest.number >= MAX_CHANGES:
        return None
    changes = changes_between(latest.rules, rules)
    if changes is None or latest.size + size(changes) > size(rules):
        return None
    return changes if changed(latest.rules, changes) == rules else None


def _rows_since(kind: str, version: int) -> QuerySet[RuleSetVersion]:
    return _rows_from(kind, RuleSetVersion.objects.filter(kind=kind, version=version))


def _rows_from(kind: str, version: QuerySet[RuleSetVersion]) -> QuerySet[RuleSetVersion]:
    """Its rows from the one that is whole on, oldest first."""
    base = version.values(start=Coalesce("base", "version"))[:1]
    return RuleSetVersion.objects.filter(kind=kind, version__gte=Subquery(base)).order_by("version")


def _in_chunks(rows: QuerySet[RuleSetVersion]) -> Iterator[RuleSetVersion]:
    """Whoever asks may stop: no cursor stays open."""
    chunk = list(rows[:_CHUNK])
    while chunk:
        yield from chunk
        chunk = list(rows.filter(version__gt=chunk[-1].version)[:_CHUNK])


def _read(rows: Iterable[RuleSetVersion]) -> Iterator[tuple[RuleSetVersion, Sequence[Stored]]]:
    rules: Sequence[Stored] = []
    for row in rows:
        rules = row.rules or [] if row.changes is None else changed(rules, row.changes)
        yield row, rules
