"""What every page's frame asks for: the icon, the theme, the counts of the navigation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require
from config.accounts.roles import Permission
from config.lib.context_processors import THEMES
from config.lib.return_address import return_address
from config.lib.ui_tags import counted
from findings.explorer.inbox import pending_triage
from findings.explorer.pages import total_of
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
    response = redirect(return_address(request, request.POST.get("next", "")) or "/")
    response.set_cookie(
        "theme", theme, max_age=A_YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@require(Permission.CASES_READ)
@require(Permission.FINDINGS_READ)
@require_GET
def count_open(request: HttpRequest) -> HttpResponse:
    """What is open, for the navigation: the number, and the label that shows it."""
    numbers = {
        "findings": open_finding_count(),
        "inbox": total_of(pending_triage()),
        "cases": open_case_count(),
    }
    counts = {name: {"open": each, "label": counted(each)} for name, each in numbers.items()}
    return JsonResponse(counts)
