"""A page that exists only for the tests of the guard in front of every page."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import include, path

from config.accounts.access import require
from config.accounts.roles import Permission


@require(Permission.RULES_WRITE)
def rules(request, number=0):
    return HttpResponse(f"rules {number}")


urlpatterns = [
    path("rules", rules, name="rules"),
    path("rules/<int:number>", rules),
    path("", include("config.urls")),
]
handler403 = "config.errors.permission_denied"
