"""Have what was recorded so far have happened days earlier.

The demo data is taken in as it would be, a day of it after the other, within seconds. Between two
days everything that is there grows older by the days between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import models, transaction
from django.db.models import F

from automation.models import Decision
from config.lib.rows import writer
from findings.models import Finding, FindingEvent
from findings.recording.rows import as_json
from ticketing.models import Case, ExternalIssue, TimelineEntry

APPS: Final = ("findings", "ticketing", "automation")
_FAR: Final = timedelta(days=50_000)
_DAY: Final = timedelta(days=1)
_DAY_IN_TEXT: Final = re.compile(
    r"(\*\*First seen:\*\* |\*\*Due:\*\* |, due | limit\. Until |[?&]from=|&to=)(\d{4}-\d\d-\d\d)"
)
"""Where the texts that we write for a case name a day; those of scanners stay as they are."""


@transaction.atomic
def age(by: timedelta) -> None:
    """Move every date and time of findings, tickets, rules and decisions back."""
    for label in APPS:
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            _move(model, by)
    _move_workflows(by)


@transaction.atomic
def age_snapshots(now: datetime) -> None:
    """Move the times within what was copied when it was decided, promised or told.

    Once, at the end: how far a row has moved tells how far its copy has to.
    """
    _move_snapshots(Decision.objects.all(), now)
    _move_snapshots(ExternalIssue.objects.all(), now)
    _move_days(FindingEvent.objects.filter(kind=FindingEvent.Kind.DUE), now)
    _move_days(TimelineEntry.objects.filter(kind=TimelineEntry.Kind.DUE_DATE), now)
    _move_texts(Case.objects.filter(group=None), now)  # a group's is written anew


def _move(model: type[models.Model], by: timedelta) -> None:
    names = [f.name for f in model._meta.concrete_fields if isinstance(f, models.DateField)]
    if not names:
        return
    # Rows move one by one, and none may meet one that has yet to: first all to where nobody is.
    for step in (by + _FAR, -_FAR) if _is_unique(model, names) else (by,):
        everything = model._base_manager  # noqa: SLF001 (documented, and never filtered)
        everything.update(**{name: F(name) - step for name in names})


def _is_unique(model: type[models.Model], names: Iterable[str]) -> bool:
    unique = [c.fields for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
    return any(name in fields for fields in unique for name in names)


def _move_workflows(by: timedelta) -> None:
    rows = Finding.objects.exclude(workflow={}).values_list("pk", "workflow")
    moved = [(pk, as_json(_earlier(workflow, by))) for pk, workflow in rows]
    if moved:
        writer().update(Finding, ("workflow",), moved)


def _move_snapshots(rows: models.QuerySet[Any], now: datetime) -> None:
    copies = rows.filter(facts__isnull=False).values_list("pk", "facts", "created_at")
    moved = [(pk, as_json(_earlier(value, _age(at, now)))) for pk, value, at in copies.iterator()]
    if moved:
        writer().update(rows.model, ("facts",), moved)


def _move_days(rows: models.QuerySet[Any], now: datetime) -> None:
    """Of what tells of a day: it is written as YYYY-MM-DD."""
    moved = list(_with_days_moved(rows, now))
    if moved:
        writer().update(rows.model, ("before", "after"), moved)


def _with_days_moved(
    rows: models.QuerySet[Any], now: datetime
) -> Iterator[tuple[object, str, str]]:
    for pk, before, after, at in rows.values_list("pk", "before", "after", "created_at"):
        by = _age(at, now)
        yield (
            pk,
            *(str(date.fromisoformat(day) - by) if day else "" for day in (before, after)),
        )


def _move_texts(rows: models.QuerySet[Case], now: datetime) -> None:
    texts = rows.values_list("pk", "description", "created_at")
    moved = [(pk, _with_earlier_days(text, _age(at, now))) for pk, text, at in texts]
    if moved:
        writer().update(Case, ("description",), moved)


def _with_earlier_days(text: str, by: timedelta) -> str:
    def earlier(found: re.Match[str]) -> str:
        return f"{found[1]}{date.fromisoformat(found[2]) - by}"

    return _DAY_IN_TEXT.sub(earlier, text)


def _age(at: datetime, now: datetime) -> timedelta:
    """The whole days: recording all of it takes less than one."""
    return (now - at) // _DAY * _DAY


def _earlier(document: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
    """The same with our own times in it, which are called `…_at`, moved back."""

    def moved(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value if name == "attributes" else _earlier(value, by)  # those are the scanner's
        if not name.endswith("_at") or not value:
            return value
        if isinstance(value, int):  # in milliseconds
            return value - by // timedelta(milliseconds=1)
        return (datetime.fromisoformat(value) - by).isoformat()

    return {name: moved(name, value) for name, value in document.items()}
