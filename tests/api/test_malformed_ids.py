"""A malformed UUID is 400 before any look-up, in the words that were recorded."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from ticketing.api.v2.documents import STANDARD_TYPE

NO_CASE = "/cases/NONE-1"
"""That there is no such case would be found out first by looking."""
FINDINGS = "/security/findings"
RULE = f"{FINDINGS}/automation/ticket_creation_rules"
BAD = ["not-a-uuid", "959a6f71-bac8-4027-b1d3", "959a6f71bac84027b1d32264f569296g", "🐛"]
UNKNOWN = {"data": [{"id": "bm9uZQ", "type": "findings"}]}
NOWHERE = {"data": {"id": "nowhere", "type": "projects"}}


def case(**attributes):
    return {"data": {"type": "case", "attributes": attributes}}


def of_findings(kind: str, bad: str):
    relationships = {"findings": UNKNOWN, "project": NOWHERE}
    attributes = {"assignee_id": bad}
    return {"data": [{"type": kind, "attributes": attributes, "relationships": relationships}]}


def new_case(assignee: str, type_id: str = STANDARD_TYPE):
    relationships = {
        "project": {"data": {"id": "nowhere", "type": "project"}},
        "assignee": {"data": {"id": assignee, "type": "user"}},
    }
    attributes = {"type_id": type_id, "title": "Odd"}
    return {"data": {"type": "case", "attributes": attributes, "relationships": relationships}}


def new_issue(bad: str):
    said = {"jira_account_id": bad, "project_id": "10000", "issue_type_id": "10001"}
    return {"data": {"type": "issues", "attributes": said}}


def assignee(bad: str):
    said = {"attributes": {"assignee_id": bad}, "relationships": {"findings": UNKNOWN}}
    return {"data": {"type": "assignee", **said}}


OPERATIONS = [
    ("get", "/users/{bad}", None, "userid"),
    ("delete", "/integration/jira/accounts/{bad}", None, "accountid"),
    ("get", "/integration/jira/issue-templates/{bad}", None, "issuetemplateid"),
    ("patch", "/integration/jira/issue-templates/{bad}", None, "issuetemplateid"),
    ("delete", "/integration/jira/issue-templates/{bad}", None, "issuetemplateid"),
    ("get", "/cases/types/{bad}/custom_attributes", None, "casetypeid"),
    ("put", f"{NO_CASE}/comment/{{bad}}", lambda _: case(comment="x"), "cellid"),
    ("delete", f"{NO_CASE}/comment/{{bad}}", None, "cellid"),
    ("post", f"{NO_CASE}/assign", lambda bad: case(assignee_id=bad), "assigneeid"),
    ("post", f"{NO_CASE}/relationships/jira_issues", new_issue, "jiraaccountid"),
    ("post", "/cases", new_case, "assigneeid"),
    ("post", "/cases", lambda bad: new_case(STANDARD_TYPE, bad), "typeid"),
    ("post", f"{FINDINGS}/cases", lambda bad: of_findings("cases", bad), "assigneeid"),
    ("post", f"{FINDINGS}/jira_issues", lambda bad: of_findings("jira_issues", bad), "assigneeid"),
    ("patch", f"{FINDINGS}/assignee", assignee, "assigneeid"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body", "entity"), OPERATIONS)
def test_it_is_refused_before_anything_is_looked_up(machine, method, path, body, entity):
    ask = machine(*Permission)
    for bad in BAD:
        with CaptureQueriesContext(connection) as statements:
            answer = ask.ask(method, path.format(bad=bad), body and body(bad))
        [error] = answer.json()["errors"]
        said = error["title"] if "code" in error else error["detail"]
        assert answer.status_code == 400, (path, bad)
        assert said == f"error when validating input command: '{entity}' field must be an uuid"
        asked = " ".join(each["sql"] for each in statements.captured_queries)
        assert "ticketing_" not in asked
        assert "findings_" not in asked


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("get", f"{RULE}/{{bad}}", None, "rule does not exist"),
        ("delete", f"{RULE}/{{bad}}", None, "rule does not exist"),
        ("get", "/cases/{bad}", None, "case not found"),  # a case's key is an id, too
        ("get", "/cases/projects/{bad}", None, "project not found"),
    ],
)
def test_what_was_recorded_otherwise_stays_404(machine, method, path, body, said):
    answer = machine(*Permission).ask(method, path.format(bad=BAD[0]), body)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error.get("detail") or error["title"]) == (404, said)
