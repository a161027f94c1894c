from ticketing.models.accounts import (
    Destination,
    JiraAccount,
    JiraSpace,
    JiraUser,
    RequestHour,
    SyncMode,
    WebhookEvent,
)
from ticketing.models.bulk import BulkRun, BulkStep
from ticketing.models.cases import Attachment, Case, Project, TimelineEntry
from ticketing.models.issue_templates import JiraIssueTemplate
from ticketing.models.outbox import Attempt, CommentLink, ExternalIssue, Orphan

__all__ = [
    "Attachment",
    "Attempt",
    "BulkRun",
    "BulkStep",
    "Case",
    "CommentLink",
    "Destination",
    "ExternalIssue",
    "JiraAccount",
    "JiraIssueTemplate",
    "JiraSpace",
    "JiraUser",
    "Orphan",
    "Project",
    "RequestHour",
    "SyncMode",
    "TimelineEntry",
    "WebhookEvent",
]
