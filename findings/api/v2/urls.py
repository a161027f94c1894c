from __future__ import annotations

from django.urls import path

from findings.api.v2.posture import PostureFindingsView, PostureFindingView
from findings.api.v2.search import SearchView, SecurityFindingsView
from findings.api.v2.triage import AssigneeView, MuteView, SeverityView

app_name = "findings-public"

urlpatterns = [
    path("security/findings", SecurityFindingsView.as_view(), name="finding-list"),
    path("security/findings/search", SearchView.as_view(), name="finding-search"),
    path("security/findings/mute", MuteView.as_view(), name="finding-mute"),
    path("security/findings/assignee", AssigneeView.as_view(), name="finding-assign"),
    path("security/findings/severity", SeverityView.as_view(), name="finding-severity"),
    path("posture_management/findings", PostureFindingsView.as_view()),
    path("posture_management/findings/<str:finding_id>", PostureFindingView.as_view()),
]
