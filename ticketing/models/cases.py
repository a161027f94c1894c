from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.accounts.models import User
from findings.models import Finding
from ticketing.close_reasons import LABELS, CloseReason
from ticketing.models.jira_users import JiraAssignee
from ticketing.models.key_prefix import KeyPrefix

USER = settings.AUTH_USER_MODEL
ASSIGNEES = ("assignee", "jira_assignee")
"""What `Case.assigned_to` is made of, for `select_related`."""


class Project(models.Model):
    """Where cases live. The key is fixed for life; cases are numbered KEY-1, KEY-2, …"""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=10,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Z][A-Z0-9]{0,9}\Z",
                "Use 1 to 10 capital letters or digits, starting with a letter.",
            )
        ],
    )
    name = models.CharField(max_length=100, unique=True)
    last_number = models.PositiveIntegerField(default=0, editable=False)
    closes_with_findings = models.BooleanField(
        default=True, help_text="Close a case when none of its findings is open any more."
    )
    reopens_with_findings = models.BooleanField(
        default=True, help_text="Open a closed case again when one of its findings opens again."
    )
    reopens_wont_fix = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Also a case that a person closed as risk accepted or false positive.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(excluded_fields=["last_number"])

    class Meta:
        ordering = ("key",)
        constraints = (
            models.CheckConstraint(
                condition=Q(key__regex=r"^[A-Z][A-Z0-9]{0,9}$"), name="project_key_shape"
            ),
        )

    def __str__(self) -> str:
        return f"{self.key} {self.name}"


