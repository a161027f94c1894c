from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import cached_property

from config.lib.hash_unique import HashUniqueConstraint
from config.lib.keyset import Moment
from findings.correlation import CorrelationId
from findings.facts import (
    OPEN_STATUSES,
    Facts,
    FindingType,
    Severity,
    Status,
    Ticket,
    TypeChoice,
    type_choice,
)


class Source(models.Model):
    """Who sends findings: a scanner, a script, a person with a report."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    has_archived = models.BooleanField(default=False, db_default=False, editable=False)
    """Findings of it are archived: a report may bring one of them back."""

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Scope(models.Model):
    """What a series of reports covers: a source, what was scanned, and the scanner.

    A complete report closes the findings of its scope that it no longer holds. Without a target,
    which neither the sender nor the report named, it is the default scope of source and scanner.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", db_index=False
    )  # the constraint's index serves it
    target = models.CharField(max_length=200, blank=True)
    scanner = models.CharField(max_length=100, blank=True)
    is_mixed = models.BooleanField(default=False)
    """Several targets were sent under this default scope: nothing of it is closed any more."""
    recipe_version = models.SmallIntegerField(default=1, db_default=1)
    """The oldest recipe whose fingerprints its findings may have; see `recording.adoption`."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("source", "target", "scanner")
        constraints = (
            models.UniqueConstraint(fields=("source", "target", "scanner"), name="scope_unique"),
        )

    def __str__(self) -> str:
        return self.target or f"all reports of {self.scanner}"


DUE_OR_NEVER = Coalesce(F("due_at"), Value(Moment.latest, output_field=models.DateTimeField()))
"""By which findings are sorted: those without a due date are due after all others."""
_SEVERITY_OR_NONE = ["", *(s.value for s in Severity)]


def _severity_or_none() -> models.CharField[str, str]:
    return models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        choices=[(s, s.capitalize()) for s in Severity],
    )


class InboxChoice(models.TextChoices):
    """What a person has chosen for one finding, against what the inbox rules say."""

    ADDED = "added"
    REMOVED = "removed"


class Finding(models.Model):
    """One security problem on one resource, identified by (source, fingerprint).

    Rows are written in bulk by `findings.services`, never through `save()`.
    """

    finding_id = models.CharField(max_length=400)  # the public id
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", db_index=False
    )  # the identity's index serves it
    fingerprint = models.CharField(max_length=255)
    recipe_version = models.SmallIntegerField(null=True)  # of the fingerprint; null: the first
    scope = models.ForeignKey(
        Scope, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # the one that last reported it; null: sent by itself
    digest = models.CharField(max_length=32)  # of everything the source said; equal = unchanged

    finding_type = models.CharField(max_length=40, choices=[(t, t) for t in FindingType])
    title = models.TextField()
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=10, choices=[(s, s.capitalize()) for s in Severity])
    # What the source says while a person or a rule has set another severity; empty: none has.
    base_severity = _severity_or_none()
    # What a person has set: it holds above everything else. Empty: nobody has, here and below.
    person_severity = _severity_or_none()
    # What a rule has set: it holds above the source's.
    rule_severity = _severity_or_none()
    severity_rule_id = models.UUIDField(null=True, blank=True)
    source_severity = models.GeneratedField(  # what the source says, whatever has been set
        expression=Case(When(base_severity="", then=F("severity")), default=F("base_severity")),
        output_field=models.CharField(max_length=10),
        db_persist=True,
    )
    severity_rank = models.GeneratedField(
        expression=Case(
            *(When(severity=s.value, then=Value(s.rank)) for s in Severity),
            output_field=models.SmallIntegerField(),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    status = models.CharField(
        max_length=12, default=Status.OPEN, choices=[(s, s.capitalize()) for s in Status]
    )
    resource_id = models.TextField(blank=True)
    resource_name = models.TextField(blank=True)
    resource_type = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list)  # ["key:value", …], sorted, each once
    attributes = models.JSONField(default=dict)
    workflow = models.JSONField(default=dict)  # what we did with it; the public schema's group
    grouping = models.JSONField(default=dict, db_default={})  # see `grouping.stored_values`

    # The finding's ticket, kept here so that the explorer never joins upward.
    ticket = models.CharField(
        max_length=10, default=Ticket.NONE, choices=[(t, t.capitalize()) for t in Ticket]
    )
    ticket_key = models.CharField(max_length=40, blank=True)
    ticket_status = models.CharField(max_length=20, blank=True)
    ticket_rule_id = models.UUIDField(null=True, blank=True)

    first_import = models.ForeignKey(  # the one that it came with; null: sent by itself
        "Import",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,  # intake writes it for each row, and an import stays
    )
    first_seen_at = models.DateTimeField()
    detection_changed_at = models.DateTimeField()  # new, open again, gone, or severity changed
    opened_at = models.DateTimeField()  # by our clock: first recorded, or open again
    resolved_at = models.DateTimeField(null=True, blank=True)
    ticketed_at = models.DateTimeField(null=True, blank=True)  # put on the case it is on now
    muted_until = models.DateTimeField(null=True, blank=True)
    mute_rule_id = models.UUIDField(null=True, blank=True)  # the rule that mutes it now
    # A person unmuted it: rules leave it alone until a person mutes it, or it comes back.
    is_mute_lifted = models.BooleanField(default=False, db_default=False)
    unmuted_rule_id = models.UUIDField(null=True, blank=True)  # the rule that muted it last
    is_in_inbox = models.BooleanField(default=False, db_default=False)
    inbox_rule_id = models.CharField(max_length=60, blank=True, default="", db_default="")
    inbox_choice = models.CharField(  # what a person has chosen: no rule changes it
        max_length=8, blank=True, default="", db_default="", choices=InboxChoice.choices
    )
    due_at = models.DateTimeField(null=True, blank=True)  # midnight UTC at the start of the day
    due_rule_id = models.UUIDField(null=True, blank=True)
    # When a report first named a fix, of a finding that had none; null: it was so from the start.
    fix_available_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-detection_changed_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("source", "fingerprint"), name="finding_identity"),
            # Not unique=True, which on PostgreSQL makes a second index for LIKE.
            HashUniqueConstraint(fields=("finding_id",), name="finding_public_id"),
            models.CheckConstraint(
                condition=Q(finding_type__in=[t.value for t in FindingType]),
                name="finding_type_known",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=[s.value for s in Severity]),
                name="finding_severity_known",
            ),
            models.CheckConstraint(
                condition=Q(base_severity__in=_SEVERITY_OR_NONE),
                name="finding_base_severity_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    person_severity__in=_SEVERITY_OR_NONE, rule_severity__in=_SEVERITY_OR_NONE
                ),
                name="finding_set_severities_known",
            ),
            models.CheckConstraint(
                condition=Q(inbox_choice__in=["", "added", "removed"]),
                name="finding_inbox_choice_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="finding_status_known"
            ),
            models.CheckConstraint(
                condition=Q(ticket__in=[t.value for t in Ticket]), name="finding_ticket_known"
            ),
        )
        indexes = (
            models.Index(F("detection_changed_at").desc(), F("id").desc(), name="finding_changed"),
            models.Index(F("opened_at").desc(), F("id").desc(), name="finding_opened"),
            models.Index(F("first_seen_at").desc(), F("id").desc(), name="finding_first_seen"),
            models.Index(
                F("severity_rank").desc(),
                F("first_seen_at").desc(),
                F("id").desc(),
                name="finding_severity",
            ),
            models.Index(
                fields=("ticket_rule_id", "ticket"),
                condition=Q(ticket_rule_id__isnull=False),
                name="finding_ticket_rule",
            ),
            models.Index(
                fields=("scope", "id"),
                condition=Q(scope__isnull=False, status__in=["open", "in-progress"]),
                name="finding_scope_open",
            ),
            models.Index(
                fields=("first_import",),
                condition=Q(first_import__isnull=False),
                name="finding_first_import",
            ),
            models.Index(
                fields=("ticket_key",), condition=~Q(ticket_key=""), name="finding_ticket_key"
            ),
            # Of each rule those over its limit; when they were decided, their evaluations say.
            models.Index(
                fields=("ticket_rule_id", "id"),
                condition=Q(ticket=Ticket.OVER_LIMIT),
                name="finding_over_limit",
            ),
            # What happened on a day, for the counts of days (see `trends`) and their links.
            models.Index(
                fields=("resolved_at",),
                condition=Q(resolved_at__isnull=False),
                name="finding_resolved",
            ),
            models.Index(
                fields=("ticketed_at",),
                condition=Q(ticketed_at__isnull=False),
                name="finding_ticketed",
            ),
            models.Index(
                fields=("muted_until",),
                condition=Q(muted_until__isnull=False),
                name="finding_muted_until",
            ),
            models.Index(CorrelationId("attributes"), name="finding_correlation"),
            models.Index(
                fields=("severity_rule_id",),
                condition=Q(severity_rule_id__isnull=False),
                name="finding_severity_rule",
            ),
            models.Index(
                fields=("mute_rule_id",),
                condition=Q(mute_rule_id__isnull=False),
                name="finding_mute_rule",
            ),
            models.Index(
                fields=("unmuted_rule_id", "is_mute_lifted"),
                condition=Q(unmuted_rule_id__isnull=False),
                name="finding_unmuted_rule",
            ),
            models.Index(
                fields=("due_at", "id"), condition=Q(is_in_inbox=True), name="finding_inbox"
            ),
            models.Index(
                fields=("due_at", "id"), condition=Q(due_at__isnull=False), name="finding_due"
            ),
            # How many are overdue, without a look at any of them.
            models.Index(
                fields=("due_at", "severity"),
                condition=Q(due_at__isnull=False, status__in=OPEN_STATUSES),
                name="finding_open_due",
            ),
            models.Index(DUE_OR_NEVER, F("id"), name="finding_due_order"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def type_choice(self) -> TypeChoice:
        return type_choice(self.finding_type, self.resource_type)

    @property
    def waits(self) -> bool:
        """Whether the pipeline will decide it next; see `selectors.unevaluated`."""
        is_gone = Status(self.status).is_gone
        return not is_gone and self.evaluation.unevaluated_since is not None

    @property
    def last_seen_at(self) -> datetime:
        """Of its evaluation: who reads many findings reads those with them."""
        seen: datetime = self.evaluation.last_seen_at
        return seen

    @property
    def facts(self) -> Facts:
        return Facts(*(getattr(self, name) for name in Facts._fields))

    @cached_property
    def facts_read(self) -> Facts:
        """For the columns of a row that is shown, all of them: empty what was not read of it."""
        unread = self.get_deferred_fields()
        names = Facts._fields
        return Facts._make("" if name in unread else getattr(self, name) for name in names)


class FindingEvent(models.Model):
    """A change of a finding after it was first recorded: what, by whom, when."""

    class Kind(models.TextChoices):
        REOPENED = "reopened"
        SEVERITY = "severity"  # the source says another one, and it holds
        REPORTED = "reported"  # the source says another one, but a person's or a rule's holds
        OVERRIDDEN = "overridden"  # a person set the severity
        ADJUSTED = "adjusted"  # a rule set it
        RESTORED = "restored"  # what a person or a rule had set does not hold any more
        STATUS = "status"
        MUTED = "muted"
        UNMUTED = "unmuted"
        ASSIGNED = "assigned"
        INBOX_ADDED = "inbox_added", "added to the inbox"
        INBOX_REMOVED = "inbox_left", "taken out of the inbox"
        DUE = "due", "due date set"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    before = models.CharField(max_length=200, blank=True)
    after = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )  # null: the system, or a key
    key_name = models.CharField(
        max_length=120, blank=True, default="", db_default=""
    )  # of the key that did it
    rule_id = models.CharField(max_length=60, blank=True, default="", db_default="")
    rule_name = models.CharField(
        max_length=255, blank=True, default="", db_default=""
    )  # of the rule that did it, as it was called then
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("rule_id", "created_at"),
                condition=~Q(rule_id=""),
                name="finding_event_rule",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "reopened",
                        "severity",
                        "reported",
                        "overridden",
                        "adjusted",
                        "restored",
                        "status",
                        "muted",
                        "unmuted",
                        "assigned",
                        "inbox_added",
                        "inbox_left",
                        "due",
                    ]
                ),
                name="finding_event_kind_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.before} → {self.after}"
