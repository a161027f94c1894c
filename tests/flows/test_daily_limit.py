"""Semantics §3: the daily limit, its notice, and conservation."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from msgspec import structs

from automation.decisions.conservation import violations
from automation.models import DailyUsage, Decision
from automation.pipeline import evaluate_all
from automation.rules import services
from automation.rules.data import action_of, data_of
from findings.facts import Status
from findings.models import Evaluation, Finding
from findings.services import change_status
from tests.conftest import NOON
from tests.factories import ticket_rule
from ticketing.models import Case, CaseGroup
from ticketing.services import detach, open_case_each

pytestmark = pytest.mark.django_db


def counts():
    origins = list(Case.objects.values_list("origin", flat=True))
    over = Finding.objects.filter(ticket="over_limit").count()
    return origins.count("rule"), origins.count("limit_notice"), over


def test_3_1_three_of_ten_and_no_more_that_day(frozen, make_rule, report):
    make_rule(limit=3)
    report(10)
    evaluate_all()
    assert counts() == (3, 1, 7)
    evaluate_all()  # a worker that starts again finds nothing to do
    report(2, prefix="later")
    evaluate_all()
    assert counts() == (3, 1, 9)


def test_3_1_the_day_is_the_utc_day_of_the_decision(frozen, make_rule, report):
    make_rule(limit=3)
    report(10)
    evaluate_all()
    report(5, prefix="waiting")  # recorded before midnight, decided after it
    frozen.move_to(NOON.replace(hour=0) + timedelta(days=1, seconds=1))
    evaluate_all()
    assert counts() == (6, 2, 9)


def test_3_3_the_notice_explains_itself_and_does_not_count(frozen, make_rule, report):
    rule = make_rule("Loud scanner", limit=2)
    report(2)
    evaluate_all()
    notice = Case.objects.get(origin="limit_notice")
    assert "Loud scanner" in notice.title
    assert "2026-11-24 00:00 UTC" in notice.description
    assert f"settings/findings-automation/{rule.pk}/edit" in notice.description
    day = "from=2026-11-23T00%3A00%3A00Z&to=2026-11-24T00%3A00%3A00Z"
    over_limit = f"{day}&by=decided&ticket=over_limit&rule={rule.pk}"
    assert f"/findings?{over_limit})" in notice.description
    assert DailyUsage.objects.get().ticketed == 2


def test_3_3_a_lowered_limit_still_says_so_once(frozen, make_rule, report, editor, project):
    rule = make_rule(limit=10)
    report(5)
    evaluate_all()
    lower = ticket_rule(
        name="Libraries",
        finding_types=["library_vulnerability"],
        project_id=project.pk,
        max_tickets_per_day=3,
    )
    services.edit_rule(rule.pk, lower, actor=editor)
    report(2, prefix="later")
    evaluate_all()
    assert counts() == (5, 1, 2)


def test_3_4_over_limit_does_not_fall_through(frozen, make_rule, report):
    make_rule("First", limit=1)
    make_rule("Second")
    report(3)
    evaluate_all()
    assert set(Case.objects.values_list("rule_name", flat=True)) == {"First"}
    assert counts() == (1, 1, 2)


def test_3_4_over_limit_takes_a_manual_ticket(frozen, make_rule, report, project, analyst):
    make_rule(limit=1)
    report(3)
    evaluate_all()
    over = Finding.objects.filter(ticket="over_limit")
    open_case_each(list(over.values_list("pk", flat=True)), project=project, actor=analyst)
    assert counts() == (1, 1, 0)
    assert DailyUsage.objects.get().ticketed == 1  # 3.7: manual tickets do not count


def test_3_4_over_limit_is_new_again_when_it_comes_back(frozen, make_rule, report):
    make_rule(limit=1)
    report(2)
    evaluate_all()
    over = Finding.objects.get(ticket="over_limit")
    change_status([over.pk], status=Status.RESOLVED, actor=None)
    frozen.move_to(NOON + timedelta(days=1))
    report(2)
    evaluate_all()
    assert counts() == (2, 2, 0)


def test_3_6_conservation_holds(frozen, make_rule, report, capsys):
    make_rule(limit=3)
    report(10)
    evaluate_all()
    call_command("check_conservation")
    assert "10 decisions: nothing lost, nothing doubled." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("breach", "sentence"),
    [
        (lambda: DailyUsage.objects.update(ticketed=2), "2 ticketed counted, 3 decisions"),
        (lambda: Decision.objects.filter(outcome="ticketed").update(used_before=0), "was given 3"),
        (lambda: Decision.objects.filter(outcome="over_limit").delete(), "nor waiting"),
        (lambda: Case.objects.filter(origin="limit_notice").delete(), "0 limit notices"),
        (lambda: Case.objects.filter(key="SEC-1").delete(), "does not exist"),
        (lambda: Finding.objects.filter(ticket_key="SEC-1").update(ticket_key=""), "not say so"),
        (lambda: Finding.objects.filter(ticket="over_limit").update(ticket="manual"), "to none"),
    ],
)
def test_3_6_the_check_finds_every_breach(frozen, make_rule, report, breach, sentence):
    make_rule(limit=3)
    report(10)
    evaluate_all()
    breach()
    assert any(sentence in violation for violation in violations()), list(violations())
    with pytest.raises(CommandError):
        call_command("check_conservation")


def test_3_3_a_lowered_limit_says_nothing_of_a_finding_that_has_its_ticket(
    make_rule, report, editor
):
    rule = make_rule(limit=5)
    report(3)
    evaluate_all()
    services.edit_rule(
        rule.pk,
        replace(data_of(rule), action=structs.replace(action_of(rule), max_tickets_per_day=2)),
        actor=editor,
    )
    waiting = Evaluation.objects.filter(finding__fingerprint="r-0")
    waiting.update(unevaluated_since=timezone.now())
    evaluate_all()
    assert not Case.objects.filter(origin=Case.Origin.LIMIT_NOTICE).exists()

    report(1, prefix="next")
    evaluate_all()
    assert Case.objects.get(origin=Case.Origin.LIMIT_NOTICE).rule_id == rule.pk


@pytest.mark.parametrize(
    ("breach", "sentence"),
    [
        (lambda: CaseGroup.objects.all().delete(), "which belongs to no group of its rule"),
        (
            lambda: CaseGroup.objects.update(rule_id=uuid4()),
            "which belongs to no group of its rule",
        ),
        (lambda: Case.objects.update(origin="manual"), "which belongs to no group of its rule"),
        (lambda: CaseGroup.objects.update(group_values=["pypi/b"]), "not the one of its values"),
        (lambda: CaseGroup.objects.update(group_by=["package", "team"]), "of its values"),
        (lambda: Decision.objects.filter(outcome="grouped").delete(), "1 grouped counted, 0"),
    ],
)
def test_3_6_the_check_finds_every_breach_of_a_group(make_rule, report, breach, sentence):
    make_rule(group_by=["package"])
    report(2, attributes={"package": {"name": "a", "ecosystem": "pip"}})
    evaluate_all()
    assert list(violations()) == []
    breach()
    assert any(sentence in violation for violation in violations()), list(violations())


def test_3_4_what_lost_its_ticket_again_is_over_the_limit_as_before(frozen, make_rule, report):
    rule = make_rule(limit=1)
    report(4)
    evaluate_all()
    over = list(Finding.objects.filter(ticket="over_limit").order_by("pk"))
    by_hand, tested, _ = (each.pk for each in over)
    project = Case.objects.first().project
    open_case_each([by_hand], project=project, actor=None)
    open_case_each([tested], project=project, actor=None, origin=Case.Origin.TEST)
    assert counts()[2] == 1
    ticketed = Finding.objects.get(ticket="automated")
    assert detach([by_hand, tested, ticketed.pk], actor=None) == 3
    assert counts()[2] == 3
    for finding in over:
        finding.refresh_from_db()
        assert (finding.ticket_rule_id, finding.ticket_key) == (rule.pk, "")
    ticketed.refresh_from_db()
    assert (ticketed.ticket, ticketed.ticket_rule_id) == ("none", None)
