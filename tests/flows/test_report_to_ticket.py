"""The main job, through the doors that users take: a report in over HTTP, a case out."""

import json
import os
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from findings.facts import FindingType
from findings.models import Finding
from ticketing.models import Case

pytestmark = pytest.mark.django_db

SARIF = {
    "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "Semgrep", "rules": []}},
            "results": [
                {
                    "ruleId": f"rule-{n}",
                    "level": "error",
                    "message": {"text": f"Problem {n}"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": f"app/{n}.py"},
                                "region": {"startLine": 7},
                            }
                        }
                    ],
                }
                for n in range(3)
            ],
        }
    ],
}


@pytest.fixture
def send_report(client):
    scopes = [Permission.FINDINGS_INTAKE, Permission.FINDINGS_READ]
    _, raw = create_api_key("ci", scopes=scopes, actor=None)

    def send(body):
        return client.post(
            "/api/v1/imports?source=ci",
            body,
            content_type="application/octet-stream",
            headers={"DD-API-KEY": raw},
        )

    return send


@pytest.fixture
def queue(monkeypatch, django_capture_on_commit_callbacks):
    """Runs what was rung for, at once."""
    monkeypatch.setattr("config.lib.tasks.async_task", lambda path: import_string(path)())
    return django_capture_on_commit_callbacks


def test_a_report_becomes_cases_with_a_bolt(make_rule, send_report, queue, as_user, viewer):
    make_rule("Static code", types=["static_code_vulnerability"], limit=2)
    with queue(execute=True):
        answer = send_report(json.dumps(SARIF))
    assert answer.status_code == 201, answer.content
    assert answer.json()["data"]["attributes"]["new"] == 3
    assert sorted(Case.objects.values_list("origin", flat=True)) == [
        "limit_notice",
        "rule",
        "rule",
    ]
    finding = Finding.objects.get(ticket_key="SEC-1")
    browser = as_user(viewer)
    page = browser.get(f"/findings/{finding.finding_id}", {"tab": "why"}).content.decode()
    assert "Static code" in page
    assert "Static Code Vulnerability is selected" in page
    listing = browser.get("/findings").content.decode()
    assert "SEC-1" in listing
    assert "Over limit" in listing
    assert "SEC-1" in browser.get("/cases").content.decode()


def test_the_same_report_again_changes_nothing(make_rule, send_report, queue):
    make_rule("Static code", types=["static_code_vulnerability"])
    for new, again in ((3, 0), (0, 3)):
        with queue(execute=True):
            said = send_report(json.dumps(SARIF)).json()["data"]["attributes"]
        assert (said["new"], said["seen_again"]) == (new, again)
    assert Case.objects.count() == 3


@pytest.mark.parametrize("name", ["trivy/issue_9170.json", "sarif/flawfinder.sarif"])
@pytest.mark.skipif("REPORTS_DIR" not in os.environ, reason="REPORTS_DIR names no real reports")
def test_a_real_report_becomes_cases(make_rule, send_report, queue, name):
    make_rule("Any", types=[kind.value for kind in FindingType], limit=5)
    reports = Path(os.environ["REPORTS_DIR"])
    expected = {row["file"]: row for row in json.loads((reports / "expected.json").read_text())}
    with queue(execute=True):
        answer = send_report((reports / name).read_bytes())
    assert answer.json()["data"]["attributes"]["received"] == expected[name]["findings"]
    assert Case.objects.filter(origin="rule").count() == 5
