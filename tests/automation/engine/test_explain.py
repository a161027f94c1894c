from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.compile import compile_rules
from automation.engine.explain import explain
from findings.facts import Facts
from tests.automation.engine.strategies import FACTS, misconfiguration, rule, specs


@settings(max_examples=150, deadline=None)
@given(st.lists(specs(), max_size=8), FACTS)
def test_it_agrees_with_first_match(rules, facts):
    traces = explain(rules, facts)

    matched = [trace.index for trace in traces if trace.state == "matched"]
    assert matched == [i for i in [compile_rules(rules).first_match(facts)] if i is not None]
    for trace in traces:
        if trace.state in ("matched", "no_match"):
            assert all(each.ok for each in trace.criteria) is (trace.state == "matched")


def test_it_tells_the_state_of_each_rule():
    rules = [
        rule(enabled=False),
        rule(broken="project gone"),
        rule("(env:prod"),
        rule("env:prod"),
        rule(),
        rule(),
    ]

    states = [trace.state for trace in explain(rules, misconfiguration())]
    assert states == ["disabled", "broken", "fault", "no_match", "matched", "not_evaluated"]


def test_it_says_why_a_query_cannot_be_read():
    (trace,) = explain([rule("(env:prod")], misconfiguration())

    assert [each.sentence for each in trace.criteria] == ["`(` opened at column 1 is never closed"]


def criterion(name: str, query: str, facts: Facts, **values: object) -> tuple[bool, str]:
    (trace,) = explain([rule(query, **values)], facts)
    return next((each.ok, each.sentence) for each in trace.criteria if each.name == name)


SEVERAL = ("secret", "attack_path", "api_security", "iac_misconfiguration")
IMAGE = "(-@finding_type:host_and_container_vulnerability OR @resource_type:container_image)"
BOTH = ("host_and_container_vulnerability",)


@pytest.mark.parametrize(
    ("finding_types", "ok", "sentence"),
    [
        (("misconfiguration", "secret"), True, "Misconfiguration is selected"),
        (("secret",), False, "Misconfiguration is not Secret"),
        (SEVERAL, False, "Misconfiguration is not one of the 4 selected types"),
    ],
)
def test_it_explains_the_type(finding_types, ok, sentence):
    found = criterion("Type", "", misconfiguration(), finding_types=finding_types)
    assert found == (ok, sentence)


def test_it_explains_container_images_as_a_type():
    image = Facts(BOTH[0], "high", resource_type="container_image")
    host = Facts(BOTH[0], "high", resource_type="host")

    expected = (True, "Container Image Vulnerability is selected")
    assert criterion("Type", IMAGE, image, finding_types=BOTH) == expected
    expected = (False, "Host Vulnerability is not Container Image Vulnerability")
    assert criterion("Type", IMAGE, host, finding_types=BOTH) == expected


@pytest.mark.parametrize(
    ("query", "ok", "sentence"),
    [
        ("", True, "any severity is selected"),
        ("@severity:(critical OR high)", True, "Critical is selected"),
        ("@severity:high", False, "Critical is not High"),
        ("@severity:(high OR low)", False, "Critical is not High or Low"),
    ],
)
def test_it_explains_the_severity(query, ok, sentence):
    assert criterion("Severity", query, misconfiguration()) == (ok, sentence)


SEEN = misconfiguration(
    title="Open port",
    tags=["env:prod", "team:web", "team:api"],
    attributes={"cvss": 7.5, "host": {"ip": "10.0.0.7"}},
)


@pytest.mark.parametrize(
    ("query", "ok", "sentence"),
    [
        ("", True, "any tag or attribute is selected"),
        ("env:prod", True, "env:prod is selected"),
        ("env:(prod OR staging)", True, "env:prod is selected"),
        ("env:pr*", True, "env:prod is selected by env:pr*"),
        ("repo:acme/*", False, "no tag matches repo:acme/*"),
        ("@line:>3", False, "no attribute matches @line:>3"),
        ("env:dev", False, "env:prod is not env:dev"),
        ("team:sec", False, "team:web and team:api are not team:sec"),
        ("env:(dev OR test)", False, "env:prod is not env:dev or env:test"),
        ("env:(a OR b OR c OR d)", False, "env:prod is not env:a or env:b or env:c or 1 more"),
        ("@cvss:>=9", False, "@cvss:7.5 is not @cvss:>=9"),
        ("@cvss:>=7", True, "@cvss:7.5 is selected by @cvss:>=7"),
        ("-env:prod", False, "env:prod is excluded"),
        ("-env:p*", False, "env:prod is excluded by env:p*"),
        ("-env:dev", True, "env:prod is not env:dev"),
        ("-repo:*", True, "no tag matches repo:*"),
        ("port", True, "port is in the text"),
        ("leak", False, "leak is not in the text"),
        ("-port", False, "port is excluded"),
        (
            "env:dev team:web @line:1",
            False,
            "env:prod is not env:dev, no attribute matches @line:1",
        ),
        ("env:dev OR team:web", True, "team:web is selected"),
        ("env:dev OR repo:x", False, "env:prod is not env:dev, no tag matches repo:x"),
    ],
)
def test_it_explains_tags_and_attributes(query, ok, sentence):
    assert criterion("Tags", query, SEEN) == (ok, sentence)


def test_it_keeps_long_explanations_short():
    facts = misconfiguration(tags=[f"env:{'x' * 5_000}"])
    _, sentence = criterion("Tags", " ".join(f"env:{n}" for n in range(50)), facts)

    assert len(sentence) < 600
    assert sentence.endswith("and 45 more")
