"""PATCH /api/v2/security/findings/mute, …/assignee and …/severity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.models import User
from config.accounts.roles import Permission
from findings.models import Finding, FindingEvent
from tests.factories import FindingFactory, UserFactory

URL = "/api/v2/security/findings"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOON_MS = 1_795_435_200_000
JSON_API = "application/vnd.api+json"
TYPES = {"mute": "mute", "assignee": "assignee", "severity": "severity_override"}
MUTE = {"mute": {"is_muted": True, "reason": "NO_FIX"}}
UNMUTE = {"mute": {"is_muted": False, "reason": "HUMAN_ERROR"}}
CHANGES = {
    "mute": MUTE,
    "assignee": {"assignee_id": None},
    "severity": {"severity": {"action": "set", "value": "low"}},
}
each_change = pytest.mark.parametrize("what", CHANGES)

pytestmark = pytest.mark.django_db


def document(what, attributes, findings, **members) -> dict:
    named = [f if isinstance(f, str) else f.finding_id for f in findings]
    references = [{"id": finding_id, "type": "findings"} for finding_id in named]
    data = {
        "type": TYPES[what],
        "attributes": attributes,
        "relationships": {"findings": {"data": references}},
    }
    return {"data": data | members}


@pytest.fixture
def send(api, make_key):
    """`send("mute", body)` patches as the key “ci”, which may write findings."""
    key = make_key(Permission.FINDINGS_WRITE)
    headers = {"DD-API-KEY": key, "DD-APPLICATION-KEY": key}

    def patch(what, body, content_type="application/json"):
        return api.patch(f"{URL}/{what}", body, content_type=content_type, headers=headers)

    return patch


@pytest.fixture
def change(send):
    """`change("mute", attributes, *findings)` sends the document for it."""
    return lambda what, attributes, *findings, **members: send(
        what, document(what, attributes, findings, **members)
    )


def only_error(answer, status: int) -> dict:
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON_API)
    [error] = answer.json()["errors"]
    return error


def accepted(answer) -> dict:
    assert (answer.status_code, answer["Content-Type"]) == (202, JSON_API), answer.content
    return answer.json()


def stored() -> list[dict]:
    return list(Finding.objects.order_by("pk").values())


# --- Mute -----------------------------------------------------------------------------------


def test_it_mutes_findings(frozen, change):
    findings = FindingFactory.create_batch(2)
    until = NOON + timedelta(days=7)
    mute = MUTE["mute"] | {"description": "Vendor knows", "expire_at": NOON_MS + 7 * 86_400_000}
    answer = accepted(change("mute", {"mute": mute}, *findings))
    assert set(answer) == {"data"}
    assert (set(answer["data"]), answer["data"]["type"]) == ({"id", "type"}, "mute")
    assert UUID(answer["data"]["id"])
    for finding in Finding.objects.all():
        assert (finding.status, finding.muted_until) == ("muted", until)
        said = finding.workflow["mute"]
        assert (said["is_muted"], said["reason"]) == (True, "NO_FIX")
        assert said["description"] == "Vendor knows"
        assert said["expire_at"] == NOON_MS + 7 * 86_400_000
        assert said["muted_by"]["name"] == "ci"
    assert set(FindingEvent.objects.values_list("kind", "key_name")) == {("muted", "ci")}


def test_it_mutes_for_ever_without_an_expiration(change):
    finding = FindingFactory()
    accepted(change("mute", {"mute": MUTE["mute"] | {"expire_at": None}}, finding))
    finding.refresh_from_db()
    assert (finding.status, finding.muted_until) == ("muted", None)


def test_it_unmutes_findings_and_keeps_why(change):
    finding = FindingFactory()
    accepted(change("mute", MUTE, finding))
    why = UNMUTE["mute"] | {"description": "Wrong one"}
    accepted(change("mute", {"mute": why}, finding))
    finding.refresh_from_db()
    said = {"is_muted": False, "reason": "HUMAN_ERROR", "description": "Wrong one"}
    assert (finding.status, finding.workflow["mute"]) == ("open", said)
    assert FindingEvent.objects.order_by("-pk")[0].note == "Wrong one"


def test_it_leaves_resolved_findings_as_they_are(change):
    finding = FindingFactory(status="resolved")
    accepted(change("mute", MUTE, finding))
    finding.refresh_from_db()
    assert finding.status == "resolved"


@pytest.mark.parametrize("late", [0, 1, 10**12])
def test_it_refuses_an_expiration_that_has_passed(frozen, change, late):
    mute = MUTE["mute"] | {"expire_at": NOON_MS - late}
    error = only_error(change("mute", {"mute": mute}, FindingFactory()), 422)
    assert error == {
        "status": "422",
        "title": "Invalid Request",
        "detail": "Invalid expiration date. Please provide an expiration date in the future",
        "source": {"pointer": "/data/attributes/mute/expire_at"},
    }
    assert Finding.objects.get().status == "open"


@pytest.mark.parametrize("expire_at", [2**62, -(2**62), 253_402_300_800_000])
def test_it_refuses_an_expiration_that_is_no_date(change, expire_at):
    mute = MUTE["mute"] | {"expire_at": expire_at}
    error = only_error(change("mute", {"mute": mute}, FindingFactory()), 422)
    assert error["detail"].startswith("Invalid expiration date. ")


@pytest.mark.parametrize(
    ("is_muted", "reason", "possible"),
    [
        (True, "HUMAN_ERROR", "PENDING_FIX FALSE_POSITIVE OTHER NO_FIX DUPLICATE RISK_ACCEPTED"),
        (True, "no_fix", "PENDING_FIX FALSE_POSITIVE OTHER NO_FIX DUPLICATE RISK_ACCEPTED"),
        (False, "NO_FIX", "NO_PENDING_FIX HUMAN_ERROR NO_LONGER_ACCEPTED_RISK OTHER"),
    ],
)
def test_it_refuses_the_reason_of_another_action(change, is_muted, reason, possible):
    mute = {"is_muted": is_muted, "reason": reason}
    error = only_error(change("mute", {"mute": mute}, FindingFactory()), 422)
    assert error["title"] == "Invalid Request"
    assert error["detail"] == (
        "The provided reason is not valid for the specified mute action. "
        f"Possible values: [{possible}]"
    )


# --- Assignee -------------------------------------------------------------------------------


def test_it_assigns_findings(change, analyst):
    findings = FindingFactory.create_batch(2)
    assignee = {"assignee_id": str(analyst.pk)}
    answer = accepted(change("assignee", assignee, *findings, id="my-request"))
    assert answer == {
        "data": {"id": "my-request", "type": "assignee", "attributes": assignee},
        "meta": {"warnings": [], "failures": []},
    }
    for finding in Finding.objects.all():
        assert finding.workflow["triage"]["assignee"]["id"] == str(analyst.pk)
        assert finding.workflow["triage"]["assignee"]["updated_by"]["name"] == "ci"


@pytest.mark.parametrize("attributes", [{}, {"assignee_id": None}, ...])
def test_it_unassigns_findings_without_an_id(send, change, analyst, attributes):
    finding = FindingFactory()
    accepted(change("assignee", {"assignee_id": str(analyst.pk)}, finding))
    body = document("assignee", attributes, [finding])
    if attributes is ...:
        del body["data"]["attributes"]
    assert accepted(send("assignee", body))["data"]["attributes"] == {}
    assert Finding.objects.get().workflow["triage"] == {"assignee": None}


@pytest.mark.parametrize("assignee", ["nobody", "", "unknown", "inactive"])
def test_it_assigns_to_nobody_whom_it_does_not_know(change, assignee):
    inactive = UserFactory(is_active=False)
    there = {"unknown": str(uuid4()), "inactive": str(inactive.pk)}
    attributes = {"assignee_id": there.get(assignee, assignee)}
    error = only_error(change("assignee", attributes, FindingFactory()), 400)
    assert error["source"] == {"pointer": "/data/attributes/assignee_id"}


# --- Severity -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["critical", "high", "medium", "low", "info"])
def test_it_sets_a_severity(change, value):
    finding = FindingFactory(severity="none")
    said = {"action": "set", "value": value, "description": "x" * 280}
    answer = accepted(change("severity", {"severity": said}, finding))
    assert answer["data"]["type"] == "severity_override"
    assert answer["meta"] == {"warnings": []}
    finding.refresh_from_db()
    assert (finding.severity, finding.source_severity) == (value, "none")
    assert finding.workflow["severity_override"]["description"] == "x" * 280
    assert finding.workflow["severity_override"]["updated_by"]["name"] == "ci"


def test_it_clears_a_severity(change):
    finding = FindingFactory(severity="high")
    accepted(change("severity", CHANGES["severity"], finding))
    clear = {"action": "clear", "description": "A mistake"}
    accepted(change("severity", {"severity": clear}, finding))
    finding.refresh_from_db()
    assert (finding.severity, finding.base_severity) == ("high", "")
    assert FindingEvent.objects.order_by("-pk")[0].note == "A mistake"


def test_it_leaves_out_auto_closed_and_unknown_findings_and_says_so(change):
    closed = FindingFactory(status="auto_closed", severity="high")
    here = FindingFactory(severity="high")
    answer = accepted(change("severity", CHANGES["severity"], closed, here, "unknown", "unknown"))
    warnings = answer["meta"]["warnings"]
    assert [(w["finding_id"], w["status"], w["title"]) for w in warnings] == [
        (closed.finding_id, 409, "Conflict"),
        ("unknown", 404, "Not Found"),
    ]
    assert [row["severity"] for row in stored()] == ["high", "low"]


def test_it_finds_none_of_the_findings(change):
    error = only_error(change("severity", CHANGES["severity"], "unknown", "gone"), 404)
    assert error["detail"] == "finding not found"


@pytest.mark.parametrize(
    ("severity", "pointer"),
    [
        ({"action": "set", "value": "none"}, "/value"),
        ({"action": "set", "value": "Critical"}, "/value"),
        ({"action": "set"}, "/value"),
        ({"action": "clear", "value": "low"}, "/value"),
        ({"action": "shift", "value": "low"}, "/action"),
        ({"value": "low"}, "/action"),
        ({"action": "set", "value": "low", "description": "x" * 281}, "/description"),
    ],
)
def test_it_refuses_a_severity_that_is_none(change, severity, pointer):
    error = only_error(change("severity", {"severity": severity}, FindingFactory()), 400)
    assert error["source"] == {"pointer": f"/data/attributes/severity{pointer}"}


# --- Of all three ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["mute", "assignee"])
def test_it_changes_nothing_if_one_finding_is_unknown(change, what):
    known = FindingFactory()
    before = stored()
    error = only_error(change(what, CHANGES[what], known, "unknown"), 404)
    assert (error["title"], error["detail"]) == ("Not Found", "finding not found")
    assert error["source"] == {"pointer": "/data/relationships/findings/data/1/id"}
    assert (stored(), FindingEvent.objects.count()) == (before, 0)


@each_change
def test_it_takes_a_hundred_findings_and_no_more(change, what):
    findings = FindingFactory.create_batch(101)
    error = only_error(change(what, CHANGES[what], *findings), 400)
    assert error["source"] == {"pointer": "/data/relationships/findings/data"}
    assert error["detail"] == "Name 1 to 100 findings; here are 101."
    assert FindingEvent.objects.count() == 0
    accepted(change(what, CHANGES[what], *findings[1:]))
    assert FindingEvent.objects.count() == 100


@each_change
def test_it_needs_a_finding(send, change, what):
    pointer = {"pointer": "/data/relationships/findings/data"}
    assert only_error(change(what, CHANGES[what]), 400)["source"] == pointer
    without = document(what, CHANGES[what], [])
    del without["data"]["relationships"]["findings"]["data"]
    assert only_error(send(what, without), 400)["source"] == pointer


@each_change
def test_it_takes_a_finding_named_twice_once(change, what):
    finding = FindingFactory()
    accepted(change(what, CHANGES[what], finding, finding))
    assert FindingEvent.objects.count() == 1


@each_change
@pytest.mark.parametrize(
    ("spoil", "pointer"),
    [
        (lambda data: data.update(type="finding"), "/data/type"),
        (lambda data: data.pop("type"), "/data/type"),
        (lambda data: data.pop("relationships"), "/data/relationships"),
        (lambda data: data.update(relationships={}), "/data/relationships/findings"),
        (
            lambda data: data["relationships"]["findings"]["data"][0].update(type="finding"),
            "/data/relationships/findings/data/0/type",
        ),
        (
            lambda data: data["relationships"]["findings"]["data"][0].pop("id"),
            "/data/relationships/findings/data/0/id",
        ),
        (lambda data: data.update(id=7), "/data/id"),
    ],
)
def test_it_points_at_what_is_wrong(send, what, spoil, pointer):
    body = document(what, CHANGES[what], [FindingFactory()])
    spoil(body["data"])
    before = stored()
    assert only_error(send(what, body), 400)["source"] == {"pointer": pointer}
    assert stored() == before


@pytest.mark.parametrize(
    ("mute", "pointer"),
    [
        ({"is_muted": True}, "/reason"),
        ({"reason": "OTHER"}, "/is_muted"),
        ({"is_muted": "yes", "reason": "OTHER"}, "/is_muted"),
        ({"is_muted": True, "reason": None}, "/reason"),
        ({"is_muted": True, "reason": "OTHER", "description": "x" * 281}, "/description"),
        ({"is_muted": True, "reason": "OTHER", "expire_at": "tomorrow"}, "/expire_at"),
        ({"is_muted": True, "reason": "OTHER", "description": "a\0b"}, "/description"),
    ],
)
def test_it_points_at_what_is_wrong_of_a_mute(change, mute, pointer):
    error = only_error(change("mute", {"mute": mute}, FindingFactory()), 400)
    assert error["source"] == {"pointer": f"/data/attributes/mute{pointer}"}


@each_change
def test_it_says_that_a_document_is_missing_its_data(send, what):
    assert only_error(send(what, {}), 400)["detail"] == (
        'document is missing required top-level members; must have one of: "data", "meta", "errors"'
    )


@each_change
def test_it_refuses_what_is_not_json(send, what):
    assert send(what, "{", "application/json").status_code == 400
    assert send(what, "{}", "text/plain").status_code == 415


@each_change
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_it_knows_no_other_methods(api, make_key, what, method):
    headers = {"DD-API-KEY": make_key(*Permission)}
    assert getattr(api, method)(f"{URL}/{what}", headers=headers).status_code == 405


@each_change
def test_it_asks_for_a_key_that_may_write(api, make_key, what):
    body = document(what, CHANGES[what], [FindingFactory()])
    assert api.patch(f"{URL}/{what}", body, content_type="application/json").status_code == 401
    for scope in (Permission.FINDINGS_READ, Permission.CASES_WRITE):
        headers = {"DD-API-KEY": make_key(scope)}
        answer = api.patch(f"{URL}/{what}", body, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]) == (403, "Forbidden")
    assert FindingEvent.objects.count() == 0


@each_change
def test_it_names_the_person_who_acts_in_a_browser(as_user, analyst, what):
    body = document(what, CHANGES[what], [FindingFactory()])
    answer = as_user(analyst).patch(f"{URL}/{what}", body, content_type="application/json")
    accepted(answer)
    assert FindingEvent.objects.get().actor == User.objects.get(pk=analyst.pk)


@each_change
def test_it_costs_the_same_statements_for_a_hundred(change, what):
    counts = []
    change(what, CHANGES[what], FindingFactory())  # notes once a minute that the key is in use
    for size in (1, 100):
        findings = FindingFactory.create_batch(size)
        with CaptureQueriesContext(connection) as captured:
            accepted(change(what, CHANGES[what], *findings))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10
