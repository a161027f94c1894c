from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from findings.models.findings import Finding, Scope, Source


class Import(models.Model):
    """One report file taken in: what came of it, and which records did not go in."""

    class State(models.TextChoices):
        CHECKING = "checking"  # it is being looked through before a person decides
        WAITING = "waiting"  # a person decides, knowing its `summary`
        RUNNING = "running"
        DONE = "done"
        REFUSED = "refused"
        UNDOING = "undoing"  # a person takes it back
        UNDONE = "undone"

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
    kept = models.PositiveIntegerField(default=0, db_default=0)  # open, and not looked at
    closing_note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # who resolved or kept what was held
    scope_before = models.JSONField(default=dict, blank=True, db_default={})  # see `closing`
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    are_changes_deleted = models.BooleanField(default=False, db_default=False)  # of ImportChange
    undo_counts = models.JSONField(default=dict, blank=True, db_default={})  # see `undo.Counts`
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
            models.Index(
                fields=("started_at",), condition=Q(state="undoing"), name="import_undoing"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "checking",
                        "waiting",
                        "running",
                        "done",
                        "refused",
                        "undoing",
                        "undone",
                    ]
                ),
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


class ImportChange(models.Model):
    """What an import changed of a finding that was there, and how that was before.

    Which ones it brought is on the findings themselves: `first_import`.
    """

    class Kind(models.TextChoices):
        REOPENED = "reopened"
        RESOLVED = "resolved"  # the report lacks it
        SEVERITY = "severity"  # of one that is not reopened, as the source says

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="+", db_index=False)
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    before = models.JSONField(default=dict)  # columns of the finding
    is_undone = models.BooleanField(default=False)  # looked at, and put back if it could be

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=["reopened", "resolved", "severity"]),
                name="import_change_kind_known",
            ),
        )
        indexes = (models.Index(fields=("run", "kind", "id"), name="import_change"),)

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind} {self.finding_id}"
