from __future__ import annotations

from django.urls import path, re_path

from findings.api.findings import FindingsView, FindingView
from findings.api.imports import ImportsView, ImportView

app_name = "findings-api"

urlpatterns = [
    path("findings", FindingsView.as_view(), name="finding-list"),
    # Ids are url-safe base64; anything else is no address.
    re_path(
        r"^findings/(?P<finding_id>[A-Za-z0-9_=-]{1,400})$",
        FindingView.as_view(),
        name="finding-show",
    ),
    path("imports", ImportsView.as_view(), name="import-list"),
    path("imports/<uuid:import_id>", ImportView.as_view(), name="import-show"),
]
