"""Saved views of the explorer: its tabs. People save their own; sharing takes an analyst."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import sent_before, submit_once
from config.accounts.models import User
from config.accounts.roles import Permission
from findings import saved_views
from findings.forms import ExplorerQuery, ViewForm
from findings.models import SavedView


@require(Permission.FINDINGS_READ)
@require_http_methods(["GET", "POST"])
def create_view(request: HttpRequest) -> HttpResponse:
    owner = signed_in(request)
    query = ExplorerQuery(request.GET).state
    form = _form(request, owner)
    if form.is_valid():
        try:
            return submit_once(request, lambda: _save(request, form, query))
        except saved_views.ViewNameTaken as taken:
            form.add_error("name", str(taken))
    again = sent_before(request) if form.is_bound else None
    return again or _ask(request, form, query, title="Save view", label="Save view")


def _save(request: HttpRequest, form: ViewForm, query: str) -> HttpResponse:
    name, is_shared = _cleaned(form)
    saved_views.save_view(name=name, query=query, is_shared=is_shared, owner=signed_in(request))
    messages.success(request, f"View {name} saved")
    return _to(request, query)


@require(Permission.FINDINGS_READ)
@require_http_methods(["GET", "POST"])
def edit_view(request: HttpRequest, view_id: int) -> HttpResponse:
    owner = signed_in(request)
    view = _own_view(view_id, owner)
    form = _form(request, owner, view)
    if form.is_valid():
        name, is_shared = _cleaned(form)
        try:
            saved_views.change_view(view, name=name, is_shared=is_shared)
        except saved_views.ViewNameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, f"View {name} saved")
            return _to(request, view.query)
    delete = reverse("findings:view-delete", args=[view_id])
    title = f"Edit the view {view.name}"
    return _ask(request, form, view.query, title=title, label="Save", delete=delete)


@require(Permission.FINDINGS_READ)
@require_POST
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    view = _own_view(view_id, signed_in(request))
    saved_views.delete_view(view)
    messages.success(request, f"View {view.name} deleted")
    return _to(request, view.query)


def _own_view(view_id: int, owner: User) -> SavedView:
    """Only its owner changes a view, shared or not; for others there is none here."""
    view = SavedView.objects.filter(pk=min(view_id, 2**63 - 1), owner=owner).first()
    if view is None:
        raise Http404
    return view


def _form(request: HttpRequest, owner: User, view: SavedView | None = None) -> ViewForm:
    data = request.POST if request.method == "POST" else None
    may_share = owner.may(Permission.FINDINGS_WRITE)
    return ViewForm(data, owner=owner, view=view, may_share=may_share)


def _cleaned(form: ViewForm) -> tuple[str, bool]:
    return form.cleaned_data["name"], form.cleaned_data.get("is_shared", False)


def _ask(
    request: HttpRequest, form: ViewForm, query: str, *, title: str, label: str, delete: str = ""
) -> HttpResponse:
    in_dialog = "HX-Request" in request.headers
    context = {
        "form": form,
        "title": title,
        "label": label,
        "action": request.get_full_path(),
        "delete": delete,
        "next": _address(query),
        "in_dialog": in_dialog,
    }
    template = "findings/_view_form.html" if in_dialog else "findings/view_form.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _to(request: HttpRequest, query: str) -> HttpResponse:
    target = _address(query)
    return (
        HttpResponseClientRedirect(target) if "HX-Request" in request.headers else redirect(target)
    )


def _address(query: str) -> str:
    return f"{reverse('findings:finding-list')}{'?' if query else ''}{query}"
