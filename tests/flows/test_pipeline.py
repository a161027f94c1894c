"""Semantics §2: from recorded findings to decisions and cases."""

import pytest

from automation.decisions.explain import explain_finding, reason_without_ticket
from automation.kinds.ticket_creation.action import NAME
from automation.models import Decision, RuleSetVersion
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.preview import preview
from automation.rules import services
from automation.rules.active import all_active_rules
from automation.rules.data import spec_of
from findings.facts import Status
from findings.models import Evaluation, Finding
from findings.services import change_status, mute
from tests.factories import UserFactory
from ticketing.models import Case
from ticketing.services import detach, open_manual_case

pytestmark = pytest.mark.django_db


def outcomes():
    return list(Decision.objects.order_by("id").values_list("outcome", flat=True))


def test_2_2_the_first_match_wins(make_rule, report):
    make_rule("First", query="env:prod")
    make_rule("Second")
    report(1, prefix="a", tags=("env:prod",))
    report(1, prefix="b")
    evaluate_all()
    assert sorted(Case.objects.values_list("rule_name", flat=True)) == ["First", "Second"]


def test_2_2_order_decides(make_rule, report, editor):
    first, second = make_rule("First"), make_rule("Second")
    services.reorder(NAME, [second.pk, first.pk], actor=editor)
    report()
    evaluate_all()
    assert Case.objects.get().rule_name == "Second"


def test_2_3_a_disabled_rule_is_skipped(make_rule, report, editor):
    services.disable_rule(make_rule("Off").pk, actor=editor)
    make_rule("On")
    report()
    evaluate_all()
    assert Case.objects.get().rule_name == "On"


def test_2_3_a_broken_rule_is_skipped(make_rule, report):
    services.break_rule(make_rule("Broken").pk, reason="Project gone")
    make_rule("Next")
    report()
    evaluate_all()
    assert Case.objects.get().rule_name == "Next"


def test_2_4_seen_again_is_not_evaluated_again(make_rule, report):
    make_rule()
    for _ in range(2):
        report()
        evaluate_all()
    assert outcomes() == ["ticketed"]


def test_2_4_a_new_rule_leaves_older_findings_alone(make_rule, report):
    report()
    evaluate_all()
    make_rule()
    report()
    assert evaluate_chunk() == 0
    assert outcomes() == ["no_rules"]


def test_2_4_open_again_without_a_case_is_new(make_rule, report):
    report()
    evaluate_all()
    change_status([Finding.objects.get().pk], status=Status.RESOLVED, actor=None)
    make_rule()
    assert report().reopened == 1
    evaluate_all()
    assert outcomes() == ["no_rules", "ticketed"]


def test_2_4_open_again_with_a_case_is_not_evaluated(make_rule, report):
    make_rule()
    report()
    evaluate_all()
    change_status([Finding.objects.get().pk], status=Status.RESOLVED, actor=None)
    report()
    evaluate_all()
    assert outcomes() == ["ticketed"]


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({}, "ticketed"),
        ({"query": "env:prod"}, "no_match"),
        ({"enabled": False}, "no_rules"),
        ({"assignee_id": "11111111-1111-1111-1111-111111111111"}, "error"),
    ],
)
def test_2_5_every_finding_ends_with_one_outcome(make_rule, report, rule, outcome):
    make_rule(**rule)
    report()
    evaluate_all()
    assert outcomes() == [outcome]
    assert not Evaluation.objects.filter(unevaluated_since__isnull=False).exists()


def test_2_5_a_muted_finding_is_not_ticketed(make_rule, report):
    make_rule()
    report()
    mute([Finding.objects.get().pk], reason="OTHER", actor=None)
    evaluate_all()
    assert outcomes() == ["muted"]


def test_2_4_a_finding_resolved_meanwhile_is_not_evaluated(make_rule, report):
    make_rule()
    report()
    finding = Finding.objects.get()
    change_status([finding.pk], status=Status.RESOLVED, actor=None)
    evaluate_all()
    finding.refresh_from_db()
    assert outcomes() == []
    assert reason_without_ticket(finding) == "It was resolved before it was evaluated."
    report()
    evaluate_all()
    assert outcomes() == ["ticketed"]


def test_2_5_a_finding_with_a_case_is_not_ticketed_again(make_rule, report, project, analyst):
    make_rule()
    report()
    open_manual_case([Finding.objects.get().pk], project=project, actor=analyst)
    evaluate_all()
    assert outcomes() == ["already_ticketed"]
    assert Case.objects.count() == 1


