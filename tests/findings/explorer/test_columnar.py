"""One meaning, two readers: what the explorer reads from the columns in memory is what it reads
from the database at hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from findings.columnar.current import FIRST
from findings.columnar.rows import Rows, lazy_column, rows_of
from findings.explorer import columnar_groups, columnar_inbox
from findings.explorer.due import Due
from findings.explorer.facets import MAX_VALUES, count_facet, count_facets
from findings.explorer.groups import page_of_groups
from findings.explorer.histogram import histogram
from findings.explorer.inbox import panels_of
from findings.explorer.overdue import overdue_by
from findings.explorer.pages import (
    COUNTED,
    PageCursor,
    Sort,
    numbers_of,
    page_of,
    pks_in_order,
    total_of,
    walk,
)
from findings.explorer.search import IN_INBOX, Clock, Search, Within
from findings.facts import TYPE_CHOICES, Severity, Status, Ticket
from findings.grouping import stored_values
from findings.imports.importers import source_rows
from findings.models import DailyCount, Finding
from findings.query.ast import Query
from findings.query.parse import parse
from findings.selectors import Order, finding_count, over_limit_counts, page_of_findings
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.findings.columns import columns, from_columns, table_for
from tests.findings.query import strategies
from tests.findings.query.strategies import NOON, RULE
from tests.findings.test_group_values import NAMES
from tests.findings.test_group_values import findings as described

SLOWLY = settings(
    deadline=None,
    max_examples=10,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
dates = st.none() | strategies.times
findings = st.builds(
    lambda fields, opened_at, resolved_at, decided_at, is_image: (
        fields
        | {"opened_at": opened_at, "resolved_at": resolved_at, "decided_at": decided_at}
        | ({"resource_type": "container_image"} if is_image else {})
    ),
    described,
    strategies.times,
    dates,
    dates,
    st.booleans(),
)
chosen_values = {
    "severity": ["critical", "high", "none"],
    "ticket": ["none", "manual", "over_limit"],
    "due": ["overdue", "soon", "later", ""],
    "status": ["open", "in-progress", "resolved"],
    "type": ["secret", "container_image_vulnerability", "host_vulnerability", "nonsense"],
    "team": ["", "x", "7", "missing"],
    "service": ["", "x"],
    "inbox": ["in", ""],
    "case_status": ["", "open"],
    "rule": ["", str(RULE), "no id"],
    "mute_rule": ["", str(RULE)],
}
chosen = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
        for name, values in chosen_values.items()
    },
).filter(lambda found: len(found) < 4)
groups = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


@st.composite
def searches(draw):
    group = tuple(draw(groups))
    of_group = st.lists(strategies.texts, min_size=len(group), max_size=len(group))
    within = st.builds(
        Within, st.lists(of_group.map(tuple), max_size=2), st.booleans(), st.booleans()
    )
    return Search(
        draw(strategies.nodes),
        draw(dates),
        draw(chosen),
        until=draw(dates),
        clock=draw(st.sampled_from(Clock)),
        group=group,
        within=draw(st.none() | within),
    )


def everything_told(search, sort, size):
    """By each door of the explorer: figures, and rows by their keys."""
    pages = list(paged(search, sort, size))
    grouped = [
        [group._replace(newest=None, newest_ticketed=None) for group in page.rows]
        + [page.number, page.total, page.findings]
        for page in (page_of_groups(search, number=n, size=size) for n in (1, 9))
    ]
    return {
        "facets": [(facet.name, facet.choices) for facet in count_facets(search)],
        "facet": [count_facet(search, name, find="X") for name in ("team", "service")],
        "histogram": [histogram(search, now=NOON + timedelta(days=1))],
        "total": [total_of(search), *numbers_of([search, Search()], most=2)],
        "pages": pages,
        "keys": [pks_in_order(search, sort, most=size)],
        "walk": [row.pk for rows in walk(search, sort=sort, at_once=size) for row in rows],
        "groups": grouped,
        "inbox": sorted(panels_of(search.root, {}).groups),
        "overdue": [+Counter(overdue_by(by)) for by in DailyCount.By.values],
        "over_limit": [over_limit_counts(since=NOON - timedelta(days=2))],
        "importers": [source_rows()],
        "api": [*api_pages(search.root, size), finding_count(Query("", search.root))],
    }


def paged(search, sort, size):
    """Forwards to the end, and one page back."""
    cursor = None
    for _ in range(4):
        page = page_of(search, sort=sort, cursor=cursor, size=size)
        yield [row.finding.pk for row in page.rows], page.start, page.previous, page.next
        back = PageCursor.read(page.previous, sort)
        cursor = PageCursor.read(page.next, sort)
        if cursor is None:
            break
    if back:
        page = page_of(search, sort=sort, cursor=back, size=size)
        yield [row.finding.pk for row in page.rows], page.start, page.previous, page.next


def api_pages(root, size):
    for order in Order:
        first = page_of_findings(Query("", root), order=order, limit=size)
        more = page_of_findings(Query("", root), order=order, after=first.after, limit=size)
        yield [[finding.pk for finding in page.findings] for page in (first, more)]


@pytest.mark.django_db
@given(
    st.lists(findings, min_size=1, max_size=8),
    st.lists(st.tuples(searches(), st.sampled_from(Sort)), min_size=1, max_size=3),
)
@SLOWLY
def test_it_tells_from_memory_what_the_database_tells(frozen, drawn, asked):
    Finding.objects.all().delete()
    source = SourceFactory()
    built = [FindingFactory.build(source=source, **fields) for fields in drawn]
    for finding in built:
        finding.grouping = stored_values(finding)
    create_findings(built)

    for search, sort in asked:

        def read(search=search, sort=sort):
            return everything_told(search, sort, 2)

        with columns(None):
            expected = read()
        told = from_columns(read)
        for name, figures in expected.items():
            for one, other in zip(told[name], figures, strict=True):
                assert one == other, f"{name}\n{search}\n{sort}"


GROUPED = Search(parse("@cvss.score:>7 escal*").root, group=("team", "package"))
DOORS = {
    "facets": (0, lambda: count_facets(GROUPED, tags=("team",))),
    "one facet": (0, lambda: count_facet(GROUPED, "team")),
    "histogram": (0, lambda: histogram(GROUPED, now=NOON)),
    "numbers": (0, lambda: [total_of(GROUPED), numbers_of([GROUPED], most=9)]),
    "page": (1, lambda: page_of(GROUPED, sort=Sort.SEVERITY, cursor=None, size=5).rows[4]),
    "groups": (1, lambda: page_of_groups(GROUPED, number=1, size=5).groups[1]),
    "a group": (
        1,
        lambda: page_of(
            replace(GROUPED, within=Within([("a", "pypi/x")])), sort=Sort.DUE, cursor=None, size=5
        ).rows[2],
    ),
    "inbox": (0, lambda: panels_of(GROUPED.root, {})),
    "search of the API": (1, lambda: page_of_findings(Query("", GROUPED.root), limit=3)),
    "count of the API": (0, lambda: finding_count(Query("", GROUPED.root))),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("statements", "read"), DOORS.values(), ids=DOORS)
def test_it_asks_the_database_for_the_rows_it_shows_alone(
    django_assert_num_queries, statements, read
):
    for nth in range(6):
        FindingFactory(
            title="Privilege escalation",
            tags=[f"team:{'ab'[nth % 2]}"],
            attributes={"cvss": {"score": 9.8}, "package": {"name": "x", "ecosystem": "pypi"}},
        )
    table = table_for(read)
    with columns(table), django_assert_num_queries(statements):
        read()


EVERY_CHOICE = {
    "severity": [*Severity],
    "ticket": [*Ticket],
    "due": [*Due],
    "status": [*Status],
    "type": [choice.value for choice in TYPE_CHOICES],
    "team": ["", "a", "b"],
    "service": ["", "a"],
    "inbox": [IN_INBOX, ""],
    "case_status": ["", "open"],
    "rule": ["", str(RULE)],
    "mute_rule": [""],
}


@pytest.mark.django_db
def test_a_search_with_every_choice_of_every_facet_finds_everything(frozen):
    for nth, severity in enumerate(("critical", "low", "none")):
        FindingFactory(
            severity=severity,
            status=("open", "muted", "resolved")[nth],
            tags=[["team:a", "team:b"], ["team:b"], ["service:a"]][nth],
            due_at=NOON + timedelta(days=9 * nth - 9) if nth < 2 else None,
        )
    search = Search(chosen=EVERY_CHOICE)

    def read():
        return {facet.name: facet.choices for facet in count_facets(search)}

    with columns(None):
        expected = read()
    told = from_columns(read)
    assert told == expected
    assert set(told) == set(EVERY_CHOICE)
    for name, choices in told.items():
        assert sum(choice.number for choice in choices) == (4 if name == "team" else 3), name


def many_with(read=lambda: None, **fields):
    """30,000 findings that share nothing, and are in the table alone."""
    first = FindingFactory(**fields)
    table = table_for(read)
    number = 30_000
    rows = Rows(
        np.arange(first.pk + 1, first.pk + 1 + number),
        np.repeat([[values.values[0] for values in table.times.values()]], number, axis=0),
        [table.profiles.entries[0]] * number,
        [f'["key-{nth}:x", "team:team-{nth}"]' for nth in range(number)],
        [[held.dictionary.entries[0]] * number for held in table.lazy.values()],
    )
    return table.with_rows(rows, tuple(table.lazy))


@pytest.mark.django_db
def test_it_bounds_what_it_shows_of_very_many_values():
    """Each finding has a tag key and a team of its own."""
    with columns(many_with(tags=["team:rare"])):
        facet = count_facet(Search(chosen={"team": ["team-29999"]}), "team", find="m-2999")
        total = total_of(Search(parse("team:*").root))
    assert len(facet.choices) == MAX_VALUES
    assert facet.choices[0].number == 1
    assert [choice.number for choice in facet.choices if choice.value == "team-29999"] == [1]
    assert {choice.value for choice in facet.found} == {"team-2999"} | {
        f"team-2999{nth}" for nth in range(10)
    }
    assert total == COUNTED + 1


@pytest.mark.django_db
def test_it_groups_by_keys_that_each_finding_has_for_itself():
    def page(name):
        found = columnar_groups.read_page(Search(group=(name,)), (name,), number=1, size=3)
        return [[row["key_0"], row["number"], row["total"]] for row in found or ()]

    with columns(many_with(lambda: page("team"), tags=["team:rare"])):
        assert page("team") == [
            ["rare", 1, 30_001],
            ["team-0", 1, 30_001],
            ["team-1", 1, 30_001],
        ]
        assert page("tag:key-77") == [["x", 1, 1], ["", 30_000, 1]]
        assert page("tag:nowhere") == [["", 30_001, 0]]


@pytest.mark.django_db
def test_groups_that_were_counted_are_counted_again_once_a_finding_has_changed():
    def page():
        found = columnar_groups.read_page(Search(group=("team",)), ("team",), number=1, size=3)
        return [[row["key_0"], row["number"], row["worst"]] for row in found or ()]

    finding = FindingFactory(tags=["team:a"], severity="low")
    FindingFactory(tags=["team:a"], severity="low")
    table = table_for(page)
    with columns(table):
        assert page() == page() == [["a", 2, 3]]
    Finding.objects.filter(pk=finding.pk).update(tags=["team:b"], severity="critical")
    names = tuple(table.lazy)
    changed = rows_of([finding.pk], [lazy_column(name) for name in names])
    with columns(table.with_rows(changed, names)):
        assert page() == [["b", 1, 6], ["a", 1, 3]]


@pytest.mark.django_db
def test_what_is_loaded_first_tells_of_the_inbox_and_of_groups_by_package():
    def read():
        search = Search(group=("package",))
        return [
            columnar_inbox.panel_groups(
                search, parse("@ticket.key:* @workflow.triage.assignee.id:*").root
            ),
            columnar_groups.read_page(search, search.group, number=1, size=3),
        ]

    FindingFactory()
    table = table_for(read)
    assert set(table.lazy) == set(FIRST)
    with columns(table):
        assert None not in read()
