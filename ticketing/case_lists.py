"""Lists of cases: what an address asks for, as a list or a board, and the tabs over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from config.accounts.models import User
from config.lib.counting import numbers_of
from config.lib.numbered_pages import NumberedPage
from config.lib.search_text import MAX_TYPED
from config.lib.ui_tags import MAX_COUNTED
from ticketing.case_pages import (
    ORDERS,
    Keys,
    Order,
    columns_along_index,
    columns_at_once,
    page_along_index,
    page_at_once,
)
from ticketing.case_search import BadTerm, is_overdue, of_team, reads_texts, search_condition
from ticketing.issues import Sync, issues_by_case, sync_of
from ticketing.models import ASSIGNEES, Attachment, Case, ExternalIssue
from ticketing.models.outbox import FAILED

CARDS = 25
"""How many of a column's cases the board shows; the list has them all."""
SORTS: Mapping[str, str] = {
    "updated": "Updated",
    "created": "Created",
    "priority": "Priority",
    "due": "Due",
    "key": "Case",
}
VIEWS = ("", "mine", "team", "overdue", "failed", "archived")
EVERY = "every"  # archived or not: where a number of cases leads


class CaseRow(NamedTuple):
    case: Case
    findings: int
    issue: ExternalIssue | None

    @property
    def sync(self) -> Sync:
        return sync_of(self.issue)


@dataclass(frozen=True, slots=True)
class CasePage(NumberedPage[CaseRow]):
    counts: Mapping[str, int]  # of cases in each status, whatever status is asked for

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        return [(*choice, self.counts[choice[0]]) for choice in Case.Status.choices]

    @property
    def any_status(self) -> int:
        return sum(self.counts.values())


class Column(NamedTuple):
    """The cases of one status on the board: as many as it shows, and how many there are."""

    status: str
    label: str
    rows: Sequence[CaseRow]
    total: int

    @property
    def others(self) -> list[tuple[str, str]]:
        """Where a card of this column can go."""
        return [choice for choice in Case.Status.choices if choice[0] != self.status]


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What a list is asked for. `view` and `sort` are of VIEWS and SORTS, `project` is a key."""

    text: str = ""
    view: str = ""
    project: str = ""
    status: str = ""
    sort: str = "updated"
    page: int = 1

    @classmethod
    def read(cls, params: QueryDict) -> CaseQuery:
        """An address, with tolerance: what it does not know, it drops."""
        page = params.get("page", "")
        return cls(
            text=params.get("q", "").replace("\0", "").strip()[:MAX_TYPED],
            view=view if (view := params.get("view", "")) in (*VIEWS, EVERY) else "",
            project=params.get("project", "").replace("\0", "").upper()[:10],
            status=s if (s := params.get("status", "")) in Case.Status.values else "",
            sort=sort if (sort := params.get("sort", "")) in SORTS else "updated",
            page=int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 1,
        )

    @property
    def state(self) -> str:
        """Without its page, always written alike; "" for how a list begins."""
        names = {"q": self.text, "view": self.view, "project": self.project, "status": self.status}
        sort = {"sort": self.sort} if self.sort != "updated" else {}
        return urlencode({name: value for name, value in names.items() if value} | sort)

    def condition(self, me: User) -> Q:
        """Raises BadTerm."""
        found = _in_view(self.view, me) & search_condition(self.text, me=me)
        found &= Q(project__key=self.project) if self.project else Q()
        return found & Q(status=self.status) if self.status else found

    @property
    def is_looked_for(self) -> bool:
        """Whether each case has to be looked at to tell; raises BadTerm."""
        return self.view == "team" or reads_texts(self.text)


def find_cases(query: CaseQuery, *, me: User) -> CasePage:
    """One page of cases; raises BadTerm. The number of statements does not depend on the rows."""
    find = page_at_once if query.is_looked_for else page_along_index
    order = ORDERS[query.sort]
    pks, number, counts = find(_found(query, me), order, status=query.status, number=query.page)
    total = counts[query.status] if query.status else sum(counts.values())
    return CasePage(_rows(_shown(pks, order)), number, total, counts)


def case_pks(query: CaseQuery, *, me: User, most: int) -> list[UUID]:
    """All that the list holds, in its order, up to so many; raises BadTerm."""
    found = Case.objects.filter(query.condition(me)).order_by(*ORDERS[query.sort])
    return list(found.values_list("pk", flat=True)[:most])


def board_of(query: CaseQuery, *, me: User) -> list[Column]:
    """The same cases, a column for each status; raises BadTerm. Statements as few for any rows."""
    find = columns_at_once if query.is_looked_for else columns_along_index
    order = ORDERS[query.sort]
    pks, counts = find(_found(query, me), order, most=CARDS)
    shown = [list(_shown(pks[status], order)) for status in Case.Status.values]
    # One statement each for what all the columns' cards carry.
    rows = iter(_rows([case for cases in shown for case in cases]))
    return [
        Column(*choice, [next(rows) for _ in cases], counts[choice[0]])
        for choice, cases in zip(Case.Status.choices, shown, strict=True)
    ]


def counts_of(queries: Mapping[str, CaseQuery], *, me: User) -> tuple[dict[str, int], bool]:
    """How many cases each of them finds, by its key, without one that cannot be read, MAX_COUNTED
    + 1 for any number beyond; and whether there is any case at all.

    One statement, and one for each word that they look for.
    """
    found: dict[str, QuerySet[Case]] = {}
    for key, query in queries.items():
        try:
            found[key] = Case.objects.filter(query.condition(me)).order_by()[: MAX_COUNTED + 1]
        except BadTerm:
            continue
    *numbers, some = numbers_of([*found.values(), Case.objects.order_by()[:1]])
    return dict(zip(found, numbers, strict=True)), bool(some)


def _in_view(view: str, me: User) -> Q:
    if view == EVERY:
        return Q()
    if view == "archived":
        return Q(archived_at__isnull=False)
    return Q(archived_at=None) & _among_current(view, me)


def _among_current(view: str, me: User) -> Q:
    if view == "failed":
        failed = ExternalIssue.objects.filter(FAILED, detached_at=None).order_by()
        return Q(pk__in=failed.values("case"))
    if view == "team":
        return of_team(me.team)
    if view == "overdue":
        return is_overdue()
    return Q(assignee=me) if view == "mine" else Q()


def _found(query: CaseQuery, me: User) -> QuerySet[Case]:
    """Of every status."""
    return Case.objects.filter(replace(query, status="").condition(me))


def _shown(pks: Keys, order: Order) -> QuerySet[Case]:
    shown = Case.objects.filter(Q(pk__in=pks)).order_by(*order)
    return shown.select_related(*ASSIGNEES).defer("description")


def _rows(cases: Iterable[Case]) -> list[CaseRow]:
    shown = list(cases)
    counts = dict(
        Attachment.objects.filter(case__in=shown).values_list("case").annotate(Count("pk"))
    )
    issues = issues_by_case([case.pk for case in shown])
    return [CaseRow(case, counts.get(case.pk, 0), issues.get(case.pk)) for case in shown]
