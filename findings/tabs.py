"""The tabs over a list: searches with a name, and how many findings each finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import User
from findings.explorer.pages import numbers_of
from findings.explorer.panel import search_of_tag
from findings.forms import ExplorerQuery
from findings.models import SavedView
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
MY_TEAM = "My team"
MAX_COUNTED = 999
MAX_TABS = 12  # that are counted


class Tab(NamedTuple):
    name: str
    query: str
    is_now: bool
    key: str
    edit: str = ""  # where its owner changes it
    owner: str = ""  # who shared it, if it is somebody else's
    elsewhere: str = ""  # where it leads instead of to a search


def tabs_of(person: User, now: str) -> list[Tab]:
    """The built-in views and the saved ones that the person sees; `now` is the page's search.

    One statement.
    """
    tabs = [
        Tab(name, query, _state(query) == now, f"built-in-{nth}")
        for nth, (name, query) in enumerate(BUILT_IN)
    ]
    tabs.insert(1, _tab_of_team(person, now))
    page, edit = SavedView.Page.FINDINGS, "findings:view-edit"
    return tabs + saved_tabs(person, now, page=page, edit=edit, state_of=_state)


def saved_tabs(
    person: User, now: str, *, page: SavedView.Page, edit: str, state_of: Callable[[str], str]
) -> list[Tab]:
    """The saved views of a page that the person sees. `edit` names the address of one's own;
    `state_of` writes a query as the page writes its own."""
    tabs = []
    for view in views_of(person, page):
        is_own = view.owner_id == person.pk
        address = reverse(edit, args=[view.pk]) if is_own else ""
        owner = "" if is_own else view.owner.name
        is_now = state_of(view.query) == now
        tabs.append(Tab(view.name, view.query, is_now, str(view.pk), address, owner))
    return tabs


def choose_team_url(back: str) -> str:
    """Where somebody without a team says which is theirs."""
    return f"{reverse('team-choose')}?{urlencode({'next': back})}"


def _tab_of_team(person: User, now: str) -> Tab:
    if not person.team:
        choose = choose_team_url(reverse("findings:finding-list"))
        return Tab(MY_TEAM, "", is_now=False, key="my-team", elsewhere=choose)
    query = urlencode({"q": search_of_tag(f"team:{person.team}")})
    return Tab(MY_TEAM, query, _state(query) == now, "my-team")


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


@lru_cache(maxsize=500)
def _state(query: str) -> str:
    return ExplorerQuery(QueryDict(query)).state
