"""What tests of the rules' API send and look at."""

from __future__ import annotations

JSON_API = "application/vnd.api+json"
URL = "/api/v2/security/findings/automation/ticket_creation_rules"
NOBODY = "11111111-1111-1111-1111-111111111111"


def said(action=None, rule=None, **attributes):
    return {
        "data": {
            "type": "ticket_creation_rules",
            "attributes": {
                "name": "Critical libraries",
                "rule": {"finding_types": ["library_vulnerability"]} | (rule or {}),
                "action": {"target": "jira", "project_id": NOBODY, "max_tickets_per_day": 10}
                | (action or {}),
            }
            | attributes,
        }
    }


FULL = said(
    {
        "assignee_id": "22222222-2222-2222-2222-222222222222",
        "fields": {"labels": ["x"], "customfield_10010": {"id": "1", "n": [None, 1.5, True]}},
    },
    {"query": "@severity:(critical OR high) team:payments"},
    enabled=False,
)


def create(ask, *names):
    return [ask("post", "", said(name=name)).json()["data"]["id"] for name in names]


def listed(ask, query=""):
    return [rule["id"] for rule in ask("get", query).json()["data"]]


def order(*ids):
    return {"data": [{"id": each, "type": "ticket_creation_rules"} for each in ids]}


def refused(answer, status, *pointers):
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON_API)
    errors = answer.json()["errors"]
    assert {error["status"] for error in errors} == {str(status)}
    assert [error.get("source", {}).get("pointer") for error in errors] == list(pointers)
    return errors[0]["detail"]
