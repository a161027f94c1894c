from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.shadow import shadowed_by
from tests.automation.engine.naive import naive
from tests.automation.engine.strategies import FACTS, rule, specs

CONDITIONS = ["env:prod", "env:(prod OR pro)", "-team:*", "@severity:(high OR critical)", "leak"]
RULES = st.lists(
    st.builds(
        rule,
        st.lists(st.sampled_from(CONDITIONS), max_size=3).map(" ".join),
        finding_types=st.sampled_from([("misconfiguration",), ("misconfiguration", "secret")]),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(RULES | st.lists(specs(), max_size=8), st.lists(FACTS, min_size=1, max_size=10))
def test_it_never_raises_a_false_alarm(rules, findings):
    for shadowed, by in shadowed_by(rules).items():
        assert by < shadowed
        alone, coverer = naive([rules[shadowed]]), naive([rules[by]])
        assert all(coverer(facts) == 0 for facts in findings if alone(facts) == 0)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("", "env:prod"),
        ("env:prod", "env:prod"),
        ("env:prod", "team:web env:prod"),
        ("@severity:(critical OR high)", "@severity:high"),
        ("env:(prod OR staging)", "(env:staging OR env:prod) team:web"),
        ("-env:dev", "-env:dev @severity:low"),
    ],
)
def test_it_finds_a_rule_that_an_earlier_one_covers(earlier, later):
    assert shadowed_by([rule(earlier), rule(later)]) == {1: 0}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("env:prod", ""),
        ("env:prod", "team:web"),
        ("@severity:high", "@severity:(critical OR high)"),
        ("env:prod team:web", "env:prod"),
        ("env:(prod OR staging)", "env:prod OR team:web"),
    ],
)
def test_it_leaves_a_rule_alone_that_matches_more(earlier, later):
    assert shadowed_by([rule(earlier), rule(later)]) == {}


def test_it_compares_finding_types():
    one, two = ("secret",), ("secret", "misconfiguration")

    assert shadowed_by([rule(finding_types=two), rule(finding_types=one)]) == {1: 0}
    assert shadowed_by([rule(finding_types=one), rule(finding_types=two)]) == {}


def test_it_takes_no_account_of_rules_that_do_not_act():
    inactive = [rule(enabled=False), rule(broken="gone"), rule("(env:prod")]

    assert shadowed_by([*inactive, rule("env:prod"), rule("env:prod", enabled=False)]) == {}


def test_it_names_the_first_that_covers():
    assert shadowed_by([rule("env:dev"), rule("env:prod"), rule(), rule("env:prod")]) == {3: 1}
