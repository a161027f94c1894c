"""Findings, who sends them, and the reports in which they came."""

from findings.models.archive import ArchivedFinding
from findings.models.changes import ChangeLog, FindingChange
from findings.models.evaluations import Evaluation
from findings.models.findings import (
    DUE_OR_NEVER,
    Finding,
    FindingEvent,
    InboxChoice,
    Scope,
    Source,
)
from findings.models.imports import Import, ImportChange
from findings.models.saved_views import SavedView
from findings.models.trends import ChangedDay, CountedDay, DailyCount

__all__ = (
    "DUE_OR_NEVER",
    "ArchivedFinding",
    "ChangeLog",
    "ChangedDay",
    "CountedDay",
    "DailyCount",
    "Evaluation",
    "Finding",
    "FindingChange",
    "FindingEvent",
    "Import",
    "ImportChange",
    "InboxChoice",
    "SavedView",
    "Scope",
    "Source",
)
