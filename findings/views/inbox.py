"""The Security Inbox: what rules and people say needs a person."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.concurrency import limit_searches
from config.lib.statement_timeout import QueryTimeout
from findings.explorer.pages import COUNTED, page_of
from findings.inbox_search import InboxQuery
from findings.views.searching import StillLoading, searching


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_inbox(request: HttpRequest) -> HttpResponse:
    inbox = InboxQuery(request.GET)
    may_write = signed_in(request).may(Permission.FINDINGS_WRITE)
    context = {"inbox": inbox, "params": inbox.params, "may_write": may_write} | _found(inbox)
    status = 422 if inbox.params.error else 503 if "took_too_long" in context else 200
    return render(request, "findings/inbox.html", context, status=status)


def _found(inbox: InboxQuery) -> dict[str, Any]:
    search = inbox.search(timezone.now())
    if search is None:
        return {}
    try:
        with searching(search):
            panels = inbox.panels()
            page = page_of(
                search, sort=inbox.params.sort, cursor=inbox.params.cursor, size=inbox.params.rows
            )
    except StillLoading:
        return {"is_loading": True}
    except QueryTimeout:
        return {"took_too_long": True}
    return {"panels": panels, "page": page, "total": panels.found, "bulk_most": COUNTED}
