"""What a report does to the findings, for its page: before it is taken in, and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode

from findings.explorer.of_import import ImportPart, is_of_import
from findings.imports.rule_counts import RuleCounts, most_severe_first
from findings.models import Finding, Import, ImportChange


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """`is_foreseen`: in a dry run, with what the `rules` would do."""

    is_foreseen: bool
    findings: int = 0
    new: int = 0
    seen_again: int = 0
    changed: int = 0  # of those seen again: with another severity
    reopened: int = 0
    resolved: int = 0
    kept: int = 0  # open, and of what the scanner could not look at
    unread: int = 0  # what it could not look at
    severities: Mapping[str, int] = field(default_factory=dict)  # of the new ones
    rules: RuleCounts = field(default_factory=RuleCounts)
    links: Mapping[str, str] = field(default_factory=dict)
    """By the part that it shows, as long as that are as many rows as the number says: later
    imports and people go on."""


def result_of(run: Import) -> ImportResult | None:
    """None where there is none yet."""
    if run.summary and "format" in run.summary:
        return _before(run.summary)
    return _after(run) if run.state == Import.State.DONE else None


def _before(summary: Mapping[str, Any]) -> ImportResult:
    """Of a report that a person decides about, by what is kept of its dry run."""
    counts = {name: summary.get(name, 0) for name in _COUNTS}
    rules = msgspec.convert(summary.get("rules", {}), RuleCounts)
    return ImportResult(
        is_foreseen=True,
        findings=summary["findings"],
        unread=_number_of(summary["unscanned"]),
        severities=rules.severities,
        rules=rules,
        **counts,
    )


def _after(run: Import) -> ImportResult:
    """Four statements."""
    new = Finding.objects.filter(first_import=run).order_by().values_list("severity")
    severities = Counter(dict(new.annotate(Count("pk"))))
    changes = ImportChange.objects.filter(run=run).order_by().values_list("kind")
    # Where some are too old to be kept, the others are no number of it.
    are_kept = not run.are_changes_deleted
    changed = Counter(dict(changes.annotate(Count("pk"))) if are_kept else {})
    now = {
        "new": severities.total(),
        "seen": Finding.objects.filter(is_of_import(ImportPart("seen", run.pk))).count(),
        **{kind: changed[kind] for kind in ImportChange.Kind.values},
    }
    then = {"new": run.new, "seen": run.seen_again, "severity": changed["severity"]}
    then |= {"reopened": run.reopened, "resolved": run.resolved}
    return ImportResult(
        is_foreseen=False,
        findings=run.received - run.rejected,
        new=run.new,
        seen_again=run.seen_again,
        changed=changed["severity"],
        reopened=run.reopened,
        resolved=run.resolved,
        kept=run.kept,
        unread=_number_of(run.unscanned),
        severities=most_severe_first(severities),
        links={
            part: findings_url(("import", str(ImportPart(part, run.pk))))
            for part, number in now.items()
            if number and number == then[part]
        },
    )


def findings_url(*chosen: tuple[str, str]) -> str:
    return f"{reverse('findings:finding-list')}?{urlencode(chosen)}"


_COUNTS = ("new", "seen_again", "changed", "reopened", "resolved", "kept")


def _number_of(unscanned: list[dict[str, str]]) -> int:
    return sum(bool(each["target"]) for each in unscanned)
