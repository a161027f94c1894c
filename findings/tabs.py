"""The tabs of the explorer: searches with a name, and how many findings each finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import User
from findings.explorer.pages import numbers_of
from findings.forms import ExplorerQuery
from findings.selectors import views_of

_UNTICKETED_CRITICALS = (
    "severity=critical&ticket=none&ticket=over_limit&status=in-progress&status=open"
)
BUILT_IN = (
    ("All findings", ""),
    ("Unticketed criticals", _UNTICKETED_CRITICALS),
    ("Overdue", "due=overdue"),
    ("Over limit today", "from=today&by=decided&ticket=over_limit"),
)
MAX_COUNTED = 999
MAX_TABS = 12  # that are counted


class Tab(NamedTuple):
    name: str
    query: str
    is_now: bool
    key: str
    edit: str = ""  # where its owner changes it
    owner: str = ""  # who shared it, if it is somebody else's


def tabs_of(person: User, now: str) -> list[Tab]:
    """The built-in views and the saved ones that the person sees; `now` is the page's search.

    One statement.
    """
    tabs = [
        Tab(name, query, _state(query) == now, f"built-in-{nth}")
        for nth, (name, query) in enumerate(BUILT_IN)
    ]
    for view in views_of(person):
        is_own = view.owner_id == person.pk
        edit = reverse("findings:view-edit", args=[view.pk]) if is_own else ""
        owner = "" if is_own else view.owner.name
        is_now = _state(view.query) == now
        tabs.append(Tab(view.name, view.query, is_now, str(view.pk), edit, owner))
    return tabs


def counts_of(tabs: Sequence[Tab]) -> dict[str, str]:
    """Tab key → how many it finds, "" for none; all findings are not counted. One statement."""
    now = timezone.now()
    pairs = [
        (tab.key, ExplorerQuery(QueryDict(tab.query)).search(now)) for tab in tabs if tab.query
    ]
    searches = {key: search for key, search in pairs[:MAX_TABS] if search}
    counted = numbers_of(list(searches.values()), most=MAX_COUNTED)
    return {key: _label(number) for key, number in zip(searches, counted, strict=True)}


def _label(number: int) -> str:
    return f"{MAX_COUNTED}+" if number > MAX_COUNTED else str(number or "")


def _state(query: str) -> str:
    return ExplorerQuery(QueryDict(query)).state
