from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from findings.facts import Status
from tests.factories import FindingFactory

ACTIONS = {
    "/triage/mute": {"reason": "FALSE_POSITIVE", "days": "7", "description": "Only in tests"},
    "/triage/assign": {"assignee": ""},
    "/triage/status": {"status": "in-progress"},
    "/triage/severity": {"severity": "low", "description": "Only in tests"},
    "/triage/inbox": {"inbox": "added"},
}
each_action = pytest.mark.parametrize("address", ACTIONS)


@pytest.fixture
def findings(db):
    return [FindingFactory(title=f"Finding {number}") for number in range(3)]


def ids(findings) -> list[str]:
    return [finding.finding_id for finding in findings]


def said(answer) -> list[str]:
    """Titles of toasts, and sentences."""
    texts = [message.message for message in get_messages(answer.wsgi_request)]
    return [json.loads(text)["title"] if text.startswith("{") else text for text in texts]


@each_action
def test_it_asks_how_before_it_does_anything(as_user, analyst, findings, address):
    answer = as_user(analyst).post(address, {"finding": ids(findings)})

    assert answer.status_code == 200
    assert "3 findings" in answer.content.decode()
    for finding in findings:
        assert f'name="finding" value="{finding.finding_id}"' in answer.content.decode()
        finding.refresh_from_db()
        assert finding.status == Status.OPEN


@each_action
def test_it_asks_in_a_dialog_when_the_page_can_show_one(as_user, analyst, findings, address):
    answer = as_user(analyst).post(
        address, {"finding": ids(findings)}, headers={"HX-Request": "true"}
    )

    assert "<html" not in answer.content.decode()
    assert 'id="action-title"' in answer.content.decode()


@each_action
def test_it_goes_back_to_where_it_was_asked_for(as_user, analyst, findings, address):
    data = {"finding": ids(findings), "save": "yes", "next": "/findings?q=env:prod"}

    answer = as_user(analyst).post(address, data | ACTIONS[address])
    by_htmx = as_user(analyst).post(
        address, data | ACTIONS[address], headers={"HX-Request": "true"}
    )

    assert (answer.status_code, answer.url) == (302, "/findings?q=env:prod")
    assert by_htmx["HX-Redirect"] == "/findings?q=env:prod"


@each_action
@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_it_goes_nowhere_else(as_user, analyst, findings, address, target):
    data = {"finding": ids(findings), "save": "yes", "next": target}

    assert as_user(analyst).post(address, data | ACTIONS[address]).url == "/findings"


def test_it_mutes_findings_for_a_time_with_a_reason(as_user, analyst, findings):
    answer = as_user(analyst).post(
        "/triage/mute", {"finding": ids(findings), "save": "yes", **ACTIONS["/triage/mute"]}
    )

    finding = findings[0]
    finding.refresh_from_db()
    assert finding.status == Status.MUTED
    assert finding.workflow["mute"]["reason"] == "FALSE_POSITIVE"
    assert finding.workflow["mute"]["muted_by"]["name"] == "Alan Analyst"
    assert abs(finding.muted_until - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert said(answer) == ["3 findings muted"]


def test_it_mutes_for_ever(as_user, analyst, findings):
    data = {"finding": ids(findings), "save": "yes", "reason": "OTHER", "days": "0"}
    as_user(analyst).post("/triage/mute", data)

    findings[0].refresh_from_db()
    assert findings[0].muted_until is None
    assert findings[0].status == Status.MUTED


def test_it_assigns_findings(as_user, analyst, editor, findings):
    as_user(analyst).post(
        "/triage/assign", {"finding": ids(findings), "save": "yes", "assignee": str(editor.pk)}
    )

    findings[2].refresh_from_db()
    assert findings[2].workflow["triage"]["assignee"]["name"] == "Edith Editor"


@pytest.mark.parametrize("status", ["open", "in-progress", "resolved"])
def test_it_changes_the_status(as_user, analyst, findings, status):
    as_user(analyst).post(
        "/triage/status", {"finding": ids(findings), "save": "yes", "status": status}
    )

    findings[1].refresh_from_db()
    assert findings[1].status == status


def test_it_offers_the_severity_that_the_finding_has(as_user, analyst, findings):
    answer = as_user(analyst).post("/triage/severity", {"finding": ids(findings)})

    assert '<option value="high" selected>High</option>' in answer.content.decode()


def test_it_changes_the_severity_and_gives_it_back(as_user, analyst, findings):
    data = {"finding": ids(findings), "save": "yes"}

    answer = as_user(analyst).post("/triage/severity", data | {"severity": "critical"})
    assert said(answer) == ["Severity of 3 findings changed"]
    findings[1].refresh_from_db()
    assert (findings[1].severity, findings[1].source_severity) == ("critical", "high")

    as_user(analyst).post("/triage/severity", data | {"severity": "source"})
    findings[1].refresh_from_db()
    assert (findings[1].severity, findings[1].base_severity) == ("high", "")


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("/triage/mute", {"reason": "NONSENSE", "days": "7"}),
        ("/triage/mute", {"reason": "OTHER", "days": "9999999"}),
        ("/triage/mute", {"reason": "OTHER", "days": "7", "description": "x" * 2_001}),
        ("/triage/mute", {"reason": "OTHER", "days": "7", "description": "a\0b"}),
        ("/triage/assign", {"assignee": "nobody"}),
        ("/triage/status", {"status": "muted"}),
        ("/triage/status", {"status": "auto_closed"}),
        ("/triage/severity", {"severity": "unknown"}),
        ("/triage/severity", {}),
        ("/triage/severity", {"severity": "low", "description": "x" * 281}),
    ],
)
def test_it_refuses_what_it_did_not_offer(as_user, analyst, findings, address, wrong):
    answer = as_user(analyst).post(address, {"finding": ids(findings), "save": "yes", **wrong})

    findings[0].refresh_from_db()
    assert answer.status_code == 422
    assert findings[0].status == Status.OPEN


@each_action
def test_it_leaves_out_findings_that_are_gone(as_user, analyst, findings, address):
    chosen = [*ids(findings), "gone", "nul\0"]

    answer = as_user(analyst).post(address, {"finding": chosen, "save": "yes", **ACTIONS[address]})

    assert said(answer)[-1] == "2 findings no longer existed and were left out."


@each_action
@pytest.mark.parametrize("chosen", [[], ["gone"]])
def test_it_says_that_nothing_is_left_of_a_selection(as_user, analyst, findings, address, chosen):
    answer = as_user(analyst).post(address, {"finding": chosen, "save": "yes", **ACTIONS[address]})

    assert said(answer) == ["None of the selected findings exists any more."]


@each_action
def test_it_lets_viewers_change_nothing(as_user, viewer, findings, address):
    answer = as_user(viewer).post(
        address, {"finding": ids(findings), "save": "yes", **ACTIONS[address]}
    )

    findings[0].refresh_from_db()
    assert answer.status_code == 403
    assert findings[0].status == Status.OPEN


@each_action
def test_it_changes_nothing_by_reading(as_user, analyst, address):
    assert as_user(analyst).get(address).status_code == 405
