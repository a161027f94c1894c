"""What differs between two rows of a history, in words.

The kinds are found, not named: a model with a history is in the log. Fields that a model leaves
out of its history (secrets above all) are in none of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from simple_history.models import HistoricalChanges

from config.lib.utc import moment_text

VERBS = {"+": "created", "~": "changed", "-": "deleted"}
_BOOKKEEPING = frozenset(
    {"id", "created_at", "modified_at", "created_by_id", "modified_by_id", "date_joined"}
    | {"history_id", "history_date", "history_change_reason", "history_type", "history_user_id"}
)
_NAMES = ("name", "space_key", "key", "email")


@cache
def historical_models() -> Mapping[str, Any]:
    """Slug → historical model of everything that keeps a history."""
    found = [model for model in apps.get_models() if issubclass(model, HistoricalChanges)]
    return dict(sorted((slug(model), model) for model in found))


def slug(model: type) -> str:
    return model.__name__.removeprefix("Historical").lower()


def name_of(row: Any) -> str:
    return next((text for name in _NAMES if (text := str(getattr(row, name, "")))), "")


def changes(row: Any, before: Any) -> Sequence[tuple[str, str, str]]:
    """(field, before, after) of each field that `row` has otherwise than the row before it.

    Of a mapping each member counts as a field. A position also changes by what others are moved:
    it counts where this one was.
    """
    left_out = _BOOKKEEPING if _is_moved(row) else _BOOKKEEPING | {"position"}
    fields = [field for field in row._meta.fields if field.attname not in left_out]
    shown = [
        (label, _shown(name, was), _shown(name, now))
        for field in fields
        for label, name, was, now in _members(
            field, getattr(before, field.attname), getattr(row, field.attname)
        )
        if was != now
    ]
    # None and an empty mapping are told by the same word.
    return [(label, was, now) for label, was, now in shown if was != now]


def _is_moved(row: Any) -> bool:
    return str(row.history_change_reason).endswith("moved")


def _members(field: Any, was: object, now: object) -> Iterator[tuple[str, str, object, object]]:
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield str(field.verbose_name), field.name, was, now
        return
    for name in dict.fromkeys((*was, *now)):
        yield name.replace("_", " "), name, was.get(name), now.get(name)


def _shown(name: str, value: Any) -> str:
    """As pages show it: the first position is stored as 0."""
    return _text(value + 1 if name == "position" else value)


def _text(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return "—"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment_text(value)
        case list():
            return ", ".join(map(str, value))
        case dict():
            return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return str(value)
