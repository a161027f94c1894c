from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Decision
from automation.rules import services as rules
from config.site.overview.pipeline import pipeline
from findings.facts import facts_to_json
from tests.factories import FindingFactory, ticket_rule
from ticketing import services
from ticketing.models import Case, Project

PAGE = "/overview"


@pytest.fixture
def decide(make_rule):
    """A decision on a finding, new by default; one that was ticketed has a case, made now."""

    def make(outcome="no_match", *, rule=None, after=timedelta(minutes=2), finding=None):
        finding, now = finding or FindingFactory(), timezone.now()
        finding.refresh_from_db()
        case = None
        if outcome == "ticketed":
            project = Project.objects.first()
            case = services.open_manual_case([], project=project, title="x", actor=None)
            Case.objects.filter(pk=case.pk).update(origin="rule", created_at=now)
        elif outcome == "grouped":
            case = Case.objects.get()
        return Decision.objects.create(
            finding=finding,
            requested_at=now - after,
            outcome=outcome,
            rule_id=rule and rule.pk,
            rule_set_version=1,
            facts=facts_to_json(finding.facts),
            case_id=case and case.pk,
            day=now.date(),
            created_at=now,
        )

    return make


def shown(client, address=PAGE) -> str:
    return " ".join(client.get(address).text.split())


def test_it_is_where_one_starts(as_user, viewer):
    assert as_user(viewer).get("/?range=30d")["Location"] == "/overview?range=30d"


def test_it_invites_on_a_fresh_installation(as_user, viewer):
    page = shown(as_user(viewer))
    assert "No findings yet" in page
    assert "Automation coverage" not in page


@pytest.mark.usefixtures("frozen")
def test_it_says_how_much_is_ticketed_and_how_that_changed(as_user, viewer, make_rule):
    rule = make_rule(max_tickets_per_day=50)
    DailyUsage.objects.create(rule_id=rule.pk, day=timezone.now().date(), ticketed=30)
    for before, done, over in ((0, 3, 1), (6, 3, 1), (7, 1, 1), (13, 0, 0), (14, 9, 0)):
        said = {"ticket_rule_id": rule.pk, "decided_at": timezone.now() - timedelta(before)}
        FindingFactory.create_batch(done, ticket="automated", ticket_key="R-1", **said)
        FindingFactory.create_batch(over, ticket="over_limit", **said)

    page = shown(as_user(viewer))

    assert '<b class="num">75</b><span class="unit">%</span>' in page
    assert "+25 pts" in page
    assert ">6</a> of <a" in page
    assert ">8</a> findings that match a rule" in page
    assert '<b class="num">30</b></a><span class="sub small">of 50 allowed' in page
    assert "All from Exposed secrets" in page
    assert ">3</a> of <a" in shown(as_user(viewer), f"{PAGE}?range=1d")


def test_it_says_how_long_a_ticket_takes(as_user, viewer, make_rule, decide):
    rule = make_rule()
    for minutes in (1, 2, 9):
        decide("ticketed", rule=rule, after=timedelta(minutes=minutes))
    page = shown(as_user(viewer))
    assert '<b class="num">2 min 0 s</b><span class="badge">p95 9 min 0 s</span>' in page


@pytest.mark.usefixtures("frozen")
def test_it_says_what_a_broken_rule_missed(as_user, editor, viewer, make_rule, decide):
    rule = make_rule("Host patching backlog")
    facts = {"finding_type": "secret", "severity": "high"}
    decide("error", rule=rule)
    Decision.objects.update(created_at=timezone.now() - timedelta(1))
    rules.break_rule(rule.pk, reason="Space OPS is gone.", field="summary")
    decide("error", rule=rule)
    for _ in range(2):
        decide("no_rules")
    Decision.objects.update(facts=facts)

    page = shown(as_user(editor))

    assert "<b>1 rule is broken.</b> Host patching backlog was auto-disabled on 23 Nov" in page
    assert "at 12:00 UTC. 3 findings have matched it since then and got no ticket." in page
    assert f"{rule.pk}/edit?field=summary" in page
    assert "Fix configuration" not in shown(as_user(viewer))


