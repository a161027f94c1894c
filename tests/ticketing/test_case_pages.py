"""Pages and columns of cases, in every order, against a plain sort."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from django.db import connection

from config.lib.numbered_pages import ROWS
from tests.factories import ExternalIssueFactory, JiraAccountFactory, ProjectFactory, UserFactory
from ticketing import case_pages, case_search, services
from ticketing.case_lists import CARDS, SORTS, CaseQuery, board_of, find_cases
from ticketing.case_pages import ORDERS
from ticketing.case_search import reads_texts
from ticketing.models import Case

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MANY = 260
INDEXES = {
    "updated": "case_by_update",
    "created": "case_by_creation",
    "priority": "case_by_priority",
    "due": "case_by_due_date",
    "key": "case_by_key",
}
PLACE = {
    "updated": lambda case: (-case.modified_at.timestamp(), -case.number, -case.pk.int),
    "created": lambda case: (-case.created_at.timestamp(), -case.number, -case.pk.int),
    "priority": lambda case: (
        *(case.priority == "NOT_DEFINED", case.priority),
        *(-case.modified_at.timestamp(), -case.pk.int),
    ),
    "due": lambda case: (
        *(case.due_date is None, case.due_date or date.min),
        *(-case.modified_at.timestamp(), -case.number, -case.pk.int),
    ),
    "key": lambda case: (case.project.key, -case.number),
}


def make_cases(many: int = MANY) -> list[Case]:
    """Few values of each column, so that most of what is sorted by is the same."""
    random = Random(1)
    projects = [ProjectFactory(key=key) for key in ("SEC", "A", "AB", "A2")]
    return Case.objects.bulk_create(
        _case(number, random.choice(projects), random) for number in range(1, many + 1)
    )


def _case(number, project, random) -> Case:
    at = NOON - timedelta(days=random.randrange(3))
    status = random.choice(Case.Status.values)
    return Case(
        pk=UUID(int=random.getrandbits(128)),
        project=project,
        number=number,
        key=f"{project.key}-{number}",
        title=random.choice(("Leaked key", "Public bucket")),
        origin="manual",
        status=status,
        closed_at=at if status == "CLOSED" else None,
        priority=random.choice(Case.Priority.values),
        due_date=random.choice((None, at.date(), at.date() + timedelta(days=40))),
        created_at=NOON - timedelta(days=random.randrange(3)),
        modified_at=at,
        archived_at=at if random.random() < 0.2 else None,
    )


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("text", ["", "leaked"])
@pytest.mark.parametrize("view", ["", "archived", "every"])
def test_it_shows_every_case_once_in_the_order_of_a_plain_sort(sort, text, view):
    archived = {"": (False,), "archived": (True,), "every": (False, True)}[view]
    wanted = [
        case
        for case in sorted(make_cases(), key=PLACE[sort])
        if bool(case.archived_at) in archived and text in case.title.lower()
    ]
    counts = Counter(case.status for case in wanted)
    me = UserFactory()
    for status in ("", "OPEN", "CLOSED"):
        keys = [case.key for case in wanted if status in ("", case.status)]
        query = CaseQuery(text, view, status=status, sort=sort)
        last = math.ceil(len(keys) / ROWS)
        shown = []
        for number in range(1, last + 1):
            page = find_cases(CaseQuery(text, view, "", status, sort, number), me=me)
            assert (page.number, page.total, page.counts) == (number, len(keys), counts)
            shown += [row.case.key for row in page.rows]
        assert shown == keys, query
        beyond = find_cases(CaseQuery(text, view, "", status, sort, 999_999_999), me=me)
        assert (beyond.number, [row.case.key for row in beyond.rows]) == (
            *(last,),
            keys[(last - 1) * ROWS :],
        )
    for column in board_of(CaseQuery(text, view, sort=sort), me=me):
        keys = [case.key for case in wanted if case.status == column.status]
        assert column.total == len(keys)
        assert [row.case.key for row in column.rows] == keys[:CARDS]


@pytest.mark.parametrize("text", ["", "nothing like it"])
@pytest.mark.parametrize("number", [0, 1, 7])
def test_it_finds_nothing_where_nothing_is(text, number):
    me = UserFactory()
    page = find_cases(CaseQuery(text, page=number), me=me)
    assert (list(page.rows), page.number, page.total, page.shown) == ([], 1, 0, "")
    assert [column.total for column in board_of(CaseQuery(text), me=me)] == [0, 0, 0]


@pytest.mark.parametrize("text", ["", "outdated"])
def test_what_is_written_is_in_the_next_page(text):
    project, query, me = ProjectFactory(), CaseQuery(text), UserFactory()
    case = services.open_manual_case([], project=project, title="Outdated", actor=None)
    assert find_cases(query, me=me).counts == {"OPEN": 1, "IN_PROGRESS": 0, "CLOSED": 0}
    services.change_case(case, status="CLOSED", actor=None)
    assert find_cases(query, me=me).counts == {"OPEN": 0, "IN_PROGRESS": 0, "CLOSED": 1}
    services.archive(case, actor=None)
    assert find_cases(query, me=me).total == 0


@pytest.mark.parametrize("more", [-1, 1, ROWS])
def test_a_page_that_changes_while_it_is_read_shows_no_case_twice(monkeypatch, more):
    """Cases come and go after they were counted and before they are read."""
    cases = make_cases(4 * ROWS)
    real = case_pages._counts_of

    def counted_before(found):
        counts = real(found)
        return {**counts, "OPEN": counts["OPEN"] + more}

    monkeypatch.setattr(case_pages, "_counts_of", counted_before)
    current = [case.key for case in sorted(cases, key=PLACE["updated"]) if not case.archived_at]
    page = find_cases(CaseQuery(page=999), me=UserFactory())
    keys = [row.case.key for row in page.rows]
    assert keys == current[len(current) - len(keys) :]
    assert 0 < len(keys) <= ROWS


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_is_that_of_an_index(sort):
    make_cases(2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ticketing_case")
    found = Case.objects.filter(archived_at=None).order_by(*ORDERS[sort]).values("pk")
    for part in (found[:ROWS], found.reverse()[ROWS : 2 * ROWS]):
        plan = part.explain()
        assert INDEXES[sort] in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("", False),
        ("status:open -assignee:me (priority:P1 OR project:SEC) due:overdue", False),
        ("leaked", True),
        ("-title:leaked", True),
        ("status:open (project:SEC OR key:SEC-1)", True),
        ("team:payments", True),
        ("(open", False),
    ],
)
def test_it_tells_what_no_index_finds(text, is_so):
    assert reads_texts(text) is is_so


@pytest.mark.parametrize("most", [0, 200])
def test_a_word_is_found_in_keys_here_and_in_jira(monkeypatch, most):
    """As many as a statement names, and more."""
    monkeypatch.setattr(case_search, "MAX_NAMED", most)
    project = ProjectFactory(key="RISK")
    account = JiraAccountFactory()
    for title in ("Grün", "one", "two"):
        case = services.open_manual_case([], project=project, title=title, actor=None)
        if title != "Grün":
            issue = {"issue_id": title, "issue_key": f"JIRA-{title.upper()}", "state": "created"}
            ExternalIssueFactory(case=case, account=account, **issue)
    found = {
        text: {row.case.title for row in find_cases(CaseQuery(text), me=UserFactory()).rows}
        for text in ("jira-t", "jira", "risk-1", "Grün", "-jira", "jira -two")
    }
    assert found == {
        "jira-t": {"two"},
        "jira": {"one", "two"},
        "risk-1": {"Grün"},
        "Grün": {"Grün"},
        "-jira": {"Grün"},
        "jira -two": {"one"},
    }
