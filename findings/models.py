from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from findings.correlation import CorrelationId
from findings.facts import Facts, FindingType, Severity, Status, Ticket, TypeChoice, type_choice


class Source(models.Model):
    """Who sends findings: a scanner, a script, a person with a report."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

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

    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    detection_changed_at = models.DateTimeField()  # new, open again, gone, or severity changed
    opened_at = models.DateTimeField()  # by our clock: first recorded, or open again
    decided_at = models.DateTimeField(null=True, blank=True)  # when rules last decided it
    resolved_at = models.DateTimeField(null=True, blank=True)
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
    unevaluated_since = models.DateTimeField(null=True, blank=True)  # the queue of the pipeline
    recheck_since = models.DateTimeField(null=True, blank=True)  # what rules see has changed

    class Meta:
        ordering = ("-detection_changed_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("source", "fingerprint"), name="finding_identity"),
            # Not unique=True, which on PostgreSQL makes a second index for LIKE.
            models.UniqueConstraint(fields=("finding_id",), name="finding_public_id"),
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
            models.Index(F("first_seen_at").desc(), F("id").desc(), name="finding_first_seen"),
            models.Index(
                F("severity_rank").desc(),
                F("first_seen_at").desc(),
                F("id").desc(),
                name="finding_severity",
            ),
            models.Index(
                fields=("unevaluated_since", "id"),
                condition=Q(unevaluated_since__isnull=False),
                name="finding_unevaluated",
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
                fields=("ticket_key",), condition=~Q(ticket_key=""), name="finding_ticket_key"
            ),
            models.Index(
                fields=("decided_at",),
                condition=Q(ticket=Ticket.OVER_LIMIT),
                name="finding_over_limit",
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
            models.Index(
                fields=("id",), condition=Q(recheck_since__isnull=False), name="finding_recheck"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def type_choice(self) -> TypeChoice:
        return type_choice(self.finding_type, self.resource_type)

    @property
    def waits(self) -> bool:
        """Whether the pipeline will decide it next; see `selectors.unevaluated`."""
        return self.unevaluated_since is not None and not Status(self.status).is_gone

    @property
    def facts(self) -> Facts:
        return Facts(*(getattr(self, name) for name in Facts._fields))


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


class Import(models.Model):
    """One report file taken in: what came of it, and which records did not go in."""

    class State(models.TextChoices):
        CHECKING = "checking"  # it is being looked through before a person decides
        WAITING = "waiting"  # a person decides, knowing its `summary`
        RUNNING = "running"
        DONE = "done"
        REFUSED = "refused"

    class Closing(models.TextChoices):
        """What became of the scope's findings that the report no longer holds."""

        OPEN = "open"  # not decided yet
        DONE = "done"  # they are closed
        HELD = "held"  # a person decides: too many of them are missing
        RESOLVING = "resolving"  # a person decided that they are gone: they are being closed
        KEPT = "kept"  # a person kept them open
        NONE = "none"  # it closes nothing, as `closing_note` says

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, null=True, related_name="+")
    file_name = models.CharField(max_length=255, blank=True)
    format = models.CharField(max_length=40, blank=True)
    columns = models.JSONField(default=dict, blank=True, db_default={})  # a table's column map
    target = models.CharField(max_length=200, blank=True)  # as the sender named it
    is_partial = models.BooleanField(default=False)  # it closes nothing
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    reason = models.TextField(blank=True)  # why it was refused
    size = models.PositiveBigIntegerField(default=0)  # bytes, unpacked; 0: not known yet
    bytes_read = models.PositiveBigIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    seen_again = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    resolved = models.PositiveIntegerField(default=0)  # closed because the report lacks them
    rejected = models.PositiveIntegerField(default=0)
    closing = models.CharField(max_length=10, choices=Closing.choices, default=Closing.OPEN)
    missing = models.PositiveIntegerField(default=0)  # of `expected`, when that was decided
    expected = models.PositiveIntegerField(default=0)  # open findings of the scope before
    closing_note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # who resolved or kept what was held
    summary = models.JSONField(null=True, blank=True)  # of a report that was only looked through
    errors = models.JSONField(default=list)  # the first hundred, as sent in the answer
    unscanned = models.JSONField(default=list, blank=True, db_default=[])  # see imports.unscanned
    notes = models.JSONField(default=list, blank=True, db_default=[])  # how the file was read
    may_be_cut = models.BooleanField(
        default=False, db_default=False
    )  # a person decides what is gone
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = models.CharField(max_length=120, blank=True)  # name of the person or key
    stored_as = models.CharField(max_length=200, blank=True, editable=False)  # in the storage
    due_at = models.DateTimeField(null=True, editable=False)  # when the queue takes an upload
    tries = models.PositiveSmallIntegerField(default=0, editable=False)  # since it last got on

    class Meta:
        ordering = ("-started_at",)
        indexes = (
            models.Index(
                fields=("due_at",), condition=Q(due_at__isnull=False), name="import_due_at"
            ),
            models.Index(
                fields=("started_at",), condition=Q(closing="resolving"), name="import_resolving"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["checking", "waiting", "running", "done", "refused"]),
                name="import_state_known",
            ),
            models.CheckConstraint(
                condition=Q(closing__in=["open", "done", "held", "resolving", "kept", "none"]),
                name="import_closing_known",
            ),
        )

    def __str__(self) -> str:
        return self.file_name or str(self.id)

    @property
    def is_at_work(self) -> bool:
        return self.state in (Import.State.CHECKING, Import.State.RUNNING)

    @property
    def percent(self) -> int:
        return min(100, 100 * self.bytes_read // self.size) if self.size else 0


class SavedView(models.Model):
    """A search of the explorer under a name: its owner's, or everybody's if it is shared."""

    name = models.CharField(max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    query = models.TextField(blank=True)  # as in the address
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="saved_view_name"),)

    def __str__(self) -> str:
        return self.name
