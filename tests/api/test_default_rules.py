"""The inbox rules that come with the product: only whether they are on can change."""

from __future__ import annotations

from uuid import UUID

import pytest

from automation.engine.compile import compile_rules
from automation.kinds.inbox.defaults import DEFAULTS
from automation.models import Decision, DefaultRule, RuleSetVersion
from automation.recheck import recheck
from automation.rules import services
from automation.rules.active import active_rules, specs_of
from config.accounts.models import AuditEvent
from config.accounts.roles import Permission
from findings.facts import FindingType
from findings.models import Finding
from tests.api.asking import refusal
from tests.api.kinds import AUTOMATION, INBOX, KINDS
from tests.automation.kinds.test_pipeline import report

pytestmark = pytest.mark.django_db
URL = f"{AUTOMATION}/default_inbox_rules"
LIBRARY = "library_vulnerability_default_rule"
IDS = {
    "attack_path_default_rule",
    "host_and_container_vulnerability_default_rule",
    "iac_misconfiguration_default_rule",
    "identity_risk_default_rule",
    LIBRARY,
    "misconfiguration_default_rule",
    "runtime_code_vulnerability_default_rule",
    "secret_default_rule",
}


@pytest.fixture
def rules(machine):
    return machine(Permission.RULES_READ, Permission.RULES_WRITE)


def switch(rules, how, rule_id=LIBRARY):
    answer = rules.ask("post", f"{URL}/{rule_id}/{how}")
    return answer.status_code, answer.json()["data"]["attributes"]["enabled"]


def test_it_lists_eight_that_are_off(rules):
    listed = rules.get(URL).json()
    assert set(listed) == {"data"}
    assert {rule["id"] for rule in listed["data"]} == IDS
    for rule in listed["data"]:
        assert rule["type"] == "default_inbox_rules"
        assert rule["attributes"]["enabled"] is False
        assert rule["attributes"]["created_by"]["type"] == "system"
        assert rules.get(f"{URL}/{rule['id']}").json()["data"] == rule
    assert not compile_rules(DEFAULTS).faults


def test_it_switches_one_on_and_off_as_often_as_it_is_said(rules, admin, frozen):
    for how, enabled in (("enable", True), ("enable", True), ("disable", False)):
        assert switch(rules, how) == (200, enabled)
    shown = rules.get(f"{URL}/{LIBRARY}").json()["data"]["attributes"]
    assert (shown["modified_by"]["id"], shown["modified_at"]) == (str(admin.pk), 1795435200000)
    assert DefaultRule.objects.count() == 1
    reasons = DefaultRule.history.values_list("history_change_reason", flat=True)
    assert [*reasons] == ["API key ci: disabled", "API key ci: enabled"]
    events = AuditEvent.objects.filter(category="defaultrule")
    assert [event.object_id for event in events] == [LIBRARY] * 2
    assert RuleSetVersion.objects.filter(kind="inbox").count() == 2


@pytest.mark.parametrize("rule_id", ["nope_default_rule", "%00", "x" * 2_000])
def test_it_knows_no_other(rules, rule_id):
    for method, tail in (("get", ""), ("post", "/enable"), ("post", "/disable")):
        answer = rules.ask(method, f"{URL}/{rule_id}{tail}")
        assert refusal(answer) == (404, "rule does not exist", None)
    assert not DefaultRule.objects.exists()


def test_nothing_else_of_it_can_change(rules):
    assert rules.put(f"{URL}/{LIBRARY}", INBOX.said()).status_code == 405
    assert rules.delete(f"{URL}/{LIBRARY}").status_code == 405
    assert rules.post(URL, INBOX.said()).status_code == 405
    assert [
        kind.type for kind in KINDS if rules.get(f"{kind.path}/{LIBRARY}").status_code != 404
    ] == []


def test_switching_needs_the_scope_for_writing(machine):
    reads = machine(Permission.RULES_READ)
    assert reads.get(URL).status_code == 200
    assert reads.ask("post", f"{URL}/{LIBRARY}/enable").status_code == 403


def test_it_stands_outside_of_the_order(rules):
    a, b = (rules.post(INBOX.path, INBOX.said(name=n)).json()["data"]["id"] for n in "AB")
    switch(rules, "enable")
    assert rules.post(f"{INBOX.path}/reorder", INBOX.order(b, a)).status_code == 200
    assert [rule["id"] for rule in rules.get(INBOX.path).json()["data"]] == [b, a]
    seen = RuleSetVersion.objects.filter(kind="inbox").first().version
    services.reorder("inbox", [UUID(a), UUID(b)], version=seen, actor=None)


def test_it_acts_after_the_others_and_can_be_replayed(rules):
    switch(rules, "enable")
    finding = report(severity="critical")
    assert (finding.is_in_inbox, finding.inbox_rule_id) == (True, LIBRARY)
    assert not Decision.objects.filter(kind="inbox").exists()
    version = active_rules("inbox").version
    sent = INBOX.said(rule={"finding_types": [FindingType.LIBRARY]}, name="Mine")
    mine = rules.post(INBOX.path, sent).json()["data"]["id"]
    recheck()
    assert Finding.objects.get().inbox_rule_id == mine
    rules.delete(f"{INBOX.path}/{mine}")
    recheck()
    assert Finding.objects.get().inbox_rule_id == LIBRARY
    assert not Decision.objects.filter(kind="inbox").exists()
    switch(rules, "disable")
    recheck()
    assert not Finding.objects.get().is_in_inbox
    assert [spec.id for spec in specs_of("inbox", version) if spec.enabled] == [LIBRARY]
