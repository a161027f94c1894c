from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from ticketing.models.accounts import JiraAccount


class JiraIssueTemplate(models.Model):
    """Fields for issues of one type in one space, kept under a name for those who ask the API.

    Nothing of it is checked with Jira before an issue is made of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(JiraAccount, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    space_id = models.CharField(max_length=64)
    type_id = models.CharField(max_length=64)
    fields = models.JSONField(default=dict, blank=True)  # Jira's field id → its value
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("created_at", "id")
        verbose_name = "Jira issue template"
        constraints = (
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(space_id="") & ~Q(type_id=""),
                name="jira_issue_template_is_whole",
            ),
        )

    def __str__(self) -> str:
        return self.name