class Case(models.Model):
    """The ticket of record. A case made by a rule keeps the rule as it was: no foreign key up."""

    class Status(models.TextChoices):
        OPEN = "OPEN", "Open"
        IN_PROGRESS = "IN_PROGRESS", "In Progress"
        CLOSED = "CLOSED", "Closed"

    class Priority(models.TextChoices):
        NOT_DEFINED = "NOT_DEFINED", "Not defined"
        P1 = "P1", "P1 Critical"
        P2 = "P2", "P2 High"
        P3 = "P3", "P3 Medium"
        P4 = "P4", "P4 Low"
        P5 = "P5", "P5 Info"

    class Origin(models.TextChoices):
        RULE = "rule", "Rule"
        MANUAL = "manual", "Person"
        TEST = "test", "Test"
        LIMIT_NOTICE = "limit_notice", "Limit notice"
        API = "api", "API"

    class CreationSource(models.TextChoices):
        """In the words of the public API; what is attached or detached later changes nothing."""

        MANUAL = "MANUAL"
        SECURITY_FINDING = "CS_SECURITY_FINDING"

    MADE_BY_RULES = (Origin.RULE, Origin.LIMIT_NOTICE)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(  # found by the number's constraint
        Project, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField(editable=False)
    key = models.CharField(max_length=21, unique=True, editable=False)  # PROJECT-number
    title = models.TextField()
    description = models.TextField(blank=True)  # Markdown
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    priority = models.CharField(
        max_length=12, choices=Priority.choices, default=Priority.NOT_DEFINED
    )
    assignee = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Instead of `assignee`: somebody in Jira who has no account here.
    jira_assignee = models.ForeignKey(
        "ticketing.JiraUser",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
    )
    due_date = models.DateField(null=True, blank=True)
    # A person set it, here or in Jira; else it is the earliest of the case's open findings.
    is_due_by_hand = models.BooleanField(default=False, db_default=False, editable=False)
    attributes = models.JSONField(default=dict, blank=True)  # name → texts, as clients set them
    resolved_reason = models.CharField(max_length=255, blank=True)  # in the words of who closed it
    origin = models.CharField(max_length=12, choices=Origin.choices, editable=False)
    creation_source = models.CharField(
        max_length=20,
        choices=CreationSource.choices,
        default=CreationSource.MANUAL,
        db_default=CreationSource.MANUAL,
        editable=False,
    )
    rule_id = models.UUIDField(null=True, blank=True, editable=False)
    rule_name = models.CharField(max_length=255, blank=True, editable=False)
    rule_set_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    notice_day = models.DateField(null=True, blank=True, editable=False)  # of a limit notice
    created_by = models.ForeignKey(  # null: the system
        USER,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    modified_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    # --- of a closed one; without meaning while it is open
    close_reason = models.CharField(
        max_length=16,
        choices=[(each.value, label) for each, label in LABELS.items()],
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    stays_closed = models.BooleanField(  # a person decided against a fix
        default=False, db_default=False, editable=False
    )
    # --- the brake on one that its findings close and open again and again
    reopenings = models.JSONField(  # by its findings, the last few times
        default=list, db_default=[], blank=True, editable=False
    )
    held_open_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-modified_at", "-number")
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="case_number_unique"),
            models.UniqueConstraint(
                fields=("rule_id", "notice_day"), name="one_limit_notice_per_rule_and_day"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "IN_PROGRESS", "CLOSED"]),
                name="case_status_known",
            ),
            models.CheckConstraint(
                condition=Q(priority__in=["NOT_DEFINED", "P1", "P2", "P3", "P4", "P5"]),
                name="case_priority_known",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["rule", "manual", "test", "limit_notice", "api"]),
                name="case_origin_known",
            ),
            models.CheckConstraint(
                condition=Q(creation_source__in=["MANUAL", "CS_SECURITY_FINDING"]),
                name="case_creation_source_known",
            ),
            models.CheckConstraint(
                condition=Q(status="CLOSED", closed_at__isnull=False)
                | (~Q(status="CLOSED") & Q(closed_at__isnull=True)),
                name="case_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(assignee=None) | Q(jira_assignee=None), name="case_one_assignee"
            ),
            models.CheckConstraint(
                condition=Q(close_reason__in=["", *(each.value for each in CloseReason)]),
                name="case_close_reason_known",
            ),
        )
        indexes = (
            models.Index(
                fields=("held_open_until",),
                condition=Q(held_open_until__isnull=False),
                name="case_held_open",
            ),
            # How many there are of a status, project or person; rows that are alike take one place.
            models.Index(
                fields=("status", "project", "assignee", "priority"),
                condition=Q(archived_at__isnull=True),
                name="case_counts",
            ),
            # One for each order of the list, down to its last column, with what the board asks
            # besides: a page is found without a look at the table.
            models.Index(
                fields=("-modified_at", "-number", "-id", "status"),
                condition=Q(archived_at__isnull=True),
                name="case_by_update",
            ),
            models.Index(
                fields=("-created_at", "-number", "-id", "status", "archived_at"),
                name="case_by_creation",
            ),
            models.Index(
                Length("priority"),
                F("priority"),
                F("modified_at").desc(),
                F("id").desc(),
                F("status"),
                condition=Q(archived_at__isnull=True),
                name="case_by_priority",
            ),
            models.Index(
                fields=("due_date", "-modified_at", "-number", "-id", "status"),
                condition=Q(archived_at__isnull=True),
                name="case_by_due_date",
            ),
            models.Index(
                KeyPrefix("key"),
                F("number").desc(),
                F("key"),
                F("id"),
                F("status"),
                F("project"),  # else those of the projects before it are looked up
                condition=Q(archived_at__isnull=True),
                name="case_by_key",
            ),
            models.Index(
                fields=("due_date",),
                condition=Q(archived_at__isnull=True, due_date__isnull=False) & ~Q(status="CLOSED"),
                name="case_overdue",
            ),
            models.Index(
                fields=("archived_at",),
                condition=Q(archived_at__isnull=False),
                name="case_archived",
            ),
            models.Index(
                fields=("rule_id", "-created_at"),
                condition=Q(rule_id__isnull=False),
                name="case_rule",
            ),
            models.Index(
                fields=("jira_assignee",),
                condition=Q(jira_assignee__isnull=False),
                name="case_jira_assignee",
            ),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def assigned_to(self) -> User | JiraAssignee | None:
        """Whose it is: a person here, somebody in Jira who has no account here, or nobody.

        Load the case with `select_related(*ASSIGNEES)`.
        """
        if self.assignee or not self.jira_assignee:
            return self.assignee
        return self.jira_assignee.as_assignee

    @property
    def own_due_date(self) -> date | None:
        """The day a person said; none where it is that of its findings."""
        return self.due_date if self.is_due_by_hand else None

    @property
    def is_overdue(self) -> bool:
        today = timezone.now().astimezone(UTC).date()
        return bool(self.due_date and self.due_date < today and self.status != self.Status.CLOSED)


class Attachment(models.Model):
    """A finding on a case: at most one case for a finding."""

    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    finding_is_open = models.BooleanField(default=True)  # as last followed; see services.follow
    finding_due_at = models.DateTimeField(null=True)  # the same
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.finding_id} on {self.case_id}"


