from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from findings.facts import Severity
from tests.factories import FindingFactory

LIST = "/findings"


@pytest.fixture
def page(as_user, viewer):
    """`page("q=env:prod")`: what the explorer shows to a viewer."""

    def get(query="", **headers):
        return as_user(viewer).get(f"{LIST}?{query}", headers=headers)

    return get


def titles(answer) -> list[str]:
    return [row.finding.title for row in answer.context["page"].rows]


def facet(answer, name) -> dict[str, int]:
    [found] = [facet for facet in answer.context["facets"] if facet.name == name]
    return {choice.value: choice.number for choice in found.choices}


def test_it_shows_the_most_severe_and_then_the_newest_first(page):
    now = timezone.now()
    FindingFactory(title="Low", severity=Severity.LOW)
    FindingFactory(title="Old", severity=Severity.CRITICAL, first_seen_at=now - timedelta(days=2))
    FindingFactory(title="New", severity=Severity.CRITICAL)

    assert titles(page()) == ["New", "Old", "Low"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("severity", ["b", "a"]),
        ("-first_seen", ["b", "a"]),
        ("first_seen", ["a", "b"]),
        ("-changed", ["a", "b"]),
        ("changed", ["b", "a"]),
        ("nonsense", ["a", "b"]),
    ],
)
def test_it_sorts_by_severity_first_seen_and_last_change(page, sort, order):
    now = timezone.now()
    before = now - timedelta(days=1)
    FindingFactory(title="a", severity="critical", first_seen_at=before, detection_changed_at=now)
    FindingFactory(title="b", severity="low", first_seen_at=now, detection_changed_at=before)

    assert titles(page(f"sort={sort}")) == order


def test_it_finds_by_query_and_time(page):
    FindingFactory(title="Here", tags=["env:prod"])
    FindingFactory(title="Elsewhere", tags=["env:dev"])
    FindingFactory(title="Old", tags=["env:prod"], first_seen_at=timezone.now() - timedelta(days=8))

    assert titles(page("q=env:prod&from=7d")) == ["Here"]


def test_it_says_where_a_query_is_wrong(page):
    FindingFactory()

    answer = page("q=@severity:(critical")

    assert answer.status_code == 422
    assert "at character 11" in answer.content.decode()
    assert "<mark>(</mark>" in answer.content.decode()


def test_it_leaves_the_last_results_when_a_typed_query_is_wrong(page):
    FindingFactory(title="Still here")

    body = page("q=(", hx_request="true").content.decode()

    assert "at character 1" in body
    assert "results-count" not in body
