"""What of a project is kept in step with Jira."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import connections, destinations
from ticketing.forms.sync import SyncForm
from ticketing.models import Destination
from ticketing.trackers.base import TrackerError


@require(Permission.PROJECTS_WRITE)
@require_http_methods(["GET", "POST"])
def sync_project(request: HttpRequest, key: str) -> HttpResponse:
    """Data Sync Settings; without an answer from Jira they can still be changed."""
    destination = _destination(key)
    problem = ""
    choices: dict[str, Any] = {}
    try:
        choices["statuses"], choices["priorities"] = connections.workflow(destination)
    except TrackerError as error:
        problem = error.reason
    sent = request.POST if request.method == "POST" else None
    form = SyncForm(sent, destination=destination, **choices)
    if form.is_valid():
        destinations.save_sync(destination, form.settings, actor=signed_in(request))
        toast(request, f"Data sync settings of {destination.project.name} saved")
        return redirect("ticketing:project-list")
    context = {"sync": form, "destination": destination, "problem": problem}
    status = 422 if form.is_bound else 200
    return render(request, "ticketing/project_sync.html", context, status=status)


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
