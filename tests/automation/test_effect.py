"""What other rules would have done with the last 30 days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.preview import DAYS, effect_of, preview
from tests.factories import FindingFactory, ticket_spec

pytestmark = pytest.mark.django_db


def rule(name, *, limit=100, query="", enabled=True):
    return ticket_spec(
        id=name,
        name=name,
        enabled=enabled,
        finding_types=("library_vulnerability",),
        query=query,
        target="case_management",
        project_id="",
        max_tickets_per_day=limit,
    )


def findings(number, *, days_ago=0, **said):
    at = timezone.now() - timedelta(days=days_ago)
    FindingFactory.create_batch(number, first_seen_at=at, **said)


def counts(before, after):
    effect = effect_of(before, after)
    return effect.stayed, dict(effect.made), dict(effect.moved), dict(effect.dropped)


def test_it_counts_tickets_that_would_have_been_made(frozen):
    findings(3)
    assert counts([], [rule("a")]) == (0, {"a": 3}, {}, {})


def test_it_counts_tickets_that_would_have_been_dropped(frozen):
    findings(3)
    assert counts([rule("a")], [rule("a", enabled=False)]) == (0, {}, {}, {"a": 3})


def test_it_counts_tickets_that_move_to_another_rule(frozen):
    findings(2, tags=["team:x"])
    findings(3)
    before, first = [rule("a"), rule("b", query="team:x")], rule("b", query="team:x")
    assert counts(before, [first, rule("a")]) == (3, {}, {("a", "b"): 2}, {})


def test_it_keeps_each_rule_within_its_limit_of_the_day(frozen):
    findings(5)
    findings(5, days_ago=1)
    assert counts([rule("a", limit=3)], [rule("a", limit=4)]) == (6, {"a": 2}, {}, {})
    assert counts([rule("a", limit=4)], [rule("a", limit=3)]) == (6, {}, {}, {"a": 2})


def test_a_finding_over_the_limit_does_not_fall_through(frozen):
    findings(5)
    assert counts([rule("a", limit=2)], [rule("a", limit=2), rule("b")]) == (2, {}, {}, {})


def test_those_that_opened_first_have_the_slots(frozen):
    findings(1, tags=["team:x"])
    frozen.shift(60)
    findings(1)
    after = [rule("a", query="team:x", limit=1), rule("b", limit=1)]
    assert counts([rule("b", limit=1)], after) == (0, {"b": 1}, {("b", "a"): 1}, {})


def test_it_looks_at_30_days(frozen):
    findings(1, days_ago=DAYS - 1)
    findings(1, days_ago=DAYS)
    assert counts([], [rule("a")]) == (0, {"a": 1}, {}, {})
    assert effect_of([], [rule("a")]).findings == 1


def test_it_says_the_same_as_the_preview_of_one_rule(frozen):
    findings(7, tags=["team:x"])
    findings(4, days_ago=3)
    one, earlier = rule("b", limit=3), rule("a", query="team:x")
    shown = preview(one, before=[earlier])
    assert effect_of([earlier], [earlier, one]).made == {"b": shown.ticketed}


@pytest.mark.parametrize("number", [1, 40])
def test_it_asks_once_however_many_there_are(frozen, number, django_assert_num_queries):
    findings(number)
    with django_assert_num_queries(1):
        effect_of([rule("a")], [rule("b")])
