"""The sandbox as the public `jira` library sees it: a caller that was not written for it."""

from __future__ import annotations

import pytest
from jira import JIRA, JIRAError


@pytest.fixture
def library(sandbox_jira):
    client = JIRA(
        sandbox_jira.url,
        basic_auth=(sandbox_jira.access.email, sandbox_jira.access.token),
        max_retries=0,
        timeout=5,
        options={"rest_api_version": "2"},
    )
    yield client
    client.close()


def test_it_creates_finds_steps_and_comments(library, sandbox_jira):
    fields = {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": "Leak"}
    issue = library.create_issue(fields=fields | {"labels": ["fa-1"]})
    (found,) = library.search_issues("labels = 'fa-1'", fields="summary,status")
    assert (issue.key, found.fields.summary) == ("SEC-1", "Leak")
    library.add_comment("SEC-1", "Look")
    assert [comment.body for comment in library.comments("SEC-1")] == ["Look"]
    steps = {step["to"]["name"]: step["id"] for step in library.transitions("SEC-1")}

    library.transition_issue("SEC-1", steps["Done"])

    assert sandbox_jira.status_of("SEC-1") == "Done"
    assert library.issue("SEC-1", expand="changelog").changelog.total == 1


def test_it_raises_what_jira_refuses(library):
    fields = {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": ""}

    with pytest.raises(JIRAError) as error:
        library.create_issue(fields=fields, prefetch=False)

    assert error.value.status_code == 400
    assert "summary" in error.value.response.json()["errors"]


def test_it_reads_data_center_too(sandbox_data_center):
    sandbox_data_center.create_issue("SEC", "Leak")
    client = JIRA(
        sandbox_data_center.url,
        token_auth=sandbox_data_center.access.token,
        max_retries=0,
        timeout=5,
    )

    assert client.search_issues("project = SEC").total == 1
    assert {project.key for project in client.projects()} == {"SEC", "PLAT", "OPS", "DESK"}
    assert client.myself()["name"] == "findings-bot"
    assert [kind.name for kind in client.project_issue_types("SEC")][:2] == ["Task", "Bug"]
    client.close()
