from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.lib.crypto import EncryptedTextField
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
        AUTH_FAILED = "auth_failed", "Authentication failed"
        BROKEN = "broken", "Not reachable as configured"

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
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    webhook_event_at = models.DateTimeField(null=True, blank=True, editable=False)

    rate = models.FloatField(default=10.0, editable=False)  # requests a second; see pacing
    next_request_at = models.DateTimeField(default=timezone.now, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    served_until = models.DateTimeField(null=True, editable=False)  # a worker delivers; its lease

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
            "checked_at",
            "synced_at",
            "webhook_event_at",
            "rate",
            "next_request_at",
            "paused_until",
            "served_until",
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
                | (Q(state__in=["auth_failed", "broken"]) & ~Q(problem="")),
                name="jira_account_problem_has_state",
            ),
        )

    def __str__(self) -> str:
        return self.name

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


class JiraUser(models.Model):
    """A person there, and who that is here: found by e-mail, or never."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    user_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=255, blank=True)
    person = models.ForeignKey(USER, on_delete=models.CASCADE, null=True, related_name="+")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "user_id"), name="jira_user_unique"),
        )

    def __str__(self) -> str:
        return self.name or self.user_id


class SyncMode(models.TextChoices):
    TWO_WAY = "two_way", "Two-way sync"
    ONCE = "once", "Once to Jira at creation"
    OFF = "off", "Don't sync"


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
        return f"{self.account_id} {self.hour:%d %b %H}"


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
