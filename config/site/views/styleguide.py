"""The style guide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from automation.kinds.registry import ORDER
from automation.rules.selectors import RuleRow
from config.accounts.access import signed_in
from config.site.styleguide_fixtures import (
    SAMPLE_TOASTS,
    SOMEBODY_IN_JIRA,
    SampleForm,
    sample_column,
    sample_rules,
    sample_syncs,
)
from findings.facts import TYPE_CHOICES, Severity, Status


def _sample_step(rows: Sequence[RuleRow]) -> dict[str, object]:
    return {
        "kind": ORDER[-1],
        "number": len(ORDER),
        "all_rows": rows,
        "holding_types": [rows[0].rule.pk],
    }


@login_required
@require_GET
def show_styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; what the templates under components/ are for."""
    me, now = signed_in(request), timezone.now()
    context = {
        "severities": list(Severity),
        "finding_statuses": list(Status),
        "case_statuses": ("OPEN", "IN_PROGRESS", "CLOSED"),
        "priorities": ("P1", "P2", "P3", "P4", "P5", "NOT_DEFINED"),
        "types": TYPE_CHOICES,
        "moments": [now - timedelta(minutes=minutes) for minutes in (0, 6, 75, 1440, 9e3)],
        "step": _sample_step(sample_rules(me, now=now)),
        "syncs": sample_syncs(now),
        "column": sample_column(me, now=now),
        "somebody_in_jira": SOMEBODY_IN_JIRA.as_assignee,
        "form": SampleForm({"limit": "0"}),
        "toasts": SAMPLE_TOASTS,
    }
    return render(request, "site/styleguide.html", context)
