from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Trim
from django.utils import timezone
from simple_history.models import HistoricalRecords

from findings.models import Finding

USER = settings.AUTH_USER_MODEL


class RuleSet(models.Model):
    """One ordered list of rules of one kind. Its row is the lock under which rules change."""

    kind = models.CharField(max_length=20, primary_key=True)  # its name in `kinds.registry`
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"


class RuleSetVersion(models.Model):
    """The rules as they were: what an old decision is explained with. Never changed.

    Whole, or what changed since the version before; written and read by `rules.versions`.
    """

    kind = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    rules = models.JSONField(null=True)  # in order, each as `rules.data` writes it
    changes = models.JSONField(null=True)  # see `rules.version_changes`
    base = models.PositiveIntegerField(null=True)  # the last version before that is whole
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-version",)
        constraints = (
            models.UniqueConstraint(fields=("kind", "version"), name="rule_set_version_unique"),
            models.CheckConstraint(
                condition=Q(rules__isnull=False, changes__isnull=True, base__isnull=True)
                | Q(rules__isnull=True, changes__isnull=False, base__isnull=False),
                name="rule_set_version_whole_or_changes",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"


class Rule(models.Model):
    """Criteria and an action. Rules of one kind are ordered; the first enabled match wins.

    Changed only by `automation.rules.services`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, editable=False)
    name = models.CharField(max_length=255)
    enabled = models.BooleanField(default=True)
    position = models.IntegerField(editable=True, db_index=True)
    finding_types = models.JSONField()  # wire types, at least one
    query = models.TextField(null=True, blank=True, max_length=30_000)  # noqa: DJ001  null: unsaid
    action = models.JSONField()  # the Struct of the rule's kind; see `rules.data.action_of`
    auto_disabled_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    modified_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )  # null: the system, here and below
    modified_by = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("kind", "position"), name="rule_position_unique"),
            models.UniqueConstraint("kind", Lower(Trim("name")), name="rule_name_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="rule_name_not_empty"),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(auto_disabled_reason=""),
                name="rule_broken_is_disabled",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_broken(self) -> bool:
        return bool(self.auto_disabled_reason)


DEFAULTS_SINCE = datetime(2026, 11, 29, tzinfo=UTC)
"""When the rules that come with the product came."""


class DefaultRule(models.Model):
    """Whether a rule that comes with the product is on, once somebody has switched it.

    What it says is in the `defaults` of its kind. Changed only by `automation.rules.defaults`.
    """

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    name = models.CharField(max_length=255, editable=False)  # for the history
    enabled = models.BooleanField(default=False)
    modified_at = models.DateTimeField(default=DEFAULTS_SINCE, editable=False)
    modified_by = models.ForeignKey(
        USER, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class RuleCheck(models.Model):
    """The last look whether a rule's destination would take its ticket: the early warning."""

    rule = models.OneToOneField(Rule, on_delete=models.CASCADE, related_name="+")
    checked_at = models.DateTimeField(default=timezone.now)
    warning = models.TextField(blank=True)  # why the next ticket would fail
    field = models.CharField(max_length=255, blank=True)  # the external field at fault
    since = models.DateTimeField(null=True)  # of the warning
    seconds_per_finding = models.FloatField(null=True)  # of a rule that made evaluation slow

    def __str__(self) -> str:
        return self.warning or "fine"


class DismissedAdvice(models.Model):
    """Somebody wants no advice to group this rule's findings, for some time."""

    rule = models.OneToOneField(Rule, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "dismissed advice"

    def __str__(self) -> str:
        return f"{self.rule_id} until {self.until}"


class TestRun(models.Model):
    """One Test Rule: a real ticket for one finding, made with a form that may never be saved."""

    __test__ = False  # pytest: not a test

    class State(models.TextChoices):
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.JSONField()  # the form as it was; written and read by `rules.data`
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    steps = models.JSONField(default=list)  # {"label", "state", "milliseconds"}, in order
    case_id = models.UUIDField(null=True)
    reason = models.TextField(blank=True)  # of a failure
    field = models.CharField(max_length=255, blank=True)  # the external field at fault
    response = models.TextField(blank=True)  # an excerpt of the answer that may be shown
    created_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["running", "passed", "failed"]), name="test_run_state_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.created_at:%Y-%m-%d %H:%M}"


class Decision(models.Model):
    """What a kind of rules did with a finding, and what was seen: enough to replay and explain it.

    Creating tickets decides once for each evaluation: `requested_at` is the `unevaluated_since`
    that it answers. Of a kind that acts on existing findings the one decision is kept that holds.
    """

    class Outcome(models.TextChoices):
        TICKETED = "ticketed"
        OVER_LIMIT = "over_limit"
        NO_MATCH = "no_match"
        ALREADY_TICKETED = "already_ticketed"
        GROUPED = "grouped"  # added to the open ticket of its group
        MUTED = "muted"
        NO_RULES = "no_rules"
        ERROR = "error"
        APPLIED = "applied"  # by a kind that changes the finding itself

    WITHOUT_FACTS = (Outcome.NO_MATCH, Outcome.NO_RULES)
    """Most decisions: nothing is done, and the facts stay in the finding's row."""

    kind = models.CharField(max_length=20, default="ticket_creation", db_default="ticket_creation")
    finding = models.ForeignKey(  # null: the import that brought it was undone
        Finding, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )  # the constraint's index serves it
    requested_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    rule_id = models.UUIDField(null=True, blank=True)
    rule_set_version = models.PositiveIntegerField()
    # As the engine saw them; null: as the finding's row still tells them, with the time below.
    # Read by `decisions.facts`, kept by its triggers.
    facts = models.JSONField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    case_id = models.UUIDField(null=True, blank=True)
    used_before = models.PositiveSmallIntegerField(null=True, blank=True)  # slots of the day
    reason = models.TextField(blank=True)  # of an error
    day = models.DateField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("finding", "kind", "requested_at"), name="one_outcome_per_evaluation"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "ticketed",
                        "over_limit",
                        "no_match",
                        "already_ticketed",
                        "grouped",
                        "muted",
                        "no_rules",
                        "error",
                        "applied",
                    ]
                ),
                name="decision_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["ticketed", "grouped"], case_id__isnull=False)
                | (~Q(outcome__in=["ticketed", "grouped"]) & Q(case_id__isnull=True)),
                name="decision_ticketed_has_case",
            ),
        )
        indexes = (
            models.Index(fields=("created_at",), name="decision_created"),
            models.Index(
                fields=("rule_id", "day", "outcome"),
                condition=Q(rule_id__isnull=False),
                name="decision_rule_day",
            ),
            # When a rule last acted on a finding, for the list of rules.
            models.Index(
                fields=("rule_id", "created_at"),
                condition=Q(outcome="applied"),
                name="decision_applied",
            ),
        )

    def __str__(self) -> str:
        return f"{self.finding_id} {self.outcome}"


