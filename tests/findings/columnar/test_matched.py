"""A search finds the same from the columns and by SQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.columnar.loading import load
from findings.explorer.due import Due
from findings.explorer.matched import matched
from findings.explorer.search import IN_INBOX, Clock, Search
from findings.facts import TYPE_CHOICES, Severity, Status, Ticket
from findings.models import Finding
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.findings.columnar.test_masks import MUCH, QUICKLY
from tests.findings.query import strategies

NAMES = ["a", "b", ""]
CHOICES = {
    "severity": [*Severity, "x"],
    "ticket": [*Ticket],
    "status": [*Status],
    "case_status": ["", "open", "closed"],
    "due": [*Due],
    "type": [choice.value for choice in TYPE_CHOICES],
    "team": NAMES,
    "service": NAMES,
    "inbox": [IN_INBOX, ""],
    "rule": ["", str(strategies.RULE), "no id"],
    "mute_rule": ["", str(strategies.RULE)],
}
chosen = st.dictionaries(st.sampled_from([*CHOICES]), st.integers(1, 9), max_size=4).flatmap(
    lambda picked: st.fixed_dictionaries(
        {
            name: st.lists(st.sampled_from(CHOICES[name]), min_size=1, max_size=3, unique=True)
            for name in picked
        }
    )
)
searches = st.builds(
    Search,
    since=st.none() | strategies.times,
    until=st.none() | strategies.times,
    clock=st.sampled_from([*Clock]),
    chosen=chosen,
)
found = st.tuples(
    strategies.findings,
    st.lists(st.sampled_from(["team:a", "team:b", "service:a", "team", "service:"]), unique=True),
    st.fixed_dictionaries(
        {
            name: st.none() | strategies.times
            for name in ("resolved_at", "ticketed_at", "decided_at")
        }
    ),
    strategies.times,
    st.sampled_from([None, -9, -1, 0, 1, 7, 8, 30]),
    st.sampled_from(["container_image", "host", "é"]),
)


@pytest.mark.django_db
@given(st.lists(found, min_size=1, max_size=6), st.lists(searches, min_size=1, max_size=10))
@QUICKLY
def test_it_finds_the_same(frozen, drawn, searches):
    Finding.objects.all().delete()
    source = SourceFactory()
    create_findings(
        FindingFactory.build(
            source=source,
            **fields
            | {"tags": tags, "opened_at": opened_at, "resource_type": resource_type}
            | times
            | {"due_at": days if days is None else strategies.NOON + timedelta(days=days)},
        )
        for fields, tags, times, opened_at, days, resource_type in drawn
    )
    table = load(lambda _: None, most=MUCH)
    for search in searches:
        mask = matched(table, search)
        expected = set(search.findings().values_list("pk", flat=True))
        assert set(table.pks[mask].tolist()) == expected, search
        facets = [name for name in search.chosen if name != "severity"]
        mask = matched(table, search, facets=facets)
        expected = set(search.findings(facets=facets).values_list("pk", flat=True))
        assert set(table.pks[mask].tolist()) == expected, search
