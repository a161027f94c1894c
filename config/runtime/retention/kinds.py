"""How long the records of the machinery are kept, and the histories of what people configured."""

from __future__ import annotations

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django_q.models import Task

from config.lib.retention import RowKind, Table, register


def _history(model: type[Model]) -> Table:
    """All but the last state of each object, from which a deleted rule comes back."""
    newer: QuerySet[Model] = QuerySet(model).filter(
        id=OuterRef("id"), history_id__gt=OuterRef("history_id")
    )
    return Table(model, "history_date", Q(Exists(newer)))


def _histories() -> list[Table]:
    models = sorted(apps.get_models(), key=lambda model: model._meta.label)
    return [_history(model) for model in models if hasattr(model, "history_type")]


register(
    RowKind(
        "history",
        "Earlier versions of rules and settings",
        days=0,
        least_days=90,
        why="The last version of each stays, also of deleted rules. The audit log is kept apart.",
        tables=_histories(),
        chunk=200,
    ),
    RowKind(
        "failed_tasks",
        "Failed runs of background tasks",
        days=30,
        why="Whether a task fails now is kept apart.",
        tables=[Table(Task, "stopped", by_age=True)],
    ),
    RowKind(
        "admin_log",
        "Changes in the admin site",
        days=400,
        why="They are in the audit log, too.",
        tables=[Table(LogEntry, "action_time")],
    ),
)
