"""Every answer of a walk over the sandbox, against Atlassian's own description of Jira Cloud.

`JIRA_OPENAPI` names the file (https://developer.atlassian.com/cloud/jira/platform/swagger-v3.v3.json);
without it there is nothing to compare with.
"""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

FILE = os.environ.get("JIRA_OPENAPI", "")

pytestmark = pytest.mark.skipif(not FILE, reason="JIRA_OPENAPI names no file")

CREATE = {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": "Leak"}
DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Why"}]}],
}
LINK = {"globalId": "fa-1", "object": {"url": "https://fa.example/1", "title": "Finding"}}
TYPES = "issue/createmeta/SEC/issuetypes"
WALK: list[tuple[str, str, Any, int]] = [
    ("GET", "serverInfo", None, 200),
    ("GET", "myself", None, 200),
    ("GET", "mypermissions?projectKey=SEC&permissions=CREATE_ISSUES", None, 200),
    ("GET", "project/search?expand=issueTypes", None, 200),
    ("GET", "project/SEC", None, 200),
    ("GET", "project/NOPE", None, 404),
    ("GET", "project/SEC/statuses", None, 200),
    ("GET", TYPES, None, 200),
    ("GET", f"{TYPES}/10001", None, 200),
    ("GET", f"{TYPES}/10003", None, 200),
    ("GET", "user/assignable/search?project=SEC&query=d", None, 200),
    ("GET", "user/search?query=d", None, 200),
    ("GET", "priority", None, 200),
    ("GET", "priority/search", None, 200),
    ("GET", "status", None, 200),
    ("GET", "field", None, 200),
    ("POST", "issue", {"fields": CREATE | {"description": DOCUMENT, "labels": ["fa-1"]}}, 201),
    ("POST", "issue", {"fields": CREATE | {"labels": ["a b"]}}, 400),
    ("POST", "issue", {"fields": CREATE, "transition": {"id": "41"}}, 201),
    ("GET", "issue/SEC-1?properties=*all", None, 200),
    ("PUT", "issue/SEC-1", {"fields": {"summary": "New"}}, 204),
    ("PUT", "issue/SEC-1/assignee", {"accountId": "712020:dana"}, 204),
    ("GET", "issue/SEC-1?expand=changelog", None, 200),
    ("GET", "issue/SEC-99", None, 404),
    ("POST", "issue/bulkfetch", {"issueIdsOrKeys": ["SEC-1", "SEC-99"]}, 200),
    ("GET", "search/jql?jql=project=SEC&fields=*all", None, 200),
    ("POST", "search/jql", {"jql": "project = SEC", "maxResults": 1}, 200),
    ("POST", "search/jql", {"jql": "colour = red"}, 400),
    ("GET", "issue/SEC-1/transitions?expand=transitions.fields", None, 200),
    ("POST", "issue/SEC-1/transitions", {"transition": {"id": "21"}}, 204),
    ("POST", "issue/SEC-1/comment", {"body": DOCUMENT}, 201),
    ("GET", "issue/SEC-1/comment?expand=properties", None, 200),
    ("POST", "issue/SEC-1/remotelink", LINK, 201),
    ("POST", "issue/SEC-1/remotelink", LINK, 200),
    ("GET", "issueLinkType", None, 200),
    ("PUT", "issue/SEC-1/properties/app", {"a": 1}, 201),
    ("GET", "issue/SEC-1/properties", None, 200),
    ("GET", "issue/SEC-1/properties/app", None, 200),
    ("DELETE", "issue/SEC-1", None, 204),
]

# The contract has no word for "there was none" in a change log; Jira sends null.
NULL_IN_PRACTICE = re.compile(r"histories\[\d+\]\.items\[\d+\]\.(from|to)(String)?$")


@functools.cache
def contract() -> dict[str, Any]:
    return json.loads(Path(FILE).read_text(encoding="utf-8"))


def described(method: str, path: str, status: int) -> dict[str, Any] | None:
    """What the contract says of this answer; None when it has no body there."""
    address = f"/rest/api/3/{path.partition('?')[0]}"
    paths = sorted(contract()["paths"], key=lambda one: one.count("{"))
    for template in paths:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        operation = contract()["paths"][template].get(method.lower())
        if operation and re.fullmatch(pattern, address):
            content = operation["responses"][str(status)].get("content", {})
            return content.get("application/json", {}).get("schema")
    raise AssertionError(f"The contract knows no {method} {address}")


def test_every_answer_is_as_the_contract_describes_it(api):
    wrong = []
    for method, path, body, status in WALK:
        answer = api(method, path, version="3", json=body)
        assert answer.status_code == status, (method, path, answer.text)
        schema = described(method, path, status)
        if schema is None or not answer.content:
            continue
        validator = Draft202012Validator(schema | {"components": contract()["components"]})
        wrong += [
            f"{method} {path}: {error.json_path} {error.message[:200]}"
            for error in validator.iter_errors(answer.json())
            if not (error.instance is None and NULL_IN_PRACTICE.search(error.json_path))
        ]
    assert wrong == []
