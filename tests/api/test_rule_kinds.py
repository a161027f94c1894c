"""Rules of every kind over the public API: what they have in common, and what each refuses."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from uuid import UUID

import pytest

from automation.models import Rule, RuleSetVersion
from automation.rules import services
from config.accounts.roles import Permission
from findings.facts import FindingType
from tests.api.asking import refusal
from tests.api.kinds import DUE, INBOX, KINDS, LATER, MUTE, SEVERITY, TICKET
from tests.api.rules import NOBODY

pytestmark = pytest.mark.django_db
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
ACTION = "/data/attributes/action"


@pytest.fixture
def rules(machine):
    return machine(Permission.RULES_READ, Permission.RULES_WRITE)


def created(rules, kind, *names):
    return [rules.post(kind.path, kind.said(name=name)).json()["data"]["id"] for name in names]


def action_of(answer):
    return answer.json()["data"]["attributes"]["action"]


# --- What they have in common ----------------------------------------------------------------


@every_kind
def test_it_echoes_a_rule_and_replaces_all_of_it(rules, kind, frozen):
    sent = kind.said(kind.other, query="env:staging", enabled=False)
    answer = rules.post(kind.path, sent)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert made["type"] == kind.type
    assert sent["data"]["attributes"].items() <= made["attributes"].items()
    assert rules.get(f"{kind.path}/{made['id']}").json()["data"] == made
    frozen.shift(60)
    sent = kind.said()
    sent["data"]["id"] = made["id"]
    answer = rules.put(f"{kind.path}/{made['id']}", sent)
    assert (answer.status_code, action_of(answer)) == (200, kind.action)
    shown = answer.json()["data"]["attributes"]
    assert (shown["enabled"], shown["rule"]) == (True, {"finding_types": ["misconfiguration"]})
    assert shown["modified_at"] == made["attributes"]["modified_at"] + 60_000


@every_kind
def test_it_takes_the_other_action_in_an_update(rules, kind):
    [pk] = created(rules, kind, "A")
    answer = rules.put(f"{kind.path}/{pk}", kind.said(kind.other))
    assert (answer.status_code, action_of(answer)) == (200, kind.other)


@every_kind
def test_it_lists_and_reorders_the_rules_of_the_kind(rules, kind):
    for other in KINDS:
        created(rules, other, "other") if other is not kind else None
    a, b = created(rules, kind, "A", "B")
    answer = rules.post(f"{kind.path}/reorder", kind.order(b, a))
    assert (answer.status_code, answer.json()) == (200, kind.order(b, a))
    [c] = created(rules, kind, "C")
    page = rules.get(f"{kind.path}?page[size]=2").json()
    assert [rule["id"] for rule in page["data"]] == [b, a]
    assert page["meta"] == {"page": {"total_filtered_count": 3}}
    assert page["links"]["next"] == f"/api/v2{kind.path}?page[size]=2&page[number]=1"
    refused = refusal(rules.post(f"{kind.path}/reorder", kind.order(a, c)))
    assert refused == (422, "reorder must include all 3 rules, got 2", "/data")


@every_kind
def test_it_deletes_once(rules, kind):
    [pk] = created(rules, kind, "A")
    assert rules.delete(f"{kind.path}/{pk}").status_code == 204
    assert refusal(rules.delete(f"{kind.path}/{pk}")) == (404, "rule does not exist", None)
    assert not Rule.objects.exists()


@every_kind
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_it_does_not_know_a_rule_of_another_kind(rules, kind, method):
    other = KINDS[KINDS.index(kind) - 1]
    [pk] = created(rules, other, "A")
    for rule_id in (pk, NOBODY, "nope"):
        answer = rules.ask(
            method, f"{kind.path}/{rule_id}", kind.said() if method == "put" else None
        )
        assert refusal(answer) == (404, "rule does not exist", None)
    assert Rule.objects.get().name == "A"


@every_kind
def test_a_broken_rule_says_why(rules, kind):
    [pk] = created(rules, kind, "A")
    services.break_rule(UUID(pk), reason="Its query cannot be read.")
    answer = rules.get(f"{kind.path}/{pk}")
    assert action_of(answer) == kind.action | {"auto_disabled_reason": "Its query cannot be read."}
    assert action_of(rules.put(f"{kind.path}/{pk}", kind.said())) == kind.action


@every_kind
def test_the_same_request_under_one_key_is_done_once(rules, kind):
    header = {"Idempotency-Key": "once"}
    first, again = (rules.ask("post", kind.path, kind.said(), **header) for _ in range(2))
    assert first.json() == again.json()
    assert Rule.objects.count() == 1


@every_kind
def test_a_key_needs_the_scopes_for_rules(machine, kind):
    reads = machine(Permission.RULES_READ)
    assert reads.get(kind.path).status_code == 200
    assert reads.post(kind.path, kind.said()).status_code == 403
    assert reads.delete(f"{kind.path}/{NOBODY}").status_code == 403
    assert machine(Permission.FINDINGS_READ).get(kind.path).status_code == 403


# --- What is refused --------------------------------------------------------------------------


def days(*said, due_from="first_seen"):
    each = [{"severity": severity, "due_in_days": number} for severity, number in said]
    return {"due_from": due_from, "due_days_per_severity": each}


ADJUSTED = "Use @severity_details.adjusted.value."
REFUSED = [
    (SEVERITY, {"type": "set", "severity": "none"}, 400, "/severity", "Invalid enum value 'none'."),
    (SEVERITY, {"type": "drop"}, 400, "/type", "Invalid value 'drop'."),
    (SEVERITY, {"severity": "low"}, 400, "/type", "`type` is required."),
    (SEVERITY, {"type": "shift"}, 400, "/severity_delta", "`severity_delta` is required."),
    (MUTE, {}, 400, "/reason", "`reason` is required."),
    (MUTE, {"reason": "FALSE_POSITIVE"}, 400, "/reason", "Invalid enum value 'FALSE_POSITIVE'."),
    (MUTE, {"reason": "other", "expire_at": -1}, 400, "/expire_at", "Expected `int` >= 0."),
    (
        MUTE,
        {"reason": "other", "expire_at": 1},
        422,
        "/expire_at",
        "Invalid expiration date. Please provide an expiration date in the future",
    ),
    (MUTE, {"reason": "other", "reason_description": "x" * 20_001}, 400, "/reason_description", ""),
    (INBOX, {"description": "x" * 20_001}, 400, "/description", ""),
    (INBOX, {"description": 7}, 400, "/description", "Expected `str | null`, got `int`."),
    (DUE, days(("critical", 0)), 422, "/due_days_per_severity", "a whole number from 1 to 365."),
    (DUE, days(("critical", 366)), 422, "/due_days_per_severity", "a whole number from 1 to 365."),
    (DUE, days(), 422, "/due_days_per_severity", "Enter days for at least one severity."),
    (
        DUE,
        days(("low", 1), ("low", 2)),
        422,
        "/due_days_per_severity",
        "Each severity may be named once.",
    ),
    (DUE, days(("urgent", 1)), 400, "/due_days_per_severity/0/severity", "Invalid enum value"),
    (DUE, days(("low", 1.5)), 400, "/due_days_per_severity/0/due_in_days", "Expected `int`"),
    (DUE, days(("low", 1), due_from="now"), 400, "/due_from", "Invalid enum value 'now'."),
    (DUE, days(("low", 1), due_from="fix_available"), 422, "/due_from", "needs CVE types only"),
    (
        TICKET,
        TICKET.action | {"target": "linear"},
        422,
        "/target",
        "in Jira and in Case Management",
    ),
]


@pytest.mark.parametrize(("kind", "action", "status", "place", "said"), REFUSED)
def test_it_says_what_is_wrong_with_an_action(rules, kind, action, status, place, said):
    sent = kind.said()
    sent["data"]["attributes"]["action"] = action
    got, detail, where = refusal(rules.post(kind.path, sent))
    assert (got, where) == (status, f"{ACTION}{place}")
    assert said in detail
    assert not Rule.objects.exists()


@every_kind
@pytest.mark.parametrize(
    ("query", "said"),
    [("env:x @status:open", "(at character 7)."), ("(env:x", "is never closed (at character 1).")],
)
def test_it_says_where_in_a_query_the_fault_is(rules, kind, query, said):
    status, detail, where = refusal(rules.post(kind.path, kind.said(query=query)))
    assert (status, where) == (422, "/data/attributes/rule/query")
    assert said in detail


@pytest.mark.parametrize("column", ["severity", "severity_details.user_adjusted"])
def test_a_severity_rule_looks_beneath_what_people_set(rules, column):
    sent = SEVERITY.said(query=f"env:x @{column}:high")
    status, detail, _ = refusal(rules.post(SEVERITY.path, sent))
    assert (status, detail) == (
        422,
        f"@{column} can't be used here. {ADJUSTED[:-1]} (at character 7).",
    )


@pytest.mark.parametrize("finding_type", list(FindingType))
def test_info_or_none_is_refused_where_low_is_the_lowest(rules, finding_type):
    action = {"type": "set", "severity": "info_none"}
    sent = SEVERITY.said(action, rule={"finding_types": ["identity_risk", finding_type]})
    answer = rules.post(SEVERITY.path, sent)
    lowest = {"iac_misconfiguration", "runtime_code_vulnerability", "secret"}
    if finding_type in lowest | {"static_code_vulnerability"}:
        assert refusal(answer)[::2] == (422, f"{ACTION}/severity")
    else:
        assert answer.status_code == 201


@every_kind
def test_an_update_that_fails_changes_nothing(rules, kind):
    [pk] = created(rules, kind, "A")
    before = rules.get(f"{kind.path}/{pk}").json()
    for sent, status, where in (
        (kind.said(name=""), 422, "/data/attributes/name"),
        (kind.said(query="@status:open"), 422, "/data/attributes/rule/query"),
        ({"data": kind.said()["data"] | {"id": NOBODY}}, 400, "/data/id"),
        ({"data": kind.said()["data"] | {"type": "rules"}}, 400, "/data/type"),
    ):
        assert refusal(rules.put(f"{kind.path}/{pk}", sent))[::2] == (status, where)
    assert rules.get(f"{kind.path}/{pk}").json() == before
    assert RuleSetVersion.objects.count() == 1


def test_a_mute_rule_that_has_expired_may_be_changed_but_not_again_expire(rules, frozen):
    soon = {"reason": "other", "expire_at": round(time.time() * 1000) + 60_000}
    pk = rules.post(MUTE.path, MUTE.said(soon)).json()["data"]["id"]
    frozen.shift(3_600)
    address = f"{MUTE.path}/{pk}"
    assert rules.put(address, MUTE.said(soon, name="B", enabled=False)).status_code == 200
    past = soon | {"expire_at": soon["expire_at"] + 1}
    assert refusal(rules.put(address, MUTE.said(past)))[::2] == (422, f"{ACTION}/expire_at")
    assert rules.put(address, MUTE.said(soon | {"expire_at": LATER})).status_code == 200


# --- Recorded sequences -------------------------------------------------------------------------

RECORDED = os.environ.get("RECORDED_RULES")


@pytest.mark.skipif(RECORDED is None, reason="RECORDED_RULES names no recorded requests")
def test_recorded_requests_are_answered_alike(rules):
    """The statuses and the members of every answer, request by request."""
    for sequence in json.loads(Path(str(RECORDED)).read_text()):
        [requests] = [each for each in sequence.values() if isinstance(each, list)]
        ids = {}
        for sent in requests:
            _, _, path = sent["path"].partition("/api/v2")
            path, body = (_with(ids, each) for each in (path, sent["body"]))
            answer = rules.ask(sent["method"].lower(), path, body)
            assert answer.status_code == sent["status"], sequence["name"]
            said = answer.json() if answer.content else None
            assert _shape(said) == _shape(sent["response"]), sequence["name"]
            if sent["status"] == 201:
                ids[sent["response"]["data"]["id"]] = said["data"]["id"]


def _with(ids, value):
    text = json.dumps(value)
    return json.loads(re.sub("|".join(ids) or "$^", lambda found: ids[found[0]], text))


def _shape(value):
    """What the members are called and of which type they are."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return type(value)
