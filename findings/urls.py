from __future__ import annotations

from django.urls import path

from findings.views import explorer, export, importers, inbox, panel, saved, triage

app_name = "findings"

urlpatterns = [
    path("settings/importers", importers.list_importers, name="importer-list"),
    path("settings/importers/upload", importers.upload_report, name="import-create"),
    path("settings/importers/<uuid:import_id>", importers.show_import, name="import-show"),
    path("settings/importers/<uuid:import_id>/begin", importers.confirm, name="import-confirm"),
    path(
        "settings/importers/<uuid:import_id>/columns", importers.map_columns, name="import-columns"
    ),
    path("settings/importers/<uuid:import_id>/discard", importers.discard, name="import-discard"),
    path("settings/importers/<uuid:import_id>/resolve", importers.resolve, name="import-resolve"),
    path("settings/importers/<uuid:import_id>/keep", importers.keep_open, name="import-keep"),
    path("settings/importers/<uuid:import_id>/undo", importers.undo_import, name="import-undo"),
    path("inbox", inbox.show_inbox, name="inbox"),
    path("findings", explorer.list_findings, name="finding-list"),
    path("explorer/facets", explorer.show_facets, name="explorer-facets"),
    path("explorer/facets/<str:name>", explorer.show_facet, name="explorer-facet"),
    path("explorer/histogram", explorer.show_histogram, name="explorer-histogram"),
    path("explorer/counts", explorer.show_tab_counts, name="explorer-counts"),
    path("explorer/group", explorer.show_group, name="explorer-group"),
    path("explorer/export", export.export_findings, name="explorer-export"),
    path("explorer/columns", explorer.suggest_columns, name="explorer-columns"),
    path("explorer/suggest", explorer.suggest_terms, name="explorer-suggest"),
    path("explorer/views/new", saved.create_view, name="view-create"),
    path("explorer/views/<int:view_id>", saved.edit_view, name="view-edit"),
    path("explorer/views/<int:view_id>/delete", saved.delete_view, name="view-delete"),
    path("findings/<str:finding_id>", panel.show_finding, name="finding-show"),
    path("triage/mute", triage.mute_findings, name="finding-mute"),
    path("triage/assign", triage.assign_findings, name="finding-assign"),
    path("triage/status", triage.change_status, name="finding-status"),
    path("triage/inbox", triage.choose_inbox, name="finding-inbox"),
    path("triage/severity", triage.change_severity, name="finding-severity"),
]
