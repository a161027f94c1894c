"""What a project answers when Jira asks for something to close an issue: by the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.lib.links import absolute
from findings.facts import Facts, facts_from_json
from findings.models import Finding
from findings.selectors import facts_of
from ticketing.close_reasons import RESOLUTIONS, CloseReason, normal, reason_of_words
from ticketing.group_text import Summary
from ticketing.models import (
    MAX_FINDINGS_OF_GROUP,
    Attachment,
    Case,
    ClosingAnswer,
    Destination,
    ExternalIssue,
)
from ticketing.placeholders import fill, is_constant

Answers = Mapping[str, Any]
"""Field id → its value; of the resolution, names, the best first."""


def reason_of(case: Case) -> CloseReason:
    """Why a closed case is closed; nobody noted it of those that were closed long ago."""
    return CloseReason(case.close_reason or CloseReason.FIXED)


def answers_for(case: Case, issue: ExternalIssue, settings: Destination) -> Answers:
    """Two statements. A value whose placeholders its finding cannot fill is left out."""
    reason = reason_of(case)
    found = ClosingAnswer.objects.filter(destination=settings.pk, reason=reason)
    said = dict(found.values_list("field", "value"))
    resolution = said.pop(ClosingAnswer.RESOLUTION, "")
    filled = _filled(said, case, issue)
    return {
        **{field: value for field, value in filled.items() if value is not None},
        ClosingAnswer.RESOLUTION: names_in(resolution) or RESOLUTIONS[reason],
    }


def reason_there(resolution: str, status: str, settings: Destination) -> CloseReason | None:
    """Why somebody closed it in Jira, if its resolution or its status says so. One statement at
    most, for a resolution that only the project can explain."""
    by_status = reason_of_words(status)
    if by_status and by_status.is_wont_fix:
        return by_status
    return reason_of_words(resolution) or _own_reason(resolution, settings) or by_status


def _own_reason(resolution: str, settings: Destination) -> CloseReason | None:
    """Of several reasons that the project gives this resolution for, one that is no decision."""
    if not resolution:
        return None
    own = ClosingAnswer.objects.filter(destination=settings.pk, field=ClosingAnswer.RESOLUTION)
    reasons = [
        CloseReason(reason)
        for reason, names in own.values_list("reason", "value")
        if normal(resolution) in map(normal, names_in(names))
    ]
    return min(reasons, key=lambda reason: (reason.is_wont_fix, reason), default=None)


def names_in(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _filled(said: Mapping[str, str], case: Case, issue: ExternalIssue) -> dict[str, Any]:
    if is_constant(said):
        return dict(said)
    findings = _facts(case, issue)
    if not findings:
        return {field: value for field, value in said.items() if is_constant(value)}
    worst = findings[0]
    words: dict[str, Any] = {
        "url": absolute("findings:finding-show", worst.finding_id),
        "rule_name": case.rule_name,
        "group": Summary.of(findings),
    }
    return {field: fill(value, worst, **words) for field, value in said.items()}


def _facts(case: Case, issue: ExternalIssue) -> list[Facts]:
    """Of its findings as they are now, the worst first; else of the one that the issue was created
    for."""
    attached = Attachment.objects.filter(case=case).values("finding")
    rows = Finding.objects.filter(pk__in=attached).order_by("-severity_rank", "pk")
    if found := facts_of(list(rows[:MAX_FINDINGS_OF_GROUP])):
        return found
    return [facts_from_json(issue.facts)] if issue.facts is not None else []
