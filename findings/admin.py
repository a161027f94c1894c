from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from config.lib.admin import BrowseAdmin, made_by_rule
from findings.facts import Ticket
from findings.models import (
    ArchivedFinding,
    ChangedDay,
    ChangeLog,
    CountedDay,
    DailyCount,
    Evaluation,
    Finding,
    FindingChange,
    FindingEvent,
    Import,
    ImportChange,
    SavedView,
    Scope,
    Source,
)


@admin.register(Source)
class SourceAdmin(BrowseAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    date_hierarchy = "created_at"


@admin.register(Finding)
class FindingAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "title",
        "severity",
        "status",
        "finding_type",
        "ticket_shown",
        "due_at",
        "is_in_inbox",
        "source",
        "first_seen_at",
    )
    list_filter = ("severity", "status", "finding_type", "ticket", "is_in_inbox", "source")
    list_select_related = ("source",)
    search_fields = ("title", "resource_name", "resource_id", "finding_id", "ticket_key")

    @display(description="Ticket", ordering="ticket_key")
    def ticket_shown(self, finding: Finding) -> SafeString | str:
        if finding.ticket == Ticket.AUTOMATED:
            bolt = made_by_rule("Created automatically by a rule")
            return format_html("{} {}", bolt, finding.ticket_key)
        return finding.ticket_key or finding.get_ticket_display()


@admin.register(FindingEvent)
class FindingEventAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "finding",
        "kind",
        "before",
        "after",
        "actor",
        "key_name",
        "rule_name",
        "created_at",
    )
    list_filter = ("kind",)
    list_select_related = ("finding", "actor")
    search_fields = ("finding__title", "note", "rule_name")
    date_hierarchy = "created_at"


@admin.register(Import)
class ImportAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "file_name",
        "source",
        "format",
        "state",
        "received",
        "new",
        "resolved",
        "rejected",
        "started_at",
    )
    list_filter = ("state", "closing", "format", "source")
    list_select_related = ("source",)
    search_fields = ("file_name", "started_by")
    date_hierarchy = "started_at"


@admin.register(Scope)
class ScopeAdmin(BrowseAdmin):
    list_display = ("target", "scanner", "source", "is_mixed", "created_at")
    list_filter = ("is_mixed", "scanner", "source")
    list_select_related = ("source",)
    search_fields = ("target", "scanner", "source__name")
    date_hierarchy = "created_at"


@admin.register(SavedView)
class SavedViewAdmin(BrowseAdmin):
    list_display = ("name", "page", "owner", "is_shared", "query", "created_at")
    list_filter = ("page", "is_shared")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__name")
    date_hierarchy = "created_at"


@admin.register(ImportChange)
class ImportChangeAdmin(BrowseAdmin):
    """What reports changed of findings that were there."""

    has_many_rows = True
    list_display = ("run", "finding", "kind", "is_undone")
    list_filter = ("kind", "is_undone")
    list_select_related = ("run", "finding")
    search_fields = ("finding__title", "run__file_name")


@admin.register(DailyCount)
class DailyCountAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("day", "measure", "by", "value", "hours", "number")
    list_filter = ("measure", "by")
    search_fields = ("value",)
    date_hierarchy = "day"


@admin.register(CountedDay)
class CountedDayAdmin(BrowseAdmin):
    list_display = ("day",)
    date_hierarchy = "day"


@admin.register(ChangedDay)
class ChangedDayAdmin(BrowseAdmin):
    """The days whose counts are still to be made again."""

    list_display = ("day",)
    date_hierarchy = "day"


@admin.register(Evaluation)
class EvaluationAdmin(BrowseAdmin):
    """Where each finding stands with the rules."""

    has_many_rows = True
    list_display = ("finding", "last_seen_at", "unevaluated_since", "recheck_since", "decided_at")
    list_select_related = ("finding",)
    search_fields = ("finding__finding_id",)


@admin.register(FindingChange)
class FindingChangeAdmin(BrowseAdmin):
    """What the explorer's columns follow."""

    has_many_rows = True
    list_display = ("id", "at", "xid", "__str__")


@admin.register(ChangeLog)
class ChangeLogAdmin(BrowseAdmin):
    list_display = ("generation", "floor")


@admin.register(ArchivedFinding)
class ArchivedFindingAdmin(BrowseAdmin):
    """By what archived findings are known when they are reported again."""

    has_many_rows = True
    list_display = ("finding_id", "file", "archived_at")
    search_fields = ("finding_id", "file")
