from ticketing.models.accounts import (
    DUE_DATE_FIELD,
    ClosingAnswer,
    Destination,
    JiraAccount,
    JiraSpace,
    RequestHour,
    SpacePoll,
    SyncMode,
    WebhookEvent,
)
from ticketing.models.bulk import BulkRun, BulkStep
from ticketing.models.cases import (
    ASSIGNEES,
    Attachment,
    Case,
    CommentRevision,
    Project,
    TimelineEntry,
)
from ticketing.models.groups import MAX_FINDINGS_OF_GROUP, CaseGroup
from ticketing.models.issue_templates import JiraIssueTemplate
from ticketing.models.jira_users import JiraUser
from ticketing.models.outbox import (
    Attempt,
    CommentLink,
    ExternalIssue,
    NewestNumber,
    Orphan,
)

__all__ = [
    "ASSIGNEES",
    "DUE_DATE_FIELD",
    "MAX_FINDINGS_OF_GROUP",
    "Attachment",
    "Attempt",
    "BulkRun",
    "BulkStep",
    "Case",
    "CaseGroup",
    "ClosingAnswer",
    "CommentLink",
    "CommentRevision",
    "Destination",
    "ExternalIssue",
    "JiraAccount",
    "JiraIssueTemplate",
    "JiraSpace",
    "JiraUser",
    "NewestNumber",
    "Orphan",
    "Project",
    "RequestHour",
    "SpacePoll",
    "SyncMode",
    "TimelineEntry",
    "WebhookEvent",
]