class TimelineEntry(models.Model):
    """What happened to a case, newest first."""

    class Kind(models.TextChoices):
        CREATED = "created"
        COMMENT = "comment"
        STATUS = "status"
        PRIORITY = "priority"
        ASSIGNEE = "assignee"
        TITLE = "title"
        DESCRIPTION = "description"
        ATTACHED = "attached"
        GROUPED = "grouped"  # findings that a rule added: `after` is how many, `reason` where
        DETACHED = "detached"
        MOVED = "moved"
        ARCHIVED = "archived"
        UNARCHIVED = "unarchived"
        ISSUE = "issue"  # what became of the issue in Jira; `after` is its key
        CONFLICT = "conflict"  # both sides changed the same; `before` gave way to `after`
        DUE_DATE = "due_date"
        ATTRIBUTES = "attributes"  # one line for each that differs
        RESOLVED = "resolved"  # the reason

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)  # of a comment: its Markdown
    reason = models.TextField(blank=True)  # of an automatic change: why
    actor = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    # Who answers for the key that did it; null for a person, who is the actor, and the system.
    answerable = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    author = models.CharField(max_length=255, blank=True)  # who did it in Jira, by name
    key_name = models.CharField(max_length=120, blank=True)  # the API key that did it
    key_id = models.UUIDField(null=True)  # names of keys repeat
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)  # of a comment: when its text was changed last
    deleted_at = models.DateTimeField(null=True)  # of a comment: its text is gone
    edited_by = models.CharField(max_length=120, blank=True)  # who is not who wrote the comment

    class Meta:
        ordering = ("-created_at", "-id")
        verbose_name_plural = "timeline entries"
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "created",
                        "comment",
                        "status",
                        "priority",
                        "assignee",
                        "title",
                        "description",
                        "attached",
                        "grouped",
                        "detached",
                        "moved",
                        "archived",
                        "unarchived",
                        "issue",
                        "conflict",
                        "due_date",
                        "attributes",
                        "resolved",
                    ]
                ),
                name="timeline_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="comment") | Q(edited_at=None, deleted_at=None),
                name="timeline_only_comments_change",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(after="", edited_at__isnull=False),
                name="timeline_deleted_has_no_text",
            ),
        )
        indexes = (
            # An old key of a moved case still leads to it.
            models.Index(fields=("before",), condition=Q(kind="moved"), name="case_former_key"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"

    @property
    def changed_at(self) -> datetime:
        """Of a comment: when it was written or changed last."""
        return self.edited_at or self.created_at


class CommentRevision(models.Model):
    """What a comment said before it was edited or deleted, and what after: kept, never changed."""

    entry = models.ForeignKey(TimelineEntry, on_delete=models.CASCADE, related_name="revisions")
    before = models.TextField()
    after = models.TextField(blank=True)  # empty: it was deleted
    actor = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    key_name = models.CharField(max_length=120, blank=True)
    in_jira = models.BooleanField(default=False)  # by whom, Jira does not say
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.entry_id} {self.created_at:%Y-%m-%d %H:%M}"
