"""The audit log: read by those who may, written by the histories alone."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts import audit
from config.accounts.access import require
from config.accounts.models import User
from config.accounts.roles import Permission

RANGES = {"24h": ("Past 24 hours", 1), "7d": ("Past 7 days", 7), "30d": ("Past 30 days", 30)}


@require(Permission.AUDIT_READ)
@require_GET
def show_log(request: HttpRequest) -> HttpResponse:
    kind, person = request.GET.get("kind", ""), request.GET.get("person", "")
    chosen, before = request.GET.get("from", ""), request.GET.get("before", "")
    since = timezone.now() - timedelta(days=RANGES[chosen][1]) if chosen in RANGES else None
    try:
        place = audit.Place.read(before) if before else None
        if person not in ("", audit.NOBODY):
            UUID(person)
    except ValueError as error:
        raise Http404 from error
    if kind and kind not in audit.kinds():
        raise Http404
    context = {
        "log": audit.page_of_log(kind=kind, person=person, since=since, place=place),
        "kinds": [(slug, audit.label(slug)) for slug in audit.kinds()],
        "people": [(str(pk), name) for pk, name in User.objects.values_list("pk", "name")],
        "ranges": [(slug, label) for slug, (label, _) in RANGES.items()],
        "asked": {"kind": kind, "person": person, "from": chosen, "before": before},
        "filtered": bool(kind or person or chosen),
    }
    return render(request, "accounts/audit.html", context)
