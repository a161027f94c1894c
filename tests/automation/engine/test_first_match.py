from __future__ import annotations

from itertools import compress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation.engine import compile as compile_module
from automation.engine.compile import compile_rules
from findings.facts import Facts
from tests.automation.engine.naive import naive
from tests.automation.engine.strategies import FACTS, misconfiguration, rule, specs


@pytest.fixture(autouse=True)
def _indexed(monkeypatch):
    """However few the rules of an example are."""
    monkeypatch.setattr(compile_module, "FEW", 0)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(specs(), max_size=12), st.lists(FACTS, min_size=1, max_size=8))
def test_it_equals_the_naive_loop(rules, findings):
    compiled, loop = compile_rules(rules), naive(rules)
    for facts in (*findings, *findings):  # the second time from memory
        assert compiled.first_match(facts) == loop(facts), facts


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(specs(), max_size=12), st.lists(FACTS, min_size=1, max_size=4), st.integers(0, 11))
def test_few_rules_in_turn_are_the_same(monkeypatch, rules, findings, passed_over):
    def accepts(index: int) -> bool:
        return index != passed_over

    indexed = compile_rules(rules)
    with monkeypatch.context() as patch:
        patch.setattr(compile_module, "FEW", len(rules))
        in_turn = compile_rules(rules)
    assert in_turn.faults == indexed.faults
    for facts in findings:
        for given_accepts in (None, accepts):
            expected = indexed.first_match(facts, given_accepts)
            assert in_turn.first_match(facts, given_accepts) == expected, facts


def first(queries: list[str], facts: Facts) -> int | None:
    return compile_rules([rule(query) for query in queries]).first_match(facts)


def test_it_takes_the_first_of_several():
    facts = misconfiguration(tags=["env:prod", "team:web"])

    assert first(["env:dev", "team:web", "env:prod"], facts) == 1


def test_it_matches_nothing_without_rules():
    assert compile_rules([]).first_match(misconfiguration()) is None


def test_it_skips_disabled_and_broken_rules():
    rules = [rule(enabled=False), rule(broken="project gone"), rule()]

    assert compile_rules(rules).first_match(misconfiguration()) == 2


def test_it_never_matches_a_rule_that_cannot_be_read():
    compiled = compile_rules([rule("(env:prod"), rule("@status:open"), rule()])

    assert compiled.first_match(misconfiguration(tags=["env:prod"])) == 2
    assert set(compiled.faults) == {0, 1}
    assert "never closed" in compiled.faults[0]


def test_it_never_matches_a_rule_without_types():
    assert compile_rules([rule(finding_types=())]).first_match(misconfiguration()) is None


def test_it_matches_any_value_of_a_tag():
    facts = misconfiguration(tags=["env:dev", "env:prod", "env:test"])

    assert first(["env:prod env:test"], facts) == 0
    assert first(["-env:prod", "env:dev"], facts) == 1


def test_it_matches_any_element_of_an_array():
    facts = misconfiguration(attributes={"host": [{"ip": "a"}, {"ip": ["b", 7]}]})

    assert first(["@host.ip:c", "@host.ip:a @host.ip:b @host.ip:>=7"], facts) == 1


def test_it_does_not_match_a_missing_field_except_through_minus():
    facts = misconfiguration()

    assert first(["env:*", "@cvss:<5", "-env:prod"], facts) == 2


def test_it_meets_the_container_and_host_narrowing():
    narrowing = "(-@finding_type:host_and_container_vulnerability OR -@resource_type:{})".format
    both = ("host_and_container_vulnerability",)
    rules = [
        rule(narrowing("container_image"), finding_types=both),
        rule(narrowing("host"), finding_types=both),
    ]
    image = Facts(both[0], "high", resource_type="container_image")
    host = Facts(both[0], "high", resource_type="host")

    compiled = compile_rules(rules)
    assert (compiled.first_match(host), compiled.first_match(image)) == (0, 1)


def test_it_evaluates_what_no_index_answers_only_for_candidates():
    facts = misconfiguration(title="Open port", tags=["env:prod"], attributes={"ip": "10.0.0.7"})

    assert first(["env:dev port", "env:prod leak", "CIDR(@ip,10.0.0.0/8) open"], facts) == 2


def test_it_keeps_numbers_texts_and_flags_apart():
    one, true, text = (misconfiguration(attributes={"n": n}) for n in (1, True, "1.0"))
    compiled = compile_rules([rule("@n:true"), rule("@n:>=1 -@n:1.0"), rule("@n:1")])

    assert [compiled.first_match(facts) for facts in (one, true, text)] == [2, 0, None]


def test_it_does_not_confuse_numbers_that_one_float_stands_for():
    compiled = compile_rules([rule(f"@n:{10**23}"), rule("@n:*")])
    written, computed = 1e23, int(1e23)

    found = [
        compiled.first_match(misconfiguration(attributes={"n": n}))
        for n in (written, computed, written)
    ]
    assert found == [0, 1, 0]


def test_it_survives_more_alternatives_than_it_looks_up():
    either = " OR ".join(f"key{n}:on" for n in range(200))

    facts = misconfiguration(tags=["key199:on", "env:prod"])
    assert first([f"({either}) env:dev", f"({either}) env:prod"], facts) == 1


@pytest.mark.parametrize(
    ("operand", "accepted"),
    [
        (">7", [7.5, 8, 9]),
        (">=7", [7, 7.5, 8, 9]),
        ("<8", [6, 7, 7.5]),
        ("<=8", [6, 7, 7.5, 8]),
        ("[7 TO 8]", [7, 7.5, 8]),
        ("{7 TO 8}", [7.5]),
        ("[* TO *]", [6, 7, 7.5, 8, 9]),
    ],
)
def test_it_tells_a_bound_from_what_lies_beside_it(operand, accepted):
    compiled = compile_rules([rule(f"@n:{operand}"), rule("@n:>=7 @n:<=8 -@n:*")])

    numbers = [6, 7, 7.5, 8, 9]
    for written in (numbers, map(float, numbers), map(str, numbers)):
        facts = [misconfiguration(attributes={"n": n}) for n in written]
        found = [compiled.first_match(each) == 0 for each in facts]
        assert list(compress(numbers, found)) == accepted


def test_it_asks_each_clause_on_a_field_for_itself():
    queries = ["(env:a OR env:b) (env:c OR env:d)", "env:*"]

    assert first(queries, misconfiguration(tags=["env:a", "env:b"])) == 1
    assert first(queries, misconfiguration(tags=["env:a", "env:d"])) == 0
