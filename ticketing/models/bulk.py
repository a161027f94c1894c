from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from findings.models import Finding
from ticketing.models.cases import USER, Case


class BulkRun(models.Model):
    """One deed on everything that a search found when a person asked for it.

    Worked on by the queue, a few findings in each transaction; its steps say what is done.
    """

    class Deed(models.TextChoices):
        TICKETS = "tickets", "Create tickets"
        ATTACH = "attach", "Attach to a ticket"
        MUTE = "mute", "Mute"
        ASSIGN = "assign", "Assign"
        STATUS = "status", "Change status"
        SEVERITY = "severity", "Change severity"
        UNDO = "undo", "Undo"  # of another run

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deed = models.CharField(max_length=10, choices=Deed.choices)
    said = models.JSONField(default=dict)  # what the person chose, in the deed's own words
    search = models.TextField(blank=True)  # as in the explorer's address
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    reason = models.TextField(blank=True)  # why it was stopped
    actor = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # when the person put its result away
    lease = models.UUIDField(null=True)  # of the worker that is on it
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)  # workers since it last got on
    singly_through = models.PositiveIntegerField(default=0, db_default=0)
    """Steps up to this position are done one by one: as a chunk they failed."""

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    deed__in=["tickets", "attach", "mute", "assign", "status", "severity", "undo"]
                ),
                name="bulk_run_deed_known",
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | Q(state__in=["done", "stopped"], finished_at__isnull=False),
                name="bulk_run_ended_has_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("created_at",),
                condition=Q(finished_at__isnull=True),  # SQLite knows it again only so
                name="bulk_run_unfinished",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_deed_display()} {self.id}"


class BulkStep(models.Model):
    """What became of one finding of a bulk run. Written with what was done to it."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Left as it was"
        FAILED = "failed", "Failed"

    run = models.ForeignKey(
        BulkRun, on_delete=models.CASCADE, related_name="steps", db_index=False
    )  # the constraint's index serves it
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()  # in the order of the search, from 1
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.TextField(blank=True)
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="+")
    # What it changed, for an hour after the run; null: nothing, or nothing that can be undone.
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("run", "finding"), name="bulk_step_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["waiting", "done", "skipped", "failed"]),
                name="bulk_step_outcome_known",
            ),
        )
        indexes = (
            models.Index(
                fields=("run", "position"), condition=Q(outcome="waiting"), name="bulk_step_next"
            ),
            models.Index(
                fields=("run",), condition=Q(before__isnull=False), name="bulk_step_recorded"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} {self.outcome}"
