"""Orders of the explorer: each walks through all that is found, forth and back."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from findings.explorer.columns import COLUMNS, SEVERITY
from findings.explorer.pages import SORTS, PageCursor, Sort, in_order, page_of
from findings.explorer.search import Search
from findings.facts import Severity
from tests.factories import FindingFactory
from tests.html_tree import tree

SORTABLE = [SEVERITY, *(column for column in COLUMNS.values() if column.sort)]


@pytest.fixture
def findings(db):
    """Twenty with few different values, in no order, some with none."""
    now, any_of = timezone.now(), Random(7).choice
    days = [now - timedelta(days=day) for day in range(3)]
    for _ in range(20):
        FindingFactory(
            severity=any_of(list(Severity)[:3]),
            first_seen_at=any_of(days),
            detection_changed_at=any_of(days),
            opened_at=any_of(days),
            due_at=any_of([None, None, *days]),
        )


def walk(sort: Sort, place: PageCursor | None = None, *, backwards=False) -> list[list[int]]:
    pages = []
    while True:
        page = page_of(Search(), sort=sort, cursor=place, size=3)
        pages.append([row.finding.pk for row in page.rows])
        following = page.previous if backwards else page.next
        if not following:
            return pages
        place = PageCursor.read(following, sort)
        assert place is not None


@pytest.mark.parametrize("sort", Sort)
def test_pages_of_three_walk_all_rows_once_in_both_directions(findings, sort):
    forth = walk(sort)
    rows = [pk for page in forth for pk in page]
    last = page_of(Search(), sort=sort, cursor=None, size=3)
    for _ in forth[1:]:
        last = page_of(Search(), sort=sort, cursor=PageCursor.read(last.next, sort), size=3)
    back = walk(sort, PageCursor.read(last.previous, sort), backwards=True)

    assert rows == list(in_order(Search(), sort).values_list("pk", flat=True))
    assert len(set(rows)) == 20
    assert back[::-1] == forth[:-1]


@pytest.mark.parametrize("column", SORTABLE, ids=lambda column: column.name)
def test_each_sortable_column_has_an_order_both_ways(as_user, viewer, findings, column):
    orders = [sort for sort in SORTS if sort.field == column.sort]
    assert len(orders) == 2
    for sort in orders:
        body = as_user(viewer).get(f"/findings?sort={sort}&cols=none").content.decode()
        [head] = [th for th in tree(body).all("th") if "aria-sort" in th.attributes]
        assert column.label in head.text
        wanted = "descending" if sort.is_descending else "ascending"
        assert head.attributes["aria-sort"] == wanted
        assert SORTS[sort] in head.text


def test_an_order_of_nothing_but_empty_values_still_walks_all(db):
    FindingFactory.create_batch(7)

    for sort in (Sort.DUE, Sort.DUE_LAST):
        assert len({pk for page in walk(sort) for pk in page}) == 7


def test_a_row_that_comes_meanwhile_moves_no_other(findings):
    first = page_of(Search(), sort=Sort.SEVERITY, cursor=None, size=3)
    seen = {row.finding.pk for row in first.rows}
    FindingFactory(severity="critical", first_seen_at=timezone.now() + timedelta(days=1))

    rest = walk(Sort.SEVERITY, PageCursor.read(first.next, Sort.SEVERITY))

    others = [pk for page in rest for pk in page]
    assert not seen & set(others)
    assert len(others) == 17


def test_what_no_index_serves_is_not_offered(as_user, viewer, findings):
    body = as_user(viewer).get("/findings?cols=status,last").content.decode()

    heads = {th.text.split("\n")[0].strip(): th for th in tree(body).all("th")}
    for label in ("Status", "Last seen"):
        [head] = [th for text, th in heads.items() if text.startswith(label)]
        assert "sort=" not in "".join(a.attributes["href"] for a in head.all("a"))
