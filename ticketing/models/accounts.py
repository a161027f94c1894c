from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.lib.crypto import EncryptedTextField
from ticketing.close_reasons import LABELS, CloseReason
from ticketing.due_days import DateField
from ticketing.models.cases import Project

USER = settings.AUTH_USER_MODEL


class JiraAccount(models.Model):
    """Credentials and address of one Jira, and how fast we may call it.

    Deleting one empties its secrets and sets `deleted_at`: its issues still say where they are.
    """

    class Deployment(models.TextChoices):
        CLOUD = "cloud", "Jira Cloud"
        DATA_CENTER = "data_center", "Jira Data Center"

    class Markup(models.TextChoices):
        WIKI = "wiki", "Wiki markup (REST v2)"
        DOCUMENT = "document", "Atlassian document (REST v3)"

    class State(models.TextChoices):
        CONNECTED = "connected", "Connected"
        SUSPECTED = "suspected", "Being checked"
        AUTH_FAILED = "auth_failed", "Authentication failed"
        BROKEN = "broken", "Not reachable"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    deployment = models.CharField(
        max_length=12, choices=Deployment.choices, default=Deployment.CLOUD
    )
    site_url = models.CharField(max_length=255)  # what people open; no slash at the end
    api_url = models.CharField(max_length=255)  # what we call: the same, or the token's gateway
    email = models.CharField(max_length=255, blank=True)  # Cloud only
    token = EncryptedTextField(blank=True)
    token_expires_on = models.DateField(null=True, blank=True)
    webhook_secret = EncryptedTextField(blank=True)
    former_webhook_secret = EncryptedTextField(blank=True)  # still accepted while rotating
    webhook_id = models.CharField(max_length=64, blank=True)  # of the one we registered there
    markup = models.CharField(max_length=8, choices=Markup.choices, default=Markup.WIKI)
    is_sandbox = models.BooleanField(default=False, editable=False)

    user_id = models.CharField(max_length=255, blank=True, editable=False)  # who we are there
    user_name = models.CharField(max_length=255, blank=True, editable=False)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.CONNECTED, editable=False
    )
    problem = models.TextField(blank=True, editable=False)  # of a state other than connected
    problem_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_at = models.DateTimeField(null=True, blank=True, editable=False)  # when to look again
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    probes = models.PositiveSmallIntegerField(default=0, editable=False)  # failed, in a row
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    webhook_event_at = models.DateTimeField(null=True, blank=True, editable=False)

    rate = models.FloatField(default=10.0, editable=False)  # requests a second; see pacing
    next_request_at = models.DateTimeField(default=timezone.now, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Endpoint → until when (epoch seconds) it asks us to wait, while all others may be called.
    endpoint_pauses = models.JSONField(default=dict, db_default={}, editable=False)
    # Creates stop for a while when several have become unsure; looking for them does not.
    unsure_in_a_row = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    creates_paused_until = models.DateTimeField(null=True, editable=False)
    served_until = models.DateTimeField(null=True, editable=False)  # a worker delivers; its lease
    served_by = models.CharField(
        max_length=255, blank=True, default="", db_default="", editable=False
    )

    sync_served_until = models.DateTimeField(null=True, editable=False)  # a worker syncs; its lease
    sync_failures = models.PositiveSmallIntegerField(default=0, editable=False)  # in a row
    sync_paused_until = models.DateTimeField(null=True, editable=False)  # creates go on
    sync_problem = models.TextField(blank=True, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    connected_at = models.DateTimeField(null=True, blank=True, editable=False)  # null: a draft
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "token",
            "webhook_secret",
            "former_webhook_secret",
            "probe_at",
            "probed_at",
            "probes",
            "checked_at",
            "synced_at",
            "webhook_event_at",
            "rate",
            "next_request_at",
            "paused_until",
            "endpoint_pauses",
            "unsure_in_a_row",
            "creates_paused_until",
            "served_until",
            "sync_served_until",
            "sync_failures",
            "sync_paused_until",
            "sync_problem",
            "served_by",
        ]
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("name",), condition=Q(deleted_at=None), name="jira_account_name_unique"
            ),
            models.CheckConstraint(
                condition=Q(deployment__in=["cloud", "data_center"]),
                name="jira_account_deployment_known",
            ),
            models.CheckConstraint(
                condition=Q(markup__in=["wiki", "document"]), name="jira_account_markup_known"
            ),
            models.CheckConstraint(
                condition=Q(state="connected", problem="")
                | (Q(state__in=["suspected", "auth_failed", "broken"]) & ~Q(problem="")),
                name="jira_account_problem_has_state",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        """Whether it surely does not work, and tickets wait."""
        return self.state in (self.State.AUTH_FAILED, self.State.BROKEN)

    @property
    def is_webhook_verified(self) -> bool:
        """Whether events come through the webhook that we registered, which is for all spaces."""
        return bool(self.webhook_id) and self.webhook_event_at is not None

    @property
    def host(self) -> str:
        return urlsplit(self.site_url).netloc

    def browse_url(self, key: str) -> str:
        return f"{self.site_url}/browse/{key}"


class JiraSpace(models.Model):
    """A space (Jira's project) as we saw it last, and whether its webhook events reach us."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="spaces")
    space_id = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    is_allowed = models.BooleanField(default=True)  # rules may use it
    problem = models.TextField(blank=True)
    webhook_event_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("key",)
        constraints = (
            models.UniqueConstraint(fields=("account", "space_id"), name="jira_space_unique"),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def is_verified(self) -> bool:
        """Whether changes made in the space are known to reach us."""
        return self.webhook_event_at is not None or self.account.is_webhook_verified


class SpacePoll(models.Model):
    """A space in which issues are followed: until when we know what was changed there."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    space_id = models.CharField(max_length=64)
    polled_at = models.DateTimeField(default=timezone.now)  # what was changed before is known
    due_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    problem = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "space_id"), name="space_poll_unique"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.space_id}"


