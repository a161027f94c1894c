"""What a dry run says of a report is what comes to pass when it is taken in, on the same state."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO
from unittest.mock import patch
from uuid import UUID

import pytest
import time_machine
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from automation.import_counts import rules_result
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Level, SetSeverity
from automation.models import Decision
from automation.pipeline import evaluate_chunk
from automation.rules.active import _load
from automation.rules.data import RuleData
from automation.rules.services import create_rule
from findings.facts import Status
from findings.forms import ExplorerQuery
from findings.imports.dry_run import dry_run
from findings.imports.results import result_of
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding
from findings.selectors import unevaluated
from findings.services import change_status
from tests.conftest import NOON
from tests.factories import ProjectFactory, UserFactory, ticket_rule
from ticketing import services
from ticketing.case_lists import CaseQuery, find_cases
from ticketing.models import Case

pytestmark = pytest.mark.django_db
careful = settings(
    max_examples=int(os.environ.get("EXAMPLES", "20")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
NOWHERE = UUID(int=1)
TYPES = ["library_vulnerability"]
severities = st.sampled_from(["critical", "high", "low"])
queries = st.sampled_from(["", "env:prod", "@severity:critical", "team:x"])
ticket_rules = st.fixed_dictionaries(
    {
        "query": queries,
        "max_tickets_per_day": st.integers(1, 5),
        "group_by": st.sampled_from([None, None, ["package"], ["team", "package"]]),
        "reopens_closed": st.booleans(),
        "is_broken": st.sampled_from([False, False, False, True]),
    }
)
rule_sets = st.fixed_dictionaries(
    {
        "raised": st.sampled_from([None, "team:x", "env:prod"]),
        "muted": st.sampled_from([None, "env:dev", "team:y"]),
        "tickets": st.lists(ticket_rules, max_size=4),
    }
)
said = st.fixed_dictionaries(
    {
        "severity": severities,
        "env": st.sampled_from(["prod", "dev"]),
        "team": st.sampled_from(["x", "y", ""]),
        "package": st.sampled_from(["a", "a", "b", ""]),
    }
)
numbers = st.integers(0, 14)
reports = st.dictionaries(numbers, said, min_size=1, max_size=14)


def report(findings) -> bytes:
    records = [record(*each) for each in findings.items()]
    return json.dumps({"source": "ci", "scope": "shop", "findings": records}).encode()


def record(number, said):
    return {
        "finding_type": TYPES[0],
        "title": "Outdated",
        "resource_id": f"r{number}",
        "severity": said["severity"],
        "tags": [f"env:{said['env']}", *([f"team:{said['team']}"] if said["team"] else [])],
        "attributes": {"package": {"name": said["package"], "ecosystem": "pip"}}
        if said["package"]
        else {},
    }


def make_rules(rule_set):
    effects = {
        "raised": SetSeverity(severity=Level.CRITICAL),
        "muted": MuteFinding(reason=Reason.OTHER),
    }
    for name, action in effects.items():
        if query := rule_set[name]:
            rule = RuleData(name=name, finding_types=TYPES, query=query, action=action)
            create_rule(rule, actor=None)
    project = ProjectFactory()
    for number, ticket in enumerate(rule_set["tickets"]):
        said = {key: value for key, value in ticket.items() if key != "is_broken"}
        place = NOWHERE if ticket["is_broken"] else project.pk
        data = ticket_rule(name=f"R{number}", finding_types=TYPES, project_id=place, **said)
        create_rule(data, actor=None)


def foresee(content):
    return dry_run(BytesIO(content), ImportOptions())


def happened(run):
    """The decisions about what the import brought, counted as the dry run counts them."""
    since = Decision.objects.filter(requested_at__gte=run.started_at)
    made = since.filter(kind="ticket_creation").values_list("rule_id", "outcome")
    return Counter((str(rule) if rule else "", outcome) for rule, outcome in made)


def foreseen(summary):
    counts = Counter({("", "muted"): summary.rules.muted})
    for rule in summary.rules.rules:
        counts[rule.rule_id, "ticketed"] = rule.tickets
        counts[rule.rule_id, "grouped"] = rule.joined
        counts[rule.rule_id, "over_limit"] = rule.over_limit
        counts[rule.rule_id, "error"] = rule.failed
        counts[rule.rule_id, "already_ticketed"] = rule.already_ticketed
    counts["", "unmatched"] = summary.rules.unmatched
    return +counts


def as_unmatched(counts):
    """Without a rule, whether there are none or none matched."""
    counts["", "unmatched"] = counts.pop(("", "no_match"), 0) + counts.pop(("", "no_rules"), 0)
    return +counts


@contextmanager
def new_world(rule_set, chunk=1_000):
    modules = ("ticketing.groups", "automation.kinds.ticket_creation.groups")
    modules += ("automation.kinds.ticket_creation.planner",)
    with ExitStack() as patched, time_machine.travel(NOON, tick=False) as clock:
        for module in modules:
            patched.enter_context(patch(f"{module}.MAX_FINDINGS_OF_GROUP", 4))
        patched.enter_context(patch("automation.foresight.CHUNK", chunk))
        patched.enter_context(transaction.atomic())
        _load.cache_clear()
        make_rules(rule_set)
        yield clock
        transaction.set_rollback(True)


def evaluate(chunk=1_000):
    while unevaluated().exists():
        evaluate_chunk(chunk)


def have_a_past(first, gone, *, is_closed):
    import_report([report(first)], ImportOptions())
    evaluate()
    found = Finding.objects.filter(resource_id__in=[f"r{number}" for number in gone])
    pks = list(found.values_list("pk", flat=True))
    change_status(pks, status=Status.RESOLVED, actor=None)
    for case in Case.objects.order_by("number")[: int(is_closed)]:
        services.change_case(case, actor=None, status="CLOSED")


worlds = st.fixed_dictionaries(
    {
        "rule_set": rule_sets,
        "first": reports,
        "second": reports,
        "gone": st.sets(numbers),
        "is_closed": st.booleans(),
        "chunk": st.sampled_from([3, 1_000]),
    }
)


@careful
@given(worlds)
def test_it_foresees_what_comes_to_pass(world):
    with new_world(world["rule_set"], world["chunk"]) as clock:
        have_a_past(world["first"], world["gone"], is_closed=world["is_closed"])
        clock.shift(60)
        summary = foresee(report(world["second"]))
        run = import_report([report(world["second"])], ImportOptions())
        evaluate(world["chunk"])
        assert foreseen(summary) == as_unmatched(happened(run))
        names = ("new", "seen_again", "reopened", "resolved", "closing", "missing", "expected")
        assert {n: getattr(summary, n) for n in names} == {n: getattr(run, n) for n in names}
        check_page(summary, run)


def check_page(summary, run):
    """The page of the import has the numbers of the dry run's, and each leads to as many rows."""
    before, after = summary.rules, rules_result(run).counts
    result = result_of(run)
    assert replace(before, severities={}) == after
    assert before.severities == result.severities
    assert (summary.changed, summary.kept) == (result.changed, result.kept)
    for name, address in (result.links | rules_result(run).links).items():
        assert rows_behind(address) == NUMBERS[name.rpartition("/")[2]](result, after, name), name


