"""The site's own pages: where one starts, the theme, the style guide."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.shell import THEMES
from config.lib.ui_tags import counted
from config.samples import sample_column, sample_rules, sample_syncs
from findings.facts import TYPE_CHOICES, Severity, Status
from findings.selectors import open_finding_count
from ticketing.selectors import open_case_count

A_YEAR = 365 * 24 * 3600


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this address whatever a page says; the admin site's pages say nothing."""
    return redirect(static("img/favicon.ico"))


@require_POST
def switch_theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark in a cookie, then go back to where the button was."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("theme is light or dark")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = redirect(target)
    response.set_cookie(
        "theme", theme, max_age=A_YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@require(Permission.CASES_READ)
@require(Permission.FINDINGS_READ)
@require_GET
def count_open(request: HttpRequest) -> HttpResponse:
    """What is open, for the navigation: the number, and how it is said."""
    numbers = {"findings": open_finding_count(), "cases": open_case_count()}
    said = {name: {"open": each, "said": counted(each)} for name, each in numbers.items()}
    return JsonResponse(said)


class SampleForm(forms.Form):
    label = forms.CharField(label="Rule name", initial="Exposed secrets", required=False)
    limit = forms.IntegerField(
        label="Rate limit",
        min_value=1,
        max_value=500,
        help_text="Resets at 00:00 UTC.",
        error_messages={"min_value": "Enter a whole number from 1 to 500."},
    )


SAMPLE_TOASTS = (
    {
        "tone": "volt",
        "title": "Rule Exposed secrets saved",
        "text": "Applies to new findings from now on.",
        "link_url": "#toast-samples",
        "link_label": "View rule",
    },
    {
        "tone": "ok",
        "icon": "circle-check",
        "title": "Exposed secrets moved to position 1",
        "text": "Applies to findings from now on.",
    },
    {
        "tone": "warn",
        "icon": "triangle-alert",
        "title": "You will be signed out in 2 minutes",
        "text": "What is not saved would be lost.",
        "link_url": "#toast-samples",
        "link_label": "Stay signed in",
    },
    {
        "tone": "bad",
        "icon": "circle-x",
        "title": "Order not saved",
        "text": "Tomasz Kowal changed the order a moment ago. The list shows the current order.",
    },
)


@require_GET
@login_required
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; what the templates under components/ are for."""
    me, now = signed_in(request), timezone.now()
    context = {
        "severities": list(Severity),
        "finding_statuses": list(Status),
        "case_statuses": ("OPEN", "IN_PROGRESS", "CLOSED"),
        "priorities": ("P1", "P2", "P3", "P4", "P5", "NOT_DEFINED"),
        "types": TYPE_CHOICES,
        "moments": [now - timedelta(minutes=minutes) for minutes in (0, 6, 75, 1440, 9e3)],
        "all_rows": sample_rules(me, now=now),
        "syncs": sample_syncs(now),
        "column": sample_column(me, now=now),
        "form": SampleForm({"limit": "0"}),
        "toasts": SAMPLE_TOASTS,
    }
    return render(request, "styleguide.html", context)
