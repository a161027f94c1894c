"""What is left in the database of a finding that was archived."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from findings.models.findings import Source


class ArchivedFinding(models.Model):
    """A finding in a file of the archive, and by what it is known when it is reported again.

    Written by `findings.archive` alone. With it the finding comes back under its id and on its
    ticket; the rest of it, as its events, is in the file.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    fingerprint = models.CharField(max_length=255)
    finding_id = models.CharField(max_length=400)
    pk_before = models.BigIntegerField()
    case_id = models.UUIDField(null=True)
    columns = models.JSONField()  # of the finding, without what a report says anew
    parts = models.JSONField(default=dict)  # what other apps need to take it back
    file = models.CharField(max_length=255)
    archived_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-archived_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("source", "fingerprint"), name="archived_identity"),
            models.UniqueConstraint(fields=("finding_id",), name="archived_public_id"),
        )
        indexes = (
            models.Index(
                fields=("case_id",), condition=Q(case_id__isnull=False), name="archived_case"
            ),
        )

    def __str__(self) -> str:
        return f"{self.finding_id} in {self.file}"
