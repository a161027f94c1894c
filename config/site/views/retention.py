"""How long rows are kept, for who runs the site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts.access import require
from config.accounts.roles import Permission
from config.runtime.retention.nightly import next_night
from config.runtime.retention.page import kept_rows
from findings.selectors import archived_count


@require(Permission.AUDIT_READ)
@require_GET
def show_retention(request: HttpRequest) -> HttpResponse:
    rows = kept_rows(timezone.now())
    context = {
        "rows": rows,
        "held": [row for row in rows if row.held],
        "next": next_night(timezone.now()),
        "archived": archived_count(),
        "archive_after": settings.ARCHIVE_AFTER_DAYS,
    }
    return render(request, "site/retention.html", context)
