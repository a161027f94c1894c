"""The demo data of a first start: thirty days of real reports, taken in like any others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from automation.decisions.facts import facts_of
from automation.kinds.registry import KINDS
from automation.models import DailyUsage, Decision, Rule
from automation.pipeline import evaluate_all
from automation.rules.selectors import rule_rows
from config.runtime import demo_data
from config.runtime.demo_data.reports import CALENDAR, OWNERS
from findings.facts import FindingType, Status, Ticket
from findings.models import Finding, FindingEvent, Import
from tests.factories import UserFactory
from ticketing.models import Attachment, Case, ExternalIssue, Project

REPORTS = sorted((settings.BASE_DIR / "config/runtime/demo_data").glob("*.gz"))
TODAYS = {report.file for report in CALENDAR[0]}


def days_ago(moment) -> int:
    return (timezone.now() - moment) // timedelta(days=1)


@pytest.fixture(scope="module")
def _loaded_once(django_db_setup, django_db_blocker):
    """Around the transactions of the tests, each of which undoes what it does to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        demo_data.load(actor=UserFactory())
        yield
        transaction.set_rollback(True)


@pytest.fixture
def loaded(_loaded_once, db):
    """The demo data, before the queue takes it up."""


def test_it_takes_in_every_report_whole_on_its_day(loaded):
    imports = Import.objects.all()
    assert {each.file_name for each in imports} == {path.name for path in REPORTS}
    assert {(each.state, each.rejected, each.closing) for each in imports} == {("done", 0, "done")}
    days = {each.file_name: days_ago(each.started_at) for each in imports}
    assert days == {report.file: ago for ago, some in CALENDAR.items() for report in some}
    assert not any(each.scope.is_mixed for each in imports)


def test_it_shows_all_types_owners_and_states(loaded):
    evaluate_all()
    findings = list(Finding.objects.all())
    assert 300 <= len(findings) <= 600
    assert {each.finding_type for each in findings} == {*FindingType}
    assert {each.status for each in findings} == {*Status}
    assert {each.ticket for each in findings} == {*Ticket} - {Ticket.TEST}
    tags = {tag for each in findings for tag in each.tags}
    assert {tag for owner in OWNERS.values() for tag in owner.tags} <= tags
    kinds = set(FindingEvent.objects.values_list("kind", flat=True))
    assert {"reopened", "muted", "assigned", "adjusted", "due"} <= kinds
    assert set(Case.objects.values_list("status", flat=True)) == set(Case.Status.values)


def test_nothing_of_it_happened_before_its_time(loaded):
    """All that moved has moved alike: findings, decisions, tickets and what they copied."""
    for decision in Decision.objects.select_related("finding"):
        opened = decision.finding.opened_at
        assert (
            decision.finding.evaluation.decided_at is None
            or opened <= decision.finding.evaluation.decided_at
        )
        seen = facts_of(decision).last_seen_at
        assert abs(seen - decision.created_at) < timedelta(hours=1)
        assert decision.day == decision.requested_at.date()
    for finding in Finding.objects.exclude(due_at=None):
        due = finding.workflow["due_date"]["due_at"]
        assert due == finding.due_at.timestamp() * 1000
        assert finding.due_at.time().isoformat() == "00:00:00"
    assert {days_ago(each) for each in Case.objects.values_list("created_at", flat=True)} <= {
        *CALENDAR,
        *demo_data.DIARY,
    }


def test_its_tickets_name_the_days_of_their_findings(loaded):
    told = Attachment.objects.filter(case__origin=Case.Origin.RULE, case__group=None)
    assert len(told) > 40
    for text, finding in ((each.case.description, each.finding) for each in told):
        assert f"**First seen:** {finding.first_seen_at:%Y-%m-%d}" in text
        assert not finding.due_at or f"**Due:** {finding.due_at:%Y-%m-%d}" in text
    for notice in Case.objects.filter(origin=Case.Origin.LIMIT_NOTICE):
        day = notice.created_at.date()
        assert f"from={day}" in notice.description
        assert f"Until {day + timedelta(days=1)}" in notice.description


def test_its_rules_act_but_the_one_in_the_shadow(loaded):
    evaluate_all()
    rules = list(Rule.objects.all())
    assert {rule.kind for rule in rules} == set(KINDS)
    acted = set(Decision.objects.exclude(rule_id=None).values_list("rule_id", flat=True))
    idle = [rule.name for rule in rules if rule.pk not in acted]
    shadowed = [row.rule.name for row in rule_rows() if row.shadowed_by]
    assert idle == shadowed == ["High risks in production code"]
    used = DailyUsage.objects.filter(over_limit__gt=0).values_list("rule_id", flat=True)
    assert len(set(used)) == 2


def test_it_leaves_today_to_the_queue(loaded):
    waiting = Finding.objects.exclude(evaluation__unevaluated_since=None)
    assert {each.scope.target for each in waiting} == {"locust", "feast"}
    assert not ExternalIssue.objects.exists()  # without a Sandbox Jira


def test_it_loads_only_into_an_empty_database(loaded):
    demo_data.load()
    assert Project.objects.count() == 1
    assert Import.objects.count() == len(REPORTS)


def test_it_stays_small():
    assert 0 < sum(path.stat().st_size for path in REPORTS) < 400_000
