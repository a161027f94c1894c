"""Saved views of the cases: as those of the explorer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from config.accounts.access import require
from config.accounts.roles import Permission
from findings.models import SavedView
from findings.views import saved
from ticketing.case_lists import CaseQuery

CASES = saved.ViewPage(
    SavedView.Page.CASES,
    "ticketing:case-list",
    "ticketing:view-delete",
    lambda params: CaseQuery.read(params).state,
    Permission.CASES_WRITE,
)


@require(Permission.CASES_READ)
@require_http_methods(["GET", "POST"])
def create_view(request: HttpRequest) -> HttpResponse:
    return saved.create(request, CASES)


@require(Permission.CASES_READ)
@require_http_methods(["GET", "POST"])
def edit_view(request: HttpRequest, view_id: int) -> HttpResponse:
    return saved.edit(request, CASES, view_id)


@require(Permission.CASES_READ)
@require_POST
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    return saved.delete(request, CASES, view_id)
