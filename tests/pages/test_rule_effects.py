"""What rules have set, as the explorer and the panel show it, and a person's answer to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from findings.facts import Severity
from findings.models import Finding, FindingEvent
from findings.overrides import set_severity
from findings.rule_effects import (
    MuteSpec,
    RuleActor,
    claim_for_recheck,
    mute,
    set_due_dates,
    set_inbox,
    set_severities,
)
from tests.factories import FindingFactory

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULE = RuleActor("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10", "Loud")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(frozen):
    return frozen


@pytest.fixture
def page(as_user, analyst):
    return lambda address: as_user(analyst).get(address).content.decode()


def act(do):
    with transaction.atomic():
        return do(claim_for_recheck(limit=100))


def raise_all():
    act(lambda found: set_severities([(f, "critical", RULE) for f in found], now=NOON))


def due_in(days: int) -> Finding:
    finding = FindingFactory(title=f"In {days}")
    day = (NOON + timedelta(days=days)).date()
    act(
        lambda found: set_due_dates([(f, day, RULE) for f in found if f.pk == finding.pk], now=NOON)
    )
    return finding


def test_it_says_which_rule_changed_the_severity(page, analyst):
    finding = FindingFactory(severity="high")
    raise_all()
    said = "High from scanner → Critical raised by rule Loud"
    assert said in page("/findings")
    shown = page(f"/findings/{finding.finding_id}")
    assert said in shown
    assert "Severity changed from <b>High</b> to <b>Critical</b> by rule <b>Loud</b>" in shown
    set_severity([finding.pk], severity=Severity.LOW, actor=analyst)
    said = "→ Low set by Alan Analyst; rule Loud would raise it to Critical"
    assert said in page(f"/findings/{finding.finding_id}")


def test_a_person_lifts_a_rules_mute(page, as_user, analyst):
    finding = FindingFactory()
    spec = MuteSpec("risk_accepted", expires=NOON + timedelta(days=100))
    act(lambda found: mute([(f, spec, RULE) for f in found], now=NOON))
    shown = page(f"/findings/{finding.finding_id}")
    assert "Muted by rule" in shown
    assert "until 3 Mar 2027" in shown
    lift = {"finding": finding.finding_id, "status": "open", "save": "yes"}
    as_user(analyst).post("/triage/status", lift)
    finding.refresh_from_db()
    assert (finding.status, finding.is_mute_lifted, finding.mute_rule_id) == ("open", True, None)


@pytest.mark.parametrize(("choice", "is_in"), [("added", True), ("removed", False)])
def test_no_rule_undoes_what_a_person_chose_for_the_inbox(choice, is_in, as_user, analyst):
    finding = FindingFactory()
    act(lambda found: set_inbox([(f, not is_in, RULE) for f in found], now=NOON))
    as_user(analyst).post("/triage/inbox", {"finding": finding.finding_id, "inbox": choice})
    act(lambda found: set_inbox([(f, not is_in, RULE) for f in found], now=NOON))
    finding.refresh_from_db()
    assert (finding.is_in_inbox, finding.inbox_choice) == (is_in, choice)
    last = FindingEvent.objects.first()
    assert (last.kind, last.actor) == ("inbox_added" if is_in else "inbox_left", analyst)


def test_the_panel_says_when_it_is_due_and_who_put_it_into_the_inbox(page):
    finding = due_in(7)
    act(lambda found: set_inbox([(f, True, RULE) for f in found], now=NOON))
    shown = page(f"/findings/{finding.finding_id}")
    assert "Due 30 Nov" in shown
    assert "in 7 d · set by rule Loud" in shown
    assert "Added by rule Loud" in shown
    assert "Due date set to <b>30 Nov 2026</b> by rule <b>Loud</b>" in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("due=overdue", {"In -1"}),
        ("due=soon", {"In 0", "In 7"}),
        ("due=later", {"In 8"}),
        ("due=", {"Never"}),
        ("due=overdue&due=later", {"In -1", "In 8"}),
        ("due=nonsense", set()),
        ("q=@workflow.due_date.is_overdue:true", {"In -1"}),
        ("q=@workflow.due_date.due_at:>=2026-11-30", {"In 7", "In 8"}),
        ("inbox=in", {"In 0"}),
        ("q=@is_in_security_inbox:true", {"In 0"}),
        ("mute_rule=" + RULE.id, {"Muted"}),
        ("q=@workflow.mute.is_muted_by_rule:true", {"Muted"}),
        ("q=@workflow.mute.rule_id:" + RULE.id, {"Muted"}),
    ],
)
def test_it_finds_what_rules_have_set(query, found, page):
    for days in (-1, 0, 7, 8):
        due_in(days)
    FindingFactory(title="Muted")
    spec = MuteSpec("other")
    act(lambda rows: mute([(f, spec, RULE) for f in rows if f.facts.title == "Muted"], now=NOON))
    act(lambda rows: set_inbox([(f, f.facts.title == "In 0", RULE) for f in rows], now=NOON))
    FindingFactory(title="Never")
    shown = page(f"/findings?{query}")
    titles = {"In -1", "In 0", "In 7", "In 8", "Never", "Muted"}
    also = {"Muted"} if query == "due=" else set()  # whoever is muted is not due
    assert {title for title in titles if f">{title}</a>" in shown} == found | also


def test_it_sorts_by_due_date_with_none_last(page):
    FindingFactory(title="Never")
    for days in (8, -1, 3):
        due_in(days)
    shown = page("/findings?sort=due&cols=due")
    places = [shown.index(f">{title}</a>") for title in ("In -1", "In 3", "In 8", "Never")]
    assert places == sorted(places)
    assert "Overdue 1 d" in shown


def test_the_api_says_all_of_it(as_user, analyst):
    finding = due_in(-1)
    raise_all()
    act(lambda found: set_inbox([(f, True, RULE) for f in found], now=NOON))
    answer = as_user(analyst).get(f"/api/v1/findings/{finding.finding_id}")
    custom = answer.json()["data"]["attributes"]["attributes"]["custom"]
    assert custom["is_in_security_inbox"] is True
    assert custom["workflow"]["due_date"] == {
        "due_at": 1_795_305_600_000,
        "rule_id": RULE.id,
        "is_overdue": True,
    }
    kinds = [entry["rule_type"] for entry in custom["workflow"]["automations"]]
    assert kinds == ["severity_modifier", "security_inbox", "due_date"]
    assert "user_adjusted" not in custom["severity_details"]
