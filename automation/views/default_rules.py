"""The rules that come with the product, in the list."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from automation.kinds.registry import KINDS
from automation.rules.defaults import disable_default, enable_default
from automation.views.editor_page import RECHECKING
from automation.views.gone import gone_is_404
from automation.views.steps import page_of_step
from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast


@require(Permission.RULES_READ)
@require_GET
def show_defaults(request: HttpRequest, kind: str) -> HttpResponse:
    """The rows of the rules that come with the product."""
    return render(request, "automation/_default_rows.html", page_of_step(request, kind))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def toggle_default(request: HttpRequest, kind: str, rule_id: str) -> HttpResponse:
    """Switch a rule that comes with the product; nothing else of it can change."""
    if kind not in KINDS:
        raise Http404
    switch = enable_default if request.POST.get("enabled") else disable_default
    row = switch(KINDS[kind], rule_id, actor=signed_in(request))
    said = "enabled" if row.spec.enabled else "disabled"
    toast(request, f"{row.spec.name} {said}", RECHECKING, by_rule=row.spec.enabled)
    if "HX-Request" not in request.headers:
        return redirect(f"{reverse('automation:rule-list')}?defaults={kind}#rules-{kind}")
    page = page_of_step(request, kind)
    return render(request, "automation/_default_changed.html", page | {"row": row})
