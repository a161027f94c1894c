"""A case that a rule made for a group of findings: what the group is, and what it still owes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from findings.grouping import label_of
from ticketing.models.cases import Case

MAX_FINDINGS_OF_GROUP = 1_000
"""On one ticket; the next one continues it."""


class CaseGroup(models.Model):
    """While `takes_more`, and while its case is open, later findings of the group join the case.

    At most one case of a rule and key takes more: a new one ends that of its predecessor.
    """

    case = models.OneToOneField(
        Case, on_delete=models.CASCADE, primary_key=True, related_name="group"
    )
    rule_id = models.UUIDField()
    key = models.CharField(max_length=32)  # of fields and values; see findings.grouping.group_key
    group_by = models.JSONField()  # names of fields, in the rule's order
    group_values = models.JSONField()  # one for each field
    takes_more = models.BooleanField(default=True)
    is_to_reopen = models.BooleanField(default=False)  # a finding joined it while it was closed
    follows = models.ForeignKey(
        Case, on_delete=models.SET_NULL, null=True, related_name="followers", db_index=False
    )  # the group's ticket before this one
    is_continuation = models.BooleanField(default=False)  # that one was full

    # --- its text, which follows the findings until somebody else changes it
    templates = models.JSONField(default=dict)  # the rule's own summary and description
    written = models.JSONField(default=dict)  # what we wrote last: digests of texts; priority
    written_at = models.DateTimeField()
    refresh_since = models.DateTimeField(null=True)  # findings came or went, or changed

    # --- the next comment in the tracker
    added = models.PositiveIntegerField(default=0)  # since the last one
    commented_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("rule_id", "key"),
                condition=Q(takes_more=True),
                name="one_open_ticket_per_group",
            ),
        )
        indexes = (
            models.Index(
                fields=("refresh_since",),
                condition=Q(refresh_since__isnull=False),
                name="case_group_refresh",
            ),
            models.Index(
                fields=("commented_at",), condition=Q(added__gt=0), name="case_group_comment"
            ),
            models.Index(
                fields=("follows",), condition=Q(follows__isnull=False), name="case_group_follows"
            ),
        )

    def __str__(self) -> str:
        return f"{self.case_id}: {self.label} {', '.join(self.group_values)}"

    @property
    def label(self) -> str:
        """As in "one ticket per team and repository"."""
        return label_of(self.group_by)
