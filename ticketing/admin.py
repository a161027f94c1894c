from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from config.lib.admin import BrowseAdmin, HistoryAdmin, made_by_rule
from ticketing.models import (
    ASSIGNEES,
    Attachment,
    Attempt,
    BulkRun,
    BulkStep,
    Case,
    CaseGroup,
    ClosingAnswer,
    CommentLink,
    CommentRevision,
    Destination,
    ExternalIssue,
    JiraAccount,
    JiraIssueTemplate,
    JiraSpace,
    JiraUser,
    NewestNumber,
    Orphan,
    Project,
    RequestHour,
    SpacePoll,
    TimelineEntry,
    WebhookEvent,
)


@admin.register(Project)
class ProjectAdmin(HistoryAdmin):
    list_display = ("key", "name", "last_number", "created_at")
    search_fields = ("key", "name")
    date_hierarchy = "created_at"


class CaseGroupInline(TabularInline):
    """The group that a case stands for, to read."""

    model = CaseGroup
    fk_name = "case"
    fields = ("group_by", "group_values", "takes_more", "follows", "is_continuation")
    can_delete = False
    extra = 0  # without it a case that has no group shows a form with all cases to choose from
    verbose_name_plural = "Group"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Case)
class CaseAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = (
        "key",
        "made_by",
        "title",
        "status",
        "priority",
        "assigned_to",
        "project",
        "modified_at",
    )
    list_filter = ("status", "priority", "origin", "project")
    list_select_related = ("project", *ASSIGNEES, "created_by")
    search_fields = ("key", "title", "rule_name")
    date_hierarchy = "created_at"
    inlines = (CaseGroupInline,)

    @display(description="Assignee", ordering="assignee__name")
    def assigned_to(self, case: Case) -> str:
        return case.assigned_to.name if case.assigned_to else "-"

    @display(description="Made by", ordering="origin")
    def made_by(self, case: Case) -> SafeString | str:
        if case.origin == Case.Origin.RULE:
            return made_by_rule(f"Created automatically by rule {case.rule_name}")
        return case.created_by.name if case.created_by else case.get_origin_display()


@admin.register(CaseGroup)
class CaseGroupAdmin(BrowseAdmin):
    """Cases that rules made for groups of findings: what each stands for."""

    has_many_rows = True
    list_display = ("case", "label", "values", "takes_more", "follows", "refresh_since")
    list_filter = ("takes_more", "is_continuation")
    list_select_related = ("case", "follows")
    search_fields = ("case__key", "=rule_id", "=key")

    @display(description="One ticket per")
    def label(self, group: CaseGroup) -> str:
        return group.label

    @display(description="Values")
    def values(self, group: CaseGroup) -> str:
        return ", ".join(group.group_values)


@admin.register(Attachment)
class AttachmentAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("finding", "case", "finding_is_open", "created_by", "created_at")
    list_filter = ("finding_is_open",)
    list_select_related = ("finding", "case", "created_by")
    search_fields = ("finding__title", "case__key")
    date_hierarchy = "created_at"


@admin.register(TimelineEntry)
class TimelineEntryAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("case", "kind", "before", "after", "actor", "created_at")
    list_filter = ("kind",)
    list_select_related = ("case", "actor")
    search_fields = ("case__key", "after")
    date_hierarchy = "created_at"


@admin.register(CommentRevision)
class CommentRevisionAdmin(BrowseAdmin):
    """What comments said before they were edited or deleted."""

    has_many_rows = True
    list_display = ("entry", "before", "after", "actor", "key_name", "created_at")
    list_select_related = ("entry", "actor")
    search_fields = ("before", "after", "=entry__id")
    date_hierarchy = "created_at"


@admin.register(JiraAccount)
class JiraAccountAdmin(HistoryAdmin):
    list_display = ("name", "host", "deployment", "state", "connected_at", "deleted_at")
    list_filter = ("state", "deployment")
    search_fields = ("name", "site_url")
    exclude = ("token", "webhook_secret", "former_webhook_secret")


@admin.register(JiraSpace)
class JiraSpaceAdmin(BrowseAdmin):
    list_display = ("key", "name", "account", "is_allowed", "webhook_event_at", "seen_at")
    list_filter = ("is_allowed", "account")
    list_select_related = ("account",)
    search_fields = ("key", "name")


@admin.register(JiraIssueTemplate)
class JiraIssueTemplateAdmin(HistoryAdmin):
    list_display = ("name", "account", "space_id", "type_id", "created_at")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ("name",)


@admin.register(JiraUser)
class JiraUserAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("name", "email", "person", "account", "seen_at")
    list_select_related = ("account", "person")
    search_fields = ("name", "email")


@admin.register(Destination)
class DestinationAdmin(HistoryAdmin):
    list_display = ("project", "account", "space_key", "type_name", "is_enabled")
    list_select_related = ("project", "account")
    search_fields = ("space_key", "project__key")


@admin.register(ClosingAnswer)
class ClosingAnswerAdmin(HistoryAdmin):
    list_display = ("destination", "reason", "name", "value")
    list_filter = ("reason",)
    list_select_related = ("destination",)
    search_fields = ("name", "value", "destination__project__key")


@admin.register(ExternalIssue)
class ExternalIssueAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("issue_key", "case", "state", "attempts", "reason", "created_at")
    list_filter = ("state", "account")
    list_select_related = ("case",)
    search_fields = ("issue_key", "case__key")
    date_hierarchy = "created_at"


@admin.register(Attempt)
class AttemptAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("issue", "operation", "outcome", "status", "reason", "started_at", "ended_at")
    list_filter = ("operation", "outcome")
    list_select_related = ("issue",)
    search_fields = ("reason", "issue__issue_key")
    date_hierarchy = "started_at"


@admin.register(NewestNumber)
class NewestNumberAdmin(BrowseAdmin):
    list_display = ("space_id", "account", "number", "at")
    list_select_related = ("account",)
    search_fields = ("space_id",)


@admin.register(Orphan)
class OrphanAdmin(BrowseAdmin):
    list_display = ("remote_key", "issue", "reason", "found_at")
    list_select_related = ("issue",)
    search_fields = ("remote_key",)


@admin.register(CommentLink)
class CommentLinkAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("comment_id", "issue", "entry", "updated_at")
    list_select_related = ("issue", "entry")


@admin.register(SpacePoll)
class SpacePollAdmin(BrowseAdmin):
    list_display = ("space_id", "account", "polled_at", "due_at", "failures", "problem")
    list_filter = ("account",)


@admin.register(RequestHour)
class RequestHourAdmin(BrowseAdmin):
    list_display = ("account", "hour", "requests", "throttled", "failed")
    list_select_related = ("account",)
    date_hierarchy = "hour"


@admin.register(WebhookEvent)
class WebhookEventAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("identifier", "account", "received_at")
    list_select_related = ("account",)
    search_fields = ("identifier",)


@admin.register(BulkRun)
class BulkRunAdmin(BrowseAdmin):
    list_display = ("created_at", "deed", "state", "actor", "finished_at", "reason")
    list_filter = ("deed", "state")
    list_select_related = ("actor",)
    date_hierarchy = "created_at"


@admin.register(BulkStep)
class BulkStepAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("run", "position", "finding", "outcome", "reason", "case")
    list_filter = ("outcome",)
    list_select_related = ("run", "finding", "case")
