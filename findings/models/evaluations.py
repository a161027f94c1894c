from __future__ import annotations

from django.db import models
from django.db.models import Q

from findings.models.findings import Finding


class Evaluation(models.Model):
    """Where a finding stands with the rules, and when it was last seen: one narrow row for each.

    It changes with every report and every decision, and the wide row of the finding, which each of
    its indexes would be written for, does not. Who changes it holds the finding's lock.
    """

    finding = models.OneToOneField(
        Finding,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="evaluation",
        db_constraint=False,  # written in the transaction of its finding, for each that comes in
    )
    last_seen_at = models.DateTimeField()  # no index: each report moves it, in its place
    unevaluated_since = models.DateTimeField(null=True, blank=True)  # the queue of the pipeline
    recheck_since = models.DateTimeField(null=True, blank=True)  # what rules see has changed
    decided_at = models.DateTimeField(null=True, blank=True)  # when rules last decided it

    class Meta:
        indexes = (
            models.Index(  # the pipeline's claim, and what waits longest
                fields=("unevaluated_since", "finding"),
                condition=Q(unevaluated_since__isnull=False),
                name="evaluation_waiting",
            ),
            models.Index(  # the next to look at again
                fields=("finding",),
                condition=Q(recheck_since__isnull=False),
                name="evaluation_recheck",
            ),
            models.Index(fields=("decided_at",), name="evaluation_decided"),  # counts of days
        )

    def __str__(self) -> str:
        return f"{self.finding_id} {'waits' if self.unevaluated_since else 'decided'}"
