from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class SavedView(models.Model):
    """A search of a page's list under a name: its owner's, or everybody's if it is shared."""

    class Page(models.TextChoices):
        FINDINGS = "findings"
        CASES = "cases"

    page = models.CharField(
        max_length=10, choices=Page.choices, default=Page.FINDINGS, db_default=Page.FINDINGS
    )
    name = models.CharField(max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    query = models.TextField(blank=True)  # as in the address
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("owner", "page", "name"), name="saved_view_name"),
            models.CheckConstraint(
                condition=Q(page__in=["findings", "cases"]), name="saved_view_page_known"
            ),
        )

    def __str__(self) -> str:
        return self.name
