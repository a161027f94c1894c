"""A search of the explorer as a rule: the same findings, and what it leaves out by name."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import assume, given
from hypothesis import strategies as st

from automation.engine.compile import compile_rules
from automation.engine.from_query import criteria_of, joined
from automation.forms import form_of
from automation.forms.from_search import _SAID, criteria_of_search
from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME
from findings.facts import TYPE_CHOICES, Facts, Severity, Status, lookup
from findings.forms import ExplorerQuery
from findings.grouping import values_of
from findings.models import Finding
from findings.query.canonical import write
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.findings.query import strategies
from tests.findings.query.test_agreement import QUICKLY

TICKETS, INBOX, SEVERITY = (KINDS[name] for name in (NAME, "inbox", "severity_modifier"))
EVERY_TYPE = [choice.value for choice in TYPE_CHOICES]


def of(search, kind=TICKETS):
    found = criteria_of_search(search, kind=kind)
    values = found.values
    types = values["types"] if values["types"] != EVERY_TYPE else "any"
    return types, values["severities"], values["query"], list(found.left_out)


def q(text, **facets):
    return urlencode({"q": text} | facets, doseq=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("search", "rule"),
    [
        ("", ("any", [], "", [])),
        (q("team:payments"), ("any", [], "team:payments", [])),
        (q("@finding_type:secret env:prod"), (["secret"], [], "env:prod", [])),
        (q("@severity:(critical OR high)"), ("any", ["critical", "high"], "", [])),
        (q("a:1 OR b:2"), ("any", [], "a:1 OR b:2", [])),
        (q("a:1 OR b:2", team="x"), ("any", [], "(a:1 OR b:2) team:x", [])),
        (q("-@severity:low leaked key"), ("any", [], "-@severity:low leaked key", [])),
        (q("@status:open a:1"), ("any", [], "a:1", ["@status:open"])),
        (q("a:1 (b:2 OR @ticket.key:X)"), ("any", [], "a:1", ["(b:2 OR @ticket.key:X)"])),
        (q("-(a:1 OR @workflow.x:1)"), ("any", [], "-a:1", ["-@workflow.x:1"])),
        (
            q("@finding_type:secret -@finding_type:iac*"),
            (["secret"], [], "-@finding_type:iac*", []),
        ),
        (
            q("", type=["secret", "host_vulnerability"]),
            (["secret", "host_vulnerability"], [], "", []),
        ),
        (q("@severity:low", severity="high"), ("any", ["high"], "@severity:low", [])),
        (q("", team=["a b", ""]), ("any", [], 'team:"a b" OR -team:*', [])),
        (q("", status="open", due="overdue"), ("any", [], "", ["due date", "status"])),
        (
            q("", **{"from": "7d", "by": "first_seen"}),
            ("any", [], "", ["time range (first seen by the scanner)"]),
        ),
        (q("(", status="open"), None),
    ],
)
def test_it_takes_what_a_rule_can_say_and_names_the_rest(search, rule):
    if rule is None:
        assert criteria_of_search(search, kind=TICKETS).left_out == [
            "the query, which can’t be read"
        ]
    else:
        assert of(search) == rule


@pytest.mark.django_db
def test_a_rule_of_severities_goes_by_the_scanner():
    search = q("@severity:high -@severity_details.user_adjusted.value:low a:1")
    left_out = ["-@severity_details.user_adjusted.value:low", "severities set by people and rules"]
    assert of(search, SEVERITY) == ("any", ["high"], "a:1", left_out)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("search", "query", "grouped", "left_out"),
    [
        ("group=package", "", "package", []),
        ("group=team&in=data-eng", "team:data-eng", "other", []),
        ("group=team&in_none=yes", "-team:*", "other", []),
        ("group=team,@a.b&in_any=yes", "team:* AND @a.b:*", "other", []),
        ("group=package&in_none=yes", "", "package", ["without package"]),
        (
            "group=package&in=pypi/grpcio",
            "@package.name:grpcio OR @package.purl:pkg:pypi/grpcio@*",
            "package",
            ["the package’s ecosystem"],
        ),
        (
            "group=vulnerability&in=CVE-2026-1",
            "@advisory.id:CVE-2026-1 OR @advisory.cve:CVE-2026-1 OR "
            "@advisory.aliases:CVE-2026-1 OR @cve:CVE-2026-1",
            "vulnerability",
            [],
        ),
        ("group=rule&in=bandit B602", "@rule.id:B602", "other", ["the rule’s scanner"]),
    ],
)
def test_a_group_becomes_criteria_and_one_ticket_for(search, query, grouped, left_out):
    found = criteria_of_search(search, kind=TICKETS)
    assert (found.values["query"], found.values["one_ticket_for"]) == (query, grouped)
    assert list(found.left_out) == left_out
    others = criteria_of_search(search, kind=INBOX)
    assert "one_ticket_for" not in others.values
    assert others.left_out[-1:] == ["grouping"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("search", "name"),
    [
        ("", "Findings"),
        (
            q("team:payments", severity=["critical"], type="secret"),
            "Critical Secret, team:payments",
        ),
        (
            q("a:1 OR b:2 OR c:3", severity=["high", "critical"]),
            "Critical and High findings, a:1, b:2",
        ),
        (q("x" * 300), "Findings, " + "x" * 90),
    ],
)
def test_it_suggests_a_name(search, name):
    assert criteria_of_search(search, kind=TICKETS).values["name"] == name
    assert criteria_of_search(search, kind=TICKETS, name="My view").values["name"] == "My view"


# --- The same findings --------------------------------------------------------------------

searches = st.builds(
    lambda nodes, either, facets: q(
        " ".join(f"({write(node)})" for node in nodes if write(node))
        if not either
        else " OR ".join(f"({write(node)})" for node in nodes if write(node)),
        **facets,
    ),
    st.lists(strategies.nodes, max_size=3),
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "severity": st.lists(st.sampled_from([*Severity]), min_size=1, max_size=2, unique=True),
            "type": st.lists(st.sampled_from(EVERY_TYPE), min_size=1, max_size=3, unique=True),
            "status": st.lists(st.sampled_from([*Status]), min_size=1, max_size=3, unique=True),
            "team": st.lists(strategies.texts, min_size=1, max_size=2, unique=True),
        },
    ),
)


def rule_of(search):
    """As the editor would save it."""
    values = criteria_of_search(search, kind=INBOX).values
    form = form_of(INBOX)(QueryDict(urlencode(values, doseq=True)))
    spec = form.preview_spec()
    if spec is None:
        raise ValueError(form.errors.as_text())
    return compile_rules([spec])


def left_out_of(search):
    """What the rule leaves out, as a search of its own."""
    params = ExplorerQuery(QueryDict(search))
    rest = joined(criteria_of(params.text).left_out)
    facets = {name: values for name, values in params.chosen.items() if name not in _SAID}
    return q(rest, **facets)


def pks_of(search):
    return set(
        ExplorerQuery(QueryDict(search))
        .search(timezone.now())
        .findings()
        .values_list("pk", flat=True)
    )


@pytest.mark.django_db
@given(st.lists(strategies.findings, min_size=1, max_size=4), searches)
@QUICKLY
def test_the_rule_matches_what_the_search_finds(frozen, drawn, search):
    try:
        rule = rule_of(search)
        found, left_out = pks_of(search), pks_of(left_out_of(search))
    except ValueError:  # together it is too much for a query
        assume(False)
    Finding.objects.all().delete()
    source = SourceFactory()
    create_findings(FindingFactory.build(source=source, **fields) for fields in drawn)
    found, left_out = pks_of(search), pks_of(left_out_of(search))
    matched = {
        pk
        for pk, *row in Finding.objects.values_list("pk", *map(lookup, Facts._fields))
        if rule.first_match(Facts._make(row)) is not None
    }
    assert matched & left_out == found, search
    assert found <= matched


REPORTED = (
    {"package": {"name": "grpcio", "ecosystem": "pypi"}, "advisory": {"cve": "CVE-2026-1"}},
    {"package": {"purl": "pkg:pypi/grpcio@1.50.0"}, "advisory": {"aliases": ["CVE-2026-1"]}},
    {"package": {"name": "org.x:y", "ecosystem": "maven"}, "advisory": {"id": "GHSA-1-a"}},
    {"rule": {"id": "B602"}, "scanner": {"name": "Bandit"}},
    {"git": {"repository": "https://github.com/acme/api.git"}},
    {"git": {"repository": "git@github.com:acme/api.git"}},
    {"container_image": {"name": "ghcr.io/acme/api:1.2"}},
    {"container_image": {"name": "ghcr.io/acme/api@sha256:1"}, "correlation_id": "c-1"},
)


@pytest.mark.django_db
@pytest.mark.parametrize("attributes", REPORTED)
def test_the_rule_of_a_group_matches_each_of_its_findings(attributes):
    """Whatever the spelling of the scanner that reported them."""
    said = {"title": "Leaked key: (AWS)", "tags": ["team:a", "service:b", "repo:acme/web"]}
    facts = FindingFactory(attributes=attributes, **said).facts
    names = ("package", "vulnerability", "rule", "title", "resource", "image", "repository")
    for name in (*names, "service", "team", "correlation", "tag:repo", "@rule.id"):
        if values := values_of([name], facts):
            search = urlencode({"group": name, "in": values[0]})
            assert rule_of(search).first_match(facts) is not None, search
