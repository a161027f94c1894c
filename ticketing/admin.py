from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.decorators import display

from config.lib.admin import BrowseAdmin, HistoryAdmin, made_by_rule
from ticketing.models import Attachment, Case, Project, TimelineEntry


@admin.register(Project)
class ProjectAdmin(HistoryAdmin):
    list_display = ("key", "name", "last_number", "created_at")
    search_fields = ("key", "name")
    date_hierarchy = "created_at"


@admin.register(Case)
class CaseAdmin(BrowseAdmin):
    list_display = (
        "key",
        "made_by",
        "title",
        "status",
        "priority",
        "assignee",
        "project",
        "modified_at",
    )
    list_filter = ("status", "priority", "origin", "project")
    list_select_related = ("project", "assignee", "created_by")
    search_fields = ("key", "title", "rule_name")
    date_hierarchy = "created_at"

    @display(description="Made by", ordering="origin")
    def made_by(self, case: Case) -> SafeString | str:
        if case.origin == Case.Origin.RULE:
            return made_by_rule(f"Created automatically by rule {case.rule_name}")
        return case.created_by.name if case.created_by else case.get_origin_display()


@admin.register(Attachment)
class AttachmentAdmin(BrowseAdmin):
    list_display = ("finding", "case", "finding_is_open", "created_by", "created_at")
    list_filter = ("finding_is_open",)
    list_select_related = ("finding", "case", "created_by")
    search_fields = ("finding__title", "case__key")
    date_hierarchy = "created_at"


@admin.register(TimelineEntry)
class TimelineEntryAdmin(BrowseAdmin):
    list_display = ("case", "kind", "before", "after", "actor", "created_at")
    list_filter = ("kind",)
    list_select_related = ("case", "actor")
    search_fields = ("case__key", "after")
    date_hierarchy = "created_at"