def test_2_5_the_decision_explains_itself_after_the_rule_changed(make_rule, report, editor):
    rule = make_rule("Prod only", query="env:prod")
    report(1, tags=("env:dev",))
    evaluate_all()
    services.delete_rule(rule.pk, actor=editor)
    explanation = explain_finding(Finding.objects.get())
    [trace] = explanation.traces
    assert (trace.rule.name, trace.state) == ("Prod only", "no_match")
    assert [c.ok for c in trace.criteria if c.name == "Tags"] == [False]
    assert explanation.rules_now == frozenset()


def test_2_5_the_decision_keeps_the_facts_as_seen(make_rule, report):
    make_rule(query="@package.name:lodash")
    report(1, attributes={"package": {"name": "lodash"}}, tags=("env:prod",))
    evaluate_all()
    report(1, attributes={"package": {"name": "other"}})
    facts = Decision.objects.get().facts
    assert (facts["attributes"], facts["tags"]) == ({"package": {"name": "lodash"}}, ["env:prod"])
    assert explain_finding(Finding.objects.get()).traces[0].state == "matched"


def test_2_8_the_preview_says_what_the_pipeline_does(make_rule, report):
    earlier = make_rule("Earlier", query="env:prod")
    rule = make_rule("Later", limit=2)
    report(3, prefix="a", tags=("env:prod",))
    report(5, prefix="b")
    report(2, prefix="c", finding_type="secret")
    seen = preview(spec_of(rule), before=[spec_of(earlier)])
    evaluate_all()
    decided = Decision.objects.filter(rule_id=rule.pk).values_list("outcome", flat=True)
    assert (seen.matched, seen.ticketed, seen.over_limit, seen.taken) == (8, 2, 3, {1: 3})
    assert sorted(decided) == ["over_limit"] * 3 + ["ticketed"] * 2


def test_4_1_the_case_carries_the_rule_as_it_was(make_rule, report, editor):
    rule = make_rule("As it was")
    report()
    evaluate_all()
    services.delete_rule(rule.pk, actor=editor)
    case = Case.objects.get()
    assert (case.rule_id, case.rule_name, case.origin) == (rule.pk, "As it was", "rule")
    assert RuleSetVersion.objects.filter(version=case.rule_set_version).exists()


def test_4_6_deleting_a_rule_leaves_its_tickets(make_rule, report, editor):
    rule = make_rule()
    report()
    evaluate_all()
    services.delete_rule(rule.pk, actor=editor)
    finding = Finding.objects.get()
    assert (finding.ticket, finding.ticket_key) == ("automated", "SEC-1")
    assert finding.workflow["automations"][0]["rule_id"] == str(rule.pk)


def test_8_the_finding_says_which_rule_ticketed_it(make_rule, report):
    rule = make_rule("Bolt")
    report()
    evaluate_all()
    finding = Finding.objects.get()
    assert finding.ticket_rule_id == rule.pk
    assert finding.workflow["automations"] == [
        {"rule_id": str(rule.pk), "rule_name": "Bolt", "rule_type": "ticket_creation"}
    ]


def test_a_missing_project_breaks_the_rule_once_and_says_so(make_rule, report):
    rule = make_rule(project_id="11111111-1111-1111-1111-111111111111")
    report(3)
    evaluate_all()
    rule.refresh_from_db()
    assert (rule.enabled, rule.auto_disabled_reason) == (
        False,
        "The case project does not exist.",
    )
    assert rule.history.first().history_user is None
    assert outcomes() == ["error"] * 3
    assert reason_without_ticket(Finding.objects.first()).startswith("Rule 1 matched but is broken")


def test_a_deactivated_assignee_breaks_the_rule(make_rule, report):
    rule = make_rule(assignee_id=UserFactory(is_active=False).pk)
    report()
    evaluate_all()
    rule.refresh_from_db()
    assert rule.is_broken


def test_enabling_a_broken_rule_clears_the_reason(make_rule, editor):
    rule = make_rule()
    services.break_rule(rule.pk, reason="Project gone")
    assert services.enable_rule(rule.pk, actor=editor).auto_disabled_reason == ""


def test_a_detached_finding_says_why_it_has_no_ticket(make_rule, report, analyst):
    make_rule()
    report()
    evaluate_all()
    finding = Finding.objects.get()
    detach([finding.pk], actor=analyst)
    finding.refresh_from_db()
    assert reason_without_ticket(finding) == "Its ticket was detached."


def test_a_chunk_costs_the_same_statements_for_any_number(
    make_rule, report, django_assert_num_queries
):
    make_rule("None of these", query="env:none")
    make_rule("Few", limit=5, query="env:few")
    make_rule("Many", limit=50, query="env:many")
    all_active_rules()
    report(7, prefix="few", tags=("env:few",))
    with django_assert_num_queries(18):
        assert evaluate_chunk() == 7
    report(100, prefix="many", tags=("env:many",))
    report(100, prefix="others")
    with django_assert_num_queries(18):
        assert evaluate_chunk() == 200
