"""What the columns match is what the database finds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findings.columnar import dictionary, texts
from findings.columnar.loading import load, load_columns
from findings.columnar.matching import matching
from findings.models import Finding
from findings.query.canonical import write
from findings.query.sql import condition
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.findings.query import strategies

QUICKLY = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
MUCH = 1 << 30


def loaded(nodes):
    """A table that holds whatever these queries read."""
    wanted: set[str] = set()
    table = load(wanted.add, most=MUCH)
    for node in nodes:
        matching(table, node, strategies.NOON)
    *_, held = load_columns(table, sorted(wanted - {"finding_id"}))
    for name, column in held.items():
        table = table.with_column(name, column)
    return table


def found_by(table, node):
    mask = matching(table, node, strategies.NOON)
    assert mask is not None, write(node)
    return set(table.pks[mask].tolist())


@pytest.mark.django_db
@pytest.mark.parametrize("segment", [1, 2, 16_384])
@given(
    st.lists(strategies.findings, min_size=1, max_size=6),
    st.lists(strategies.terms, max_size=20),
    st.lists(strategies.nodes, max_size=3),
)
@QUICKLY
def test_they_match_what_sql_finds(frozen, monkeypatch, segment, drawn, terms, nodes):
    """With few texts one by one, and with many all at once."""
    monkeypatch.setattr(texts, "SEGMENT", segment)
    monkeypatch.setattr(dictionary, "SEGMENT", segment)
    Finding.objects.all().delete()
    source = SourceFactory()
    create_findings(FindingFactory.build(source=source, **fields) for fields in drawn)
    table = loaded([*terms, *nodes])
    for node in [*terms, *nodes]:
        if matching(table, node, strategies.NOON) is None:
            assert "finding_id" in write(node)
            continue
        expected = set(Finding.objects.filter(condition(node)).values_list("pk", flat=True))
        assert found_by(table, node) == expected, write(node)
