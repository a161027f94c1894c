from __future__ import annotations

from django.urls import path

from findings.views import explorer, panel, triage

app_name = "findings"

urlpatterns = [
    path("findings", explorer.list_findings, name="finding-list"),
    path("findings/<str:finding_id>", panel.show_finding, name="finding-show"),
    path("triage/mute", triage.mute_findings, name="finding-mute"),
    path("triage/assign", triage.assign_findings, name="finding-assign"),
    path("triage/status", triage.change_status, name="finding-status"),
]
