"""The table of this process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from findings.columnar.keeper import Keeper
from findings.columnar.table import Table
from findings.facts import FREE_TEXT_FIELDS

FIRST = (
    *("ticket_key", "workflow.integrations.jira", "workflow.triage.assignee.id"),
    *("resource_id", "grouping.package", "grouping.vulnerability", "grouping.repository"),
)
"""What the Inbox and groups by package ask for; before the texts, which take longer."""
TEXT_SECONDS = 2.0
"""How long somebody who searches for a word right after a start waits for the columns before the
database is asked, which takes longer."""


@cache
def keeper() -> Keeper:
    return Keeper(settings.EXPLORER_MEMORY_MB * 1024 * 1024, early=(FIRST, FREE_TEXT_FIELDS))


def current() -> Table | None:
    """All findings as they are now; None: SQL has to answer. One statement, and another if
    anything has changed."""
    return keeper().current()


def wait_for_texts() -> bool:
    """What words are searched in; False: there is nothing to wait for."""
    return keeper().wait_for(FREE_TEXT_FIELDS, TEXT_SECONDS)


def is_getting_ready() -> bool:
    """Whether SQL has answered only because this process has just started."""
    return keeper().is_getting_ready
