from __future__ import annotations

import base64
import uuid

from django.db import models
from django.db.models import F, Q, When
from django.utils import timezone

from ticketing.models.accounts import JiraAccount
from ticketing.models.cases import Case, TimelineEntry
from ticketing.states import State

LATE_LOOKS = 2
"""So often a ticket that was unsure once is looked up again, in case it has a second issue."""
FAILED = (
    Q(state=State.BLOCKED.value)
    | Q(state=State.CREATED.value, gone_at__isnull=False)
    | (Q(state=State.CREATED.value) & ~Q(sync_problem=""))
)
"""Issues that need a person."""
_ACT_AT = models.Case(
    When(state__in=[State.PENDING.value, State.UNSURE.value], then=F("not_before")),
    When(state=State.SENDING.value, then=F("lease_until")),
    When(was_unsure=True, lookups__lt=LATE_LOOKS, then=F("not_before")),
    default=None,
)


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
    slot = models.PositiveSmallIntegerField(default=0, db_default=0)  # of the creates in flight
    worker = models.CharField(max_length=255, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)  # when the last create may have left
    floor = models.PositiveBigIntegerField(default=0)  # the space's highest number before it
    lookups = models.PositiveSmallIntegerField(default=0)  # complete ones since then
    proof_from = models.DateTimeField(null=True)  # not found after that: it is not there
    was_unsure = models.BooleanField(default=False)  # ever: late duplicates are looked for
    remedies = models.JSONField(default=list)
    fault = models.CharField(max_length=10, blank=True)
    reason = models.TextField(blank=True)  # why it waits, for a person
    field = models.CharField(max_length=255, blank=True)  # the external field at fault
    # When the queue has to do something next; null: nothing. Made by the database itself, so
    # that no writer, an older version during an upgrade included, can leave it untrue.
    act_at = models.GeneratedField(
        expression=_ACT_AT, output_field=models.DateTimeField(null=True), db_persist=True
    )

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
    remote_resolution = models.CharField(max_length=255, blank=True, default="", db_default="")
    remote_updated_at = models.DateTimeField(null=True)
    agreed = models.JSONField(default=dict)
    synced_at = models.DateTimeField(null=True)
    sync_due_at = models.DateTimeField(null=True)  # when to look again; null: nothing to do
    sync_lease_until = models.DateTimeField(null=True)
    sync_problem = models.TextField(blank=True)
    sync_failures = models.PositiveSmallIntegerField(default=0)  # in a row: the back-off
    missing_at = models.DateTimeField(null=True)  # first seen absent; gone if it stays so
    # The field that Jira asks for on closing and that nothing is answered to: its id and name.
    closing_field = models.CharField(max_length=255, blank=True, default="", db_default="")
    closing_field_name = models.CharField(max_length=255, blank=True, default="", db_default="")

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
                fields=("account", "space_id", "slot"),
                condition=Q(state="sending"),
                name="one_create_in_flight_per_slot",
            ),
        )
        indexes = (
            models.Index(
                fields=("account", "act_at"),
                condition=Q(act_at__isnull=False),
                name="issue_act_at",
            ),
            models.Index(
                fields=("sync_due_at",), condition=Q(sync_due_at__isnull=False), name="issue_sync"
            ),
            models.Index(fields=("state", "created_at"), name="issue_state"),
            models.Index(
                fields=("issue_key", "case"),
                condition=~Q(issue_key="") & Q(detached_at=None),
                name="issue_by_key",
            ),
            models.Index(
                fields=("case",), condition=FAILED & Q(detached_at=None), name="issue_failed"
            ),
            models.Index(
                fields=("closing_field",),
                condition=~Q(closing_field=""),
                name="issue_closing_field",
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


class NewestNumber(models.Model):
    """The highest issue number known of a space. One that is too low costs only time."""

    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    space_id = models.CharField(max_length=64)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()  # when it was the highest

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "space_id"), name="newest_number_unique"),
        )

    def __str__(self) -> str:
        return f"{self.space_id} {self.number}"


class Attempt(models.Model):
    """One claimed try, or one look-up of an unsure one, with its outcome: the delivery log."""

    class Operation(models.TextChoices):
        CREATE = "create", "Create"
        FIND = "find", "Look up"
        SYNC = "sync", "Sync"

    MAY_HAVE_CREATED = ("created", "unsure", "failed")  # outcomes

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    issue = models.ForeignKey(ExternalIssue, on_delete=models.CASCADE, related_name="tries")
    operation = models.CharField(max_length=8, choices=Operation.choices)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)  # null: at work, or its worker died
    outcome = models.CharField(max_length=16, blank=True)  # created, found, absent, or a fault
    status = models.PositiveSmallIntegerField(null=True)  # of the HTTP answer
    reason = models.TextField(blank=True)
    response = models.TextField(blank=True)  # an excerpt that may be shown
    left_out = models.TextField(blank=True, default="", db_default="")  # of the ticket, a sentence

    class Meta:
        ordering = ("-started_at", "-id")
        indexes = (models.Index(fields=("-started_at",), name="attempt_started"),)

    def __str__(self) -> str:
        return f"{self.operation} {self.outcome}"

    @property
    def explanation(self) -> str:
        """Why it ended so, and what an issue that it may have made does not have."""
        is_told = self.outcome in ("", *self.MAY_HAVE_CREATED)
        return " ".join(filter(None, (self.reason, self.left_out if is_told else "")))


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
