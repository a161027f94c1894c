from __future__ import annotations

import base64
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ticketing.models.accounts import JiraAccount
from ticketing.models.cases import Case, TimelineEntry
from ticketing.states import State


class ExternalIssue(models.Model):
    """The Jira issue we promised for a case, from the promise on. See `ticketing.states`.

    `fields` is what was asked for, with its placeholders; `facts` are those of the finding
    they are filled from. Both are kept, so that a repaired rule's fields can take their place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="external_issues")
    account = models.ForeignKey(JiraAccount, on_delete=models.PROTECT, related_name="+")
    space_id = models.CharField(max_length=64)
    space_key = models.CharField(max_length=64)
    type_id = models.CharField(max_length=64)
    fields = models.JSONField(default=dict)
    facts = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    # --- its delivery
    state = models.CharField(
        max_length=10, choices=[(s.value, s.capitalize()) for s in State], default=State.PENDING
    )
    not_before = models.DateTimeField(default=timezone.now)  # of the next try or look-up
    attempt = models.UUIDField(null=True)  # the one at work, or the last
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)  # when the last create may have left
    floor = models.PositiveBigIntegerField(default=0)  # the space's highest number before it
    lookups = models.PositiveSmallIntegerField(default=0)  # since then
    was_unsure = models.BooleanField(default=False)  # ever: late duplicates are looked for
    remedies = models.JSONField(default=list)
    fault = models.CharField(max_length=10, blank=True)
    reason = models.TextField(blank=True)  # why it waits, for a person
    field = models.CharField(max_length=255, blank=True)  # the external field at fault

    # --- the issue, once it is there
    issue_id = models.CharField(max_length=64, blank=True)
    issue_key = models.CharField(max_length=255, blank=True)
    delivered_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)  # deleted there, or hidden from us
    detached_at = models.DateTimeField(null=True)  # no longer the issue of this case

    # --- its state there, as seen last, and what both sides agreed on
    remote_status = models.CharField(max_length=255, blank=True)
    remote_category = models.CharField(max_length=16, blank=True)
    remote_assignee = models.CharField(max_length=255, blank=True)  # name
    remote_updated_at = models.DateTimeField(null=True)
    agreed = models.JSONField(default=dict)
    synced_at = models.DateTimeField(null=True)
    sync_due_at = models.DateTimeField(null=True)  # when to look again; null: nothing to do
    sync_lease_until = models.DateTimeField(null=True)
    sync_problem = models.TextField(blank=True)
    sync_failures = models.PositiveSmallIntegerField(default=0)  # in a row: the back-off
    missing_at = models.DateTimeField(null=True)  # first seen absent; gone if it stays so

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]), name="issue_state_known"
            ),
            models.CheckConstraint(
                condition=(Q(state="created") & ~Q(issue_id=""))
                | (~Q(state="created") & Q(issue_id="")),
                name="issue_created_has_id",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(attempt__isnull=False, lease_until__isnull=False),
                name="issue_sending_has_lease",
            ),
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(detached_at=None) & ~Q(state="cancelled"),
                name="one_issue_per_case",
            ),
            models.UniqueConstraint(
                fields=("account", "issue_id"),
                condition=Q(detached_at=None) & ~Q(issue_id=""),
                name="one_case_per_issue",
            ),
            # Keeps the window of issue numbers small in which an unsure create is looked for.
            models.UniqueConstraint(
                fields=("account", "space_id"),
                condition=Q(state="sending"),
                name="one_create_in_flight_per_space",
            ),
        )
        indexes = (
            models.Index(
                fields=("not_before",),
                condition=Q(state__in=["pending", "unsure"]),
                name="issue_due",
            ),
            models.Index(fields=("lease_until",), condition=Q(state="sending"), name="issue_lease"),
            models.Index(
                fields=("sync_due_at",), condition=Q(sync_due_at__isnull=False), name="issue_sync"
            ),
            models.Index(fields=("state", "created_at"), name="issue_state"),
            # Those that were unsure once, until nobody expects a second issue any more.
            models.Index(
                fields=("not_before",),
                condition=Q(
                    was_unsure=True, lookups__lt=2, state__in=["created", "blocked", "cancelled"]
                ),
                name="issue_late_look",
            ),
        )

    def __str__(self) -> str:
        return self.issue_key or f"{self.space_key}-… ({self.state})"

    @property
    def key(self) -> str:
        """What is written into the issue there to find it by: a valid label, one per promise."""
        return "fa-" + base64.b32encode(self.pk.bytes).decode().rstrip("=").lower()

    @property
    def url(self) -> str:
        return self.account.browse_url(self.issue_key) if self.issue_key else ""


class Attempt(models.Model):
    """One claimed try, or one look-up of an unsure one, with its outcome: the delivery log."""

    class Operation(models.TextChoices):
        CREATE = "create", "Create"
        FIND = "find", "Look up"
        SYNC = "sync", "Sync"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    issue = models.ForeignKey(ExternalIssue, on_delete=models.CASCADE, related_name="tries")
    operation = models.CharField(max_length=8, choices=Operation.choices)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)  # null: at work, or its worker died
    outcome = models.CharField(max_length=16, blank=True)  # created, found, absent, or a fault
    status = models.PositiveSmallIntegerField(null=True)  # of the HTTP answer
    reason = models.TextField(blank=True)
    response = models.TextField(blank=True)  # an excerpt that may be shown

    class Meta:
        ordering = ("-started_at", "-id")
        indexes = (models.Index(fields=("-started_at",), name="attempt_started"),)

    def __str__(self) -> str:
        return f"{self.operation} {self.outcome}"


class Orphan(models.Model):
    """An issue there that no promise took: never dropped, shown to a person, never deleted."""

    issue = models.ForeignKey(ExternalIssue, on_delete=models.CASCADE, related_name="orphans")
    attempt = models.UUIDField(null=True)
    remote_id = models.CharField(max_length=64)
    remote_key = models.CharField(max_length=255)
    reason = models.TextField(blank=True)
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-found_at",)
        constraints = (
            models.UniqueConstraint(fields=("issue", "remote_id"), name="orphan_unique"),
        )

    def __str__(self) -> str:
        return self.remote_key


class CommentLink(models.Model):
    """A comment of the timeline and the same comment there. Whichever came first, once each."""

    issue = models.ForeignKey(ExternalIssue, on_delete=models.CASCADE, related_name="+")
    entry = models.OneToOneField(TimelineEntry, on_delete=models.CASCADE, related_name="link")
    comment_id = models.CharField(max_length=64)
    updated_at = models.DateTimeField(null=True)  # of the comment there, as taken last
    told_at = models.DateTimeField(null=True)  # the entry's `edited_at` that is there, too

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issue", "comment_id"), name="comment_link_unique"),
        )

    def __str__(self) -> str:
        return self.comment_id