class EvaluationAttempt(models.Model):
    """One worker that is evaluating, written down before it begins and gone when it is done.

    What stays behind is that of a worker that was killed: the next one takes less at once.
    """

    started_at = models.DateTimeField(default=timezone.now)
    size = models.PositiveIntegerField()  # of the chunks it takes
    finding = models.ForeignKey(
        Finding, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )  # the only one at hand, when `size` is 1
    tries = models.PositiveSmallIntegerField(default=0)  # with that finding, before this one

    class Meta:
        ordering = ("started_at", "id")

    def __str__(self) -> str:
        return f"{self.size} at once since {self.started_at:%H:%M:%S}"


class Recheck(models.Model):
    """The way of the rules through the findings that are there; one row, and the lock of it.

    A pass looks at every finding that is not closed once, in chunks by primary key.
    """

    started_at = models.DateTimeField(null=True)  # of the pass under way
    after_pk = models.BigIntegerField(default=0)  # how far it has come
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # as counted when it began
    versions = models.JSONField(default=dict)  # kind → version of the rules when it began
    finished_at = models.DateTimeField(null=True)  # the last whole pass

    def __str__(self) -> str:
        return f"{self.done} of {self.total}" if self.started_at else "done"

    @property
    def is_running(self) -> bool:
        return self.started_at is not None


class DailyUsage(models.Model):
    """What one rule did on one UTC day. The row is the lock of the rule's daily limit."""

    rule_id = models.UUIDField()
    day = models.DateField()
    ticketed = models.PositiveIntegerField(default=0)  # slots taken
    grouped = models.PositiveIntegerField(default=0, db_default=0)  # joined an open ticket
    over_limit = models.PositiveIntegerField(default=0)
    already_ticketed = models.PositiveIntegerField(default=0)
    error = models.PositiveIntegerField(default=0)
    notice_requested = models.BooleanField(default=False)
    last_ticket_at = models.DateTimeField(null=True, blank=True)
    last_case_id = models.UUIDField(null=True, blank=True)
    are_decisions_deleted = models.BooleanField(default=False, db_default=False)  # some of them

    class Meta:
        ordering = ("-day",)
        verbose_name_plural = "daily usage"
        constraints = (
            models.UniqueConstraint(fields=("rule_id", "day"), name="one_usage_per_rule_and_day"),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.day}"

    @property
    def matched(self) -> int:
        joined = self.ticketed + self.grouped
        return joined + self.over_limit + self.already_ticketed + self.error
