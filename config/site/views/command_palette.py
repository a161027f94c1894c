"""The command palette: results for its list, or without scripts a page of its own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.concurrency import limit_searches
from config.lib.statement_timeout import QueryTimeout, statement_timeout
from config.site import command_palette


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_command_palette(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")
    part = "HX-Request" in request.headers
    context = {"text": text, "options": part}
    try:
        with statement_timeout():
            context["results"] = command_palette.search(text, user=signed_in(request))
    except QueryTimeout:
        context["took_too_long"] = True
    page = f"site/{'_search_results' if part else 'command_palette'}.html"
    return render(request, page, context, status=503 if "took_too_long" in context else 200)