NUMBERS = {
    "new": lambda result, counts, name: result.new,
    "seen": lambda result, counts, name: result.seen_again,
    "reopened": lambda result, counts, name: result.reopened,
    "resolved": lambda result, counts, name: result.resolved,
    "severity": lambda result, counts, name: result.changed,
    "all": lambda result, counts, name: counts.evaluated,
    "muted": lambda result, counts, name: counts.muted,
    "unmatched": lambda result, counts, name: counts.unmatched,
    **{
        column: lambda result, counts, name: getattr(rule_of(counts, name), name.split("/")[1])
        for column in ("findings", "tickets", "over_limit")
    },
}


def rule_of(counts, name):
    return next(rule for rule in counts.rules if rule.rule_id == name.split("/")[0])


def rows_behind(address):
    params = QueryDict(address.partition("?")[2])
    if address.startswith("/cases"):
        return find_cases(CaseQuery(text=params["q"]), me=UserFactory()).total
    return ExplorerQuery(params).search(timezone.now()).findings().count()


def test_it_writes_nothing_and_asks_as_much_for_many_as_for_few():
    costs = []
    rule_set = {"raised": "env:prod", "muted": "team:y", "tickets": [some(), some(query="team:x")]}
    with new_world(rule_set):
        for many in (4, 4, 400):
            content = report({n: said_of(n) for n in range(many)})
            with CaptureQueriesContext(connection) as spent:
                foresee(content)
            costs.append(len(spent))
        assert costs[1] == costs[2]
        assert not [each for each in spent if not each["sql"].startswith("SELECT")]
        assert not Finding.objects.exists()


def some(**other):
    usual = {"query": "", "max_tickets_per_day": 5, "group_by": ["package"]}
    return usual | {"reopens_closed": False, "is_broken": False} | other


def said_of(number):
    return {"severity": "high", "env": "prod", "team": "x", "package": f"p{number % 7}"}