def test_it_says_once_why_many_rules_are_broken(as_user, viewer, project):
    """One banner, with a count for each cause; a condition for each rule was too much to ask."""
    data = {"finding_types": ["secret"], "project_id": project.pk, "max_tickets_per_day": 1}
    wanted = [(uuid4(), ticket_rule(name=f"R{n}", **data)) for n in range(1_100)]
    rules.replace_rules(NAME, wanted, version=0, actor=None)
    ids = [pk for pk, _ in wanted]
    rules.break_rules(dict.fromkeys(ids[1:], "Space OPS is gone.") | {ids[0]: "Team is required."})

    page = shown(as_user(viewer))

    assert "<b>1,100 rules are broken.</b> R0, R1, R2 and 1,097 more were auto-disabled: " in page
    assert "Space OPS is gone (1,099 rules); Team is required (1 rule). No finding" in page


def test_it_counts_open_findings_and_their_tickets(as_user, viewer):
    FindingFactory.create_batch(3, severity="critical")
    FindingFactory(severity="critical", ticket="automated", ticket_key="R-1")
    FindingFactory(severity="critical", status="resolved")
    page = shown(as_user(viewer))
    assert '<b class="num">4</b></a><a class="sub small num"' in page


def test_it_draws_tickets_by_day_and_the_pipeline(as_user, viewer, make_rule, decide, project):
    for outcome in ("ticketed", "grouped", "no_match", "muted", "over_limit"):
        decide(outcome, rule=make_rule(outcome))
    services.open_manual_case([], project=project, title="x", actor=None)
    page = shown(as_user(viewer))
    assert "1 automated, 1 manual" in page
    assert {step.label: step.number for step in pipeline().steps} == {
        "Evaluations": 5,
        "Muted": 1,
        "No rule matched": 1,
        "Evaluation failed": 0,
        "A rule matched": 3,
        "Ticketed": 2,
        "Already ticketed": 0,
        "Over a daily limit": 1,
        "Rule broken": 0,
    }


def test_the_pipeline_counts_each_evaluation_of_a_finding(decide):
    finding = FindingFactory()
    for minutes in (2, 1):
        decide("no_match", finding=finding, after=timedelta(minutes=minutes))
    assert [step[:2] for step in pipeline().steps[:3]] == [
        ("Evaluations", 2),
        ("Muted", 0),
        ("No rule matched", 2),
    ]


def test_it_names_the_state_of_rules(as_user, viewer, make_rule):
    make_rule("First")
    make_rule("Second")
    make_rule("Third", enabled=False)
    page = shown(as_user(viewer))
    assert "Shadowed" in page
    assert "Disabled" in page


@pytest.mark.parametrize("chosen", ["", "1y", "<script>"])
def test_it_takes_seven_days_for_a_range_there_is_not(as_user, viewer, chosen):
    FindingFactory()
    page = shown(as_user(viewer), f"{PAGE}?range={chosen}")
    assert 'range=7d" aria-current="true">' in page


def test_it_is_for_those_who_signed_in(client):
    assert client.get(PAGE)["Location"] == "/login?next=%2Foverview"


def test_it_takes_no_other_method(as_user, viewer):
    assert as_user(viewer).post(PAGE).status_code == 405


def test_it_escapes_names(as_user, viewer, make_rule):
    make_rule("<script>x</script>")
    assert "<script>x" not in shown(as_user(viewer))


def test_it_takes_as_many_statements_for_much(
    as_user, admin, make_rule, decide, django_assert_num_queries
):
    client = as_user(admin)
    for number in (1, 6):
        for nth in range(number):
            decide("ticketed", rule=make_rule(f"Ticketed {number}.{nth}"))
            rules.break_rule(make_rule(f"Broken {number}.{nth}").pk, reason="Gone.")
        with django_assert_num_queries(28):
            client.get(PAGE)
