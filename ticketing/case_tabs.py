"""The tabs over the cases: those that everybody has, and the saved ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.http import QueryDict
from django.urls import reverse

from config.accounts.models import User
from findings.models import SavedView
from findings.tabs import MAX_TABS, MY_TEAM, Tab, choose_team_url, saved_tabs
from ticketing.case_lists import CaseQuery, counts_of

_BUILT_IN = (
    ("All cases", ""),
    ("Assigned to me", "view=mine"),
    (MY_TEAM, "view=team"),
    ("Overdue", "view=overdue"),
    ("Sync failed", "view=failed"),
    ("Archived", "view=archived"),
)
_IF_ANY = ("view=archived",)


class CaseTab(NamedTuple):
    tab: Tab
    number: int | None  # of cases; None: not counted


class CaseTabs(NamedTuple):
    tabs: list[CaseTab]
    any: bool  # whether there is a case at all
    has_later: bool  # whether any of them is still to be counted


def case_tabs(person: User, now: CaseQuery, *, at_once: bool) -> CaseTabs:
    """Two statements, however many tabs; all cases are not counted. What each case has to be
    looked at for takes longer than the page: it is counted `at_once`, or by `later_counts`."""
    tabs = list(_tabs(person, now))
    later = [] if at_once else list(filter(_is_looked_for, _counted(tabs)))
    counted = [tab for tab in _counted(tabs) if tab not in later]
    numbers, some = counts_of({tab.key: _query(tab.query) for tab in counted}, me=person)
    shown = [
        CaseTab(tab, numbers.get(tab.key))
        for tab in tabs
        if tab.query not in _IF_ANY or tab.is_now or numbers.get(tab.key)
    ]
    return CaseTabs(shown, some, bool(later))


def later_counts(person: User) -> dict[str, int]:
    """Tab key → how many cases, of what `case_tabs` leaves out. Two statements."""
    counted = filter(_is_looked_for, _counted(list(_tabs(person, CaseQuery()))))
    return counts_of({tab.key: _query(tab.query) for tab in counted}, me=person)[0]


def _counted(tabs: Sequence[Tab]) -> list[Tab]:
    return [tab for tab in tabs if tab.query and not tab.elsewhere][:MAX_TABS]


def _is_looked_for(tab: Tab) -> bool:
    return _query(tab.query).is_looked_for


def state_of(query: str) -> str:
    return _query(query).state


def _query(query: str) -> CaseQuery:
    return CaseQuery.read(QueryDict(query))


def _tabs(person: User, now: CaseQuery) -> Iterator[Tab]:
    """A search within a tab is that tab, unless it is saved as one of its own."""
    page, edit = SavedView.Page.CASES, "ticketing:view-edit"
    saved = saved_tabs(person, now.state, page=page, edit=edit, state_of=state_of)
    is_saved = any(tab.is_now for tab in saved)
    for name, query in _BUILT_IN:
        choose = ""
        if name == MY_TEAM and not person.team:
            choose = choose_team_url(f"{reverse('ticketing:case-list')}?{query}")
        is_now = not choose and not is_saved and _query(query).view == now.view
        yield Tab(name, query, is_now, f"built_in_{query.partition('=')[2]}", elsewhere=choose)
    yield from (tab._replace(key=f"saved_{tab.key}") for tab in saved)
