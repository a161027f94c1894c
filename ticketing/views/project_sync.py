"""What of a project is kept in step with Jira."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import connections, destinations, placeholders
from ticketing.forms.closing import ClosingForm
from ticketing.forms.sync import Choice, SyncForm
from ticketing.issues import closing_blocks
from ticketing.models import Destination
from ticketing.trackers.base import TrackerError


@require(Permission.PROJECTS_WRITE)
@require_http_methods(["GET", "POST"])
def sync_project(request: HttpRequest, key: str) -> HttpResponse:
    """Data Sync Settings; without an answer from Jira they can still be changed."""
    destination = _destination(key)
    jira = _ask(destination)
    sent = request.POST if request.method == "POST" else None
    form = SyncForm(sent, destination=destination, **jira.choices)
    blocks = closing_blocks(destination.project_id)
    added = request.GET.get("add", "")
    closing = ClosingForm(
        sent, destination=destination, blocks=blocks, offered=jira.fields, added=added
    )
    if form.is_valid() and closing.is_valid():
        with transaction.atomic():
            destinations.save_sync(destination, form.settings, actor=signed_in(request))
            destinations.save_answers(destination, closing.answers, actor=signed_in(request))
        toast(request, f"Data sync settings of {destination.project.name} saved")
        return _next(key, closing.cleaned_data["closing_add"])
    context = {"sync": form, "closing": closing, "blocks": blocks, "destination": destination}
    status = 422 if form.is_bound else 200
    context |= {"problem": jira.problem, "names": placeholders.NAMES}
    return render(request, "ticketing/project_sync.html", context, status=status)


_NEEDED = ("statuses", "priorities", "offered", "date_fields")


class _Jira(NamedTuple):
    """What the project's Jira offers; nothing, with the problem, if it cannot be asked."""

    choices: Mapping[str, Any] = MappingProxyType({})
    fields: Sequence[Choice] = ()
    problem: str = ""


def _ask(destination: Destination) -> _Jira:
    try:
        found = connections.workflow(destination)
    except TrackerError as error:
        return _Jira(problem=error.reason)
    choices = {name: getattr(found, name) for name in _NEEDED}
    return _Jira(choices, [Choice(each.id, each.name) for each in found.fields])


def _next(key: str, added: str) -> HttpResponse:
    """Where a field was added, its answers are next."""
    if not added:
        return redirect("ticketing:project-list")
    address = reverse("ticketing:project-sync", args=[key])
    return redirect(f"{address}?{urlencode({'add': added})}#closing")


@require(Permission.PROJECTS_WRITE)
@require_http_methods(["GET", "POST"])
def unlink_project(request: HttpRequest, key: str) -> HttpResponse:
    """Its tickets are cases alone from then on."""
    destination = _destination(key)
    project = destination.project
    if request.method == "POST":
        destinations.unlink(destination, actor=signed_in(request))
        toast(request, f"{project.name} is no longer linked to Jira")
        return redirect("ticketing:project-list")
    context = {
        "question": f"Unlink {project.name} from Jira?",
        "text": "New tickets of this project are cases alone, and rules that create Jira tickets "
        "in it stop with a reason. Issues that exist stay as they are.",
        "label": "Unlink",
        "cancel_url": reverse("ticketing:project-sync", args=[project.key]),
    }
    return render(request, "confirm.html", context)


def _destination(key: str) -> Destination:
    linked = Destination.objects.select_related("account", "project")
    return get_object_or_404(linked, project__key=key.replace("\0", ""))
