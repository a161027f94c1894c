"""One meaning, three readers: predicate, SQL on the database at hand, canonical text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findings.facts import Facts
from findings.models import Finding
from findings.query.canonical import write
from findings.query.clock import as_of
from findings.query.parse import parse
from findings.query.predicate import compile_predicate
from findings.query.sql import condition
from tests.factories import FindingFactory, SourceFactory
from tests.findings.query import strategies

QUICKLY = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@given(strategies.nodes)
@QUICKLY
def test_it_reads_back_what_it_writes(node):
    assert parse(write(node)).root == node


@pytest.mark.django_db
@given(
    st.lists(strategies.findings, min_size=1, max_size=4),
    st.lists(strategies.terms, max_size=20),
    st.lists(strategies.nodes, max_size=3),
)
@QUICKLY
def test_it_finds_in_the_database_what_the_predicate_matches(frozen, drawn, terms, nodes):
    Finding.objects.all().delete()
    source = SourceFactory()
    rows = Finding.objects.bulk_create(
        FindingFactory.build(source=source, **fields) for fields in drawn
    )
    stored = [
        Facts._make(row) for row in Finding.objects.values_list(*Facts._fields).order_by("pk")
    ]
    sent = [
        Facts(**fields, finding_id=row.finding_id, source_severity=fields["severity"])
        for fields, row in zip(drawn, rows, strict=True)
    ]
    for node in [*terms, *nodes]:
        matches = compile_predicate(as_of(node, strategies.NOON))
        expected = [matches(facts) for facts in stored]
        found = set(Finding.objects.filter(condition(node)).values_list("pk", flat=True))
        assert [row.pk in found for row in rows] == expected, write(node)
        assert [matches(facts) for facts in sent] == expected, write(node)
