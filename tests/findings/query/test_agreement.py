"""One meaning, three readers: predicate, SQL on the database at hand, canonical text."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findings.facts import Facts, lookup
from findings.models import Finding
from findings.query.canonical import write
from findings.query.clock import as_of
from findings.query.parse import parse
from findings.query.predicate import columns_read, compile_predicate
from findings.query.sql import condition
from tests.factories import FindingFactory, SourceFactory, create_findings
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
    rows = create_findings(FindingFactory.build(source=source, **fields) for fields in drawn)
    stored = [
        Facts._make(row)
        for row in Finding.objects.values_list(*map(lookup, Facts._fields)).order_by("pk")
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


def limited(facts: Facts, columns: Iterable[str]) -> Facts:
    """With nothing in the other columns."""
    return Facts("", "")._replace(**{name: getattr(facts, name) for name in columns})


@given(strategies.findings, st.lists(strategies.terms, max_size=20), strategies.nodes)
@QUICKLY
def test_it_answers_by_the_columns_that_it_reads(fields, terms, node):
    facts = Facts(**fields)
    for each in [*terms, node]:
        matches = compile_predicate(as_of(each, strategies.NOON))
        assert matches(limited(facts, columns_read(each))) == matches(facts), write(each)


NESTED = [["x"], [["x"]], [[["x"]]], ["y", ["x"]], [[7.0]], [["7"]], [[True]], [["10.0.0.1"]]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    ["x", "7", "7.0", "true", "x*", ">=7", "[1 TO 9]", "*", '""', "10.0.0.1"],
)
@pytest.mark.parametrize("path", ["a", "a.b", "workflow.a"])
def test_it_opens_an_array_once_wherever_it_is(path, text):
    """PostgreSQL's path filters open one more."""
    documents = [{"a": value} for value in NESTED]
    documents += [{"a": {"b": value}} for value in NESTED]
    documents += [{"a": [[{"b": "x"}], {"b": value}]} for value in NESTED]
    for document in documents:
        FindingFactory(attributes=document, workflow=document)
    root = parse(f"@{path}:{text}").root
    matches = compile_predicate(root)
    rows = Finding.objects.in_bulk()
    expected = {pk for pk, row in rows.items() if matches(_facts(row))}
    assert set(Finding.objects.filter(condition(root)).values_list("pk", flat=True)) == expected


def _facts(row):
    return Facts._make(getattr(row, name) for name in Facts._fields)
