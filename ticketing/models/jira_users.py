from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Case, Expression, F, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

HIDDEN_NAME = "Name hidden"
IN_JIRA = " · Jira"  # after the name of an assignee who has no account here


class JiraAssignee(NamedTuple):
    """Somebody in Jira who has no account here, as pages show the assignee of a case."""

    pk: str
    short_name: str

    @property
    def name(self) -> str:
        return f"{self.short_name}{IN_JIRA}"

    def __str__(self) -> str:
        return self.name


def shown_name(path: str = "") -> Expression:
    """`JiraAssignee.name` of the JiraUser at this path, in the database; null for nobody."""
    name = f"{path}name"
    return Case(
        When(**{name: ""}, then=Value(f"{HIDDEN_NAME}{IN_JIRA}")),
        When(**{f"{name}__isnull": False}, then=Concat(F(name), Value(IN_JIRA))),
        output_field=models.CharField(),
    )


class JiraUser(models.Model):
    """A person there, and who that is here: found by e-mail, or never.

    An id means somebody within its account alone: `jsmith` of two Jiras is two people.
    """

    account = models.ForeignKey("ticketing.JiraAccount", on_delete=models.CASCADE, related_name="+")
    user_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)  # empty: Jira hides it
    email = models.CharField(max_length=255, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "user_id"), name="jira_user_unique"),
        )

    def __str__(self) -> str:
        return self.name or self.user_id

    @property
    def as_assignee(self) -> JiraAssignee:
        return JiraAssignee(f"jira-{self.pk}", self.name or HIDDEN_NAME)
