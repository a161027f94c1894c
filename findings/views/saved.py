"""Saved views: the tabs over a list. People save their own; sharing takes an analyst.

`create`, `edit` and `delete` serve each page that has them; its own views say who may see it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import sent_before, submit_once
from config.accounts.roles import Permission
from findings import saved_views
from findings.forms import ExplorerQuery, ViewForm
from findings.models import SavedView


class ViewPage(NamedTuple):
    """A page with saved views, and how it writes its address."""

    page: SavedView.Page
    list_url: str  # names of addresses
    delete_url: str
    state: Callable[[QueryDict], str]
    sharing: Permission

    def address(self, query: str) -> str:
        return f"{reverse(self.list_url)}{'?' if query else ''}{query}"


EXPLORER = ViewPage(
    SavedView.Page.FINDINGS,
    "findings:finding-list",
    "findings:view-delete",
    lambda params: ExplorerQuery(params).state,
    Permission.FINDINGS_WRITE,
)


@require(Permission.FINDINGS_READ)
@require_http_methods(["GET", "POST"])
def create_view(request: HttpRequest) -> HttpResponse:
    return create(request, EXPLORER)


@require(Permission.FINDINGS_READ)
@require_http_methods(["GET", "POST"])
def edit_view(request: HttpRequest, view_id: int) -> HttpResponse:
    return edit(request, EXPLORER, view_id)


@require(Permission.FINDINGS_READ)
@require_POST
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    return delete(request, EXPLORER, view_id)


def create(request: HttpRequest, page: ViewPage) -> HttpResponse:
    query = page.state(request.GET)
    form = _form(request, page)
    if form.is_valid():
        try:
            return submit_once(request, lambda: _save(request, page, form, query))
        except saved_views.ViewNameTaken as taken:
            form.add_error("name", str(taken))
    again = sent_before(request) if form.is_bound else None
    next_url = page.address(query)
    return again or _ask(request, form, next_url, title="Save view", label="Save view")


def _save(request: HttpRequest, page: ViewPage, form: ViewForm, query: str) -> HttpResponse:
    name, is_shared = _cleaned(form)
    owner = signed_in(request)
    saved_views.save_view(name=name, query=query, is_shared=is_shared, owner=owner, page=page.page)
    messages.success(request, f"View {name} saved")
    return _to(request, page.address(query))


def edit(request: HttpRequest, page: ViewPage, view_id: int) -> HttpResponse:
    view = _own_view(request, page, view_id)
    form = _form(request, page, view)
    next_url = page.address(view.query)
    if form.is_valid():
        name, is_shared = _cleaned(form)
        try:
            saved_views.change_view(view, name=name, is_shared=is_shared)
        except saved_views.ViewNameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, f"View {name} saved")
            return _to(request, next_url)
    delete_url = reverse(page.delete_url, args=[view_id])
    title = f"Edit the view {view.name}"
    return _ask(request, form, next_url, title=title, label="Save", delete=delete_url)


def delete(request: HttpRequest, page: ViewPage, view_id: int) -> HttpResponse:
    view = _own_view(request, page, view_id)
    saved_views.delete_view(view)
    messages.success(request, f"View {view.name} deleted")
    return _to(request, page.address(view.query))


def _own_view(request: HttpRequest, page: ViewPage, view_id: int) -> SavedView:
    """Only its owner changes a view, shared or not; for others there is none here."""
    views = SavedView.objects.filter(owner=signed_in(request), page=page.page)
    view = views.filter(pk=min(view_id, 2**63 - 1)).first()
    if view is None:
        raise Http404
    return view


def _form(request: HttpRequest, page: ViewPage, view: SavedView | None = None) -> ViewForm:
    data = request.POST if request.method == "POST" else None
    owner = signed_in(request)
    others = SavedView.objects.filter(owner=owner, page=page.page)
    others = others.exclude(pk=view.pk) if view else others
    return ViewForm(data, view=view, others=others, may_share=owner.may(page.sharing))


def _cleaned(form: ViewForm) -> tuple[str, bool]:
    return form.cleaned_data["name"], form.cleaned_data.get("is_shared", False)


def _ask(
    request: HttpRequest, form: ViewForm, next_url: str, *, title: str, label: str, delete: str = ""
) -> HttpResponse:
    in_dialog = "HX-Request" in request.headers
    context = {
        "form": form,
        "title": title,
        "label": label,
        "action": request.get_full_path(),
        "delete": delete,
        "next": next_url,
        "in_dialog": in_dialog,
    }
    template = "findings/_view_form.html" if in_dialog else "findings/view_form.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _to(request: HttpRequest, target: str) -> HttpResponse:
    return (
        HttpResponseClientRedirect(target) if "HX-Request" in request.headers else redirect(target)
    )
