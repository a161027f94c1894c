"""The jump palette's answers; without scripts a page of its own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from automation import jump
from config.accounts.access import require, signed_in
from config.accounts.roles import Permission


@require(Permission.FINDINGS_READ)
@require_GET
def show_goals(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")
    part = "HX-Request" in request.headers
    context = {"text": text, "goals": jump.goals(text, user=signed_in(request)), "options": part}
    return render(request, f"automation/{'_goals' if part else 'jump'}.html", context)