class SyncMode(models.TextChoices):
    TWO_WAY = "two_way", "Two-way sync"
    ONCE = "once", "Once to Jira at creation"
    OFF = "off", "Don't sync"


DUE_DATE_FIELD = "duedate"
"""Jira's own, which every Jira has."""


def _sync(default: SyncMode) -> models.CharField[str, str]:
    return models.CharField(max_length=8, choices=SyncMode.choices, default=default)


class Destination(models.Model):
    """A project's Jira settings: where its issues are created, and what is kept in step."""

    class NoWayBack(models.TextChoices):
        NEW_ISSUE = "new_issue", "Create a new, linked ticket"
        LEAVE = "leave", "Leave the ticket closed"

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="destination")
    account = models.ForeignKey(JiraAccount, on_delete=models.PROTECT, related_name="destinations")
    space_id = models.CharField(max_length=64)
    space_key = models.CharField(max_length=64)
    space_name = models.CharField(max_length=255, blank=True)
    type_id = models.CharField(max_length=64)
    type_name = models.CharField(max_length=255, blank=True)
    is_enabled = models.BooleanField(default=True)

    sync_title = _sync(SyncMode.ONCE)
    sync_description = _sync(SyncMode.ONCE)
    sync_status = _sync(SyncMode.TWO_WAY)
    sync_assignee = _sync(SyncMode.TWO_WAY)
    sync_priority = _sync(SyncMode.ONCE)
    sync_comments = _sync(SyncMode.TWO_WAY)
    sync_due_date = models.CharField(
        max_length=8,
        choices=SyncMode.choices,
        default=SyncMode.OFF,
        db_default=SyncMode.OFF.value,
    )
    due_date_field = models.CharField(  # its id in Jira
        max_length=255, default=DUE_DATE_FIELD, db_default=DUE_DATE_FIELD
    )
    due_date_has_time = models.BooleanField(default=False, db_default=False)  # that field
    # Its id in Jira → {"sync_type": once or off, "value": as Jira takes it}
    custom_fields = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField()), blank=True
    )
    status_mapping = models.JSONField(default=dict, blank=True)  # Case.Status → Jira status id
    priority_mapping = models.JSONField(default=dict, blank=True)  # P1…P5 → Jira priority id
    no_way_back = models.CharField(
        max_length=10,
        choices=NoWayBack.choices,
        default=NoWayBack.NEW_ISSUE,
        help_text="When a finding returns and the workflow does not lead back from its status.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    sync_title__in=SyncMode.values,
                    sync_description__in=SyncMode.values,
                    sync_status__in=SyncMode.values,
                    sync_assignee__in=SyncMode.values,
                    sync_priority__in=SyncMode.values,
                    sync_comments__in=SyncMode.values,
                    sync_due_date__in=SyncMode.values,
                ),
                name="destination_sync_known",
            ),
            models.CheckConstraint(
                condition=Q(no_way_back__in=["new_issue", "leave"]),
                name="destination_no_way_back_known",
            ),
        )
        indexes = (
            models.Index(fields=("account", "space_id", "type_id"), name="destination_place"),
        )

    def __str__(self) -> str:
        return f"{self.space_key} · {self.type_name}"

    @property
    def due_date_place(self) -> DateField:
        """The field there that due dates are in."""
        return DateField(self.due_date_field, self.due_date_has_time)


class ClosingAnswer(models.Model):
    """What a project puts into a field that Jira asks for on closing, for one reason to close.

    `value` is as a person typed it, with placeholders; several values have commas between them.
    """

    RESOLUTION = "resolution"  # the field whose value is names, the best first

    destination = models.ForeignKey(
        Destination, on_delete=models.CASCADE, related_name="closing_answers", db_index=False
    )
    reason = models.CharField(
        max_length=16, choices=[(each.value, label) for each, label in LABELS.items()]
    )
    field = models.CharField(max_length=255)  # its id in Jira
    name = models.CharField(max_length=255)  # as Jira calls it
    value = models.TextField()

    history = HistoricalRecords()

    class Meta:
        verbose_name = "answer on closing"
        verbose_name_plural = "answers on closing"
        ordering = ("name", "reason")
        constraints = (
            models.UniqueConstraint(
                fields=("destination", "reason", "field"), name="closing_answer_unique"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=[each.value for each in CloseReason]),
                name="closing_answer_reason_known",
            ),
            models.CheckConstraint(
                condition=~Q(field="") & ~Q(value=""), name="closing_answer_says_something"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} if {self.get_reason_display().lower()}"


class RequestHour(models.Model):
    """Calls to one account in one hour of UTC."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    throttled = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "hour"), name="request_hour_unique"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.hour:%Y-%m-%d %H}"


class WebhookEvent(models.Model):
    """An event that was taken: the same one again changes nothing. Kept for a week."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    identifier = models.CharField(max_length=255)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "identifier"), name="webhook_event_unique"),
        )
        indexes = (models.Index(fields=("received_at",), name="webhook_event_received"),)

    def __str__(self) -> str:
        return self.identifier
