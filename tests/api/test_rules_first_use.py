"""A rule is saved whatever it names; what does not exist shows when it first makes a ticket."""

from __future__ import annotations

import pytest

from automation.models import DailyUsage, Decision, Rule, RuleCheck, RuleSetVersion
from automation.pipeline import evaluate_all
from findings.models import Source
from findings.services import record
from tests.api.rules import NOBODY, create, said
from tests.factories import ProjectFactory, reported
from ticketing.models import Case

pytestmark = pytest.mark.django_db


def report(number: int, prefix: str = "r") -> None:
    source, _ = Source.objects.get_or_create(name="scanner")
    record(reported(number, prefix=prefix), source=source)
    evaluate_all()


def breaking(ask, action) -> Rule:
    answer = ask("post", "", said(action))
    assert answer.status_code == 201
    rule = Rule.objects.get()
    assert (rule.enabled, rule.auto_disabled_reason) == (True, "")
    report(5)
    report(5, "later")
    return rule


@pytest.mark.parametrize("target", ["jira", "case_management"])
def test_a_rule_whose_project_does_not_exist_breaks_at_its_first_use(ask, target):
    rule = breaking(ask, {"target": target, "project_id": NOBODY})
    shown = ask("get", f"/{rule.pk}").json()["data"]["attributes"]
    assert shown["action"]["auto_disabled_reason"] == "The case project does not exist."
    assert (shown["enabled"], shown["modified_by"]["type"]) == (False, "system")
    assert shown["action"]["project_id"] == NOBODY


def test_it_breaks_once_with_the_outcome_error(ask):
    rule = breaking(ask, {})
    decided = Decision.objects.values_list("outcome", "reason", "rule_id")
    error = ("error", "The case project does not exist.", rule.pk)
    assert list(decided) == [("no_rules", "", None)] * 5 + [error] * 5
    assert RuleSetVersion.objects.count() == 2
    assert (DailyUsage.objects.get().error, Case.objects.count()) == (5, 0)


def test_a_rule_whose_assignee_does_not_exist_breaks_at_its_first_use(ask):
    project = ProjectFactory()
    action = {"target": "case_management", "project_id": str(project.pk), "assignee_id": NOBODY}
    rule = breaking(ask, action)
    rule.refresh_from_db()
    assert rule.auto_disabled_reason == "The assignee does not exist or is deactivated."
    assert not Case.objects.exists()


def test_a_rule_for_jira_without_an_account_breaks_at_its_first_use(ask):
    rule = breaking(ask, {"target": "jira", "project_id": str(ProjectFactory(key="SEC").pk)})
    rule.refresh_from_db()
    assert rule.auto_disabled_reason == "No Jira account is connected to project SEC."


def test_it_acts_once_it_is_repaired(ask):
    rule = breaking(ask, {})
    repaired = said({"target": "case_management", "project_id": str(ProjectFactory().pk)})
    assert ask("put", f"/{rule.pk}", repaired).status_code == 200
    report(3, "new")
    assert Case.objects.count() == 3


def test_a_disabled_rule_is_not_used_and_does_not_break(ask):
    ask("post", "", said(enabled=False))
    report(2)
    assert Rule.objects.get().auto_disabled_reason == ""


@pytest.mark.parametrize("is_used", [False, True], ids=["before its first use", "broken"])
@pytest.mark.parametrize("target", ["jira", "case_management"])
def test_its_pages_say_in_plain_words_what_does_not_exist(ask, as_user, editor, target, is_used):
    [rule] = create(ask, "Nowhere")
    action = {"target": target, "assignee_id": NOBODY, "fields": {"labels": [1, {"a": None}]}}
    ask("put", f"/{rule}", said(action, name="Nowhere"))
    if is_used:
        report(1)
    browser = as_user(editor)
    page = browser.get("/settings/findings-automation").content.decode()
    assert "no such project" in page
    assert "no such assignee" in page
    assert ("The case project does not exist." in page) == is_used
    for path in (f"{rule}/edit", f"{rule}/move", f"{rule}/delete"):
        assert browser.get(f"/settings/findings-automation/{path}").status_code == 200
    assert not RuleCheck.objects.exclude(warning="").exists()
