"""One issue that cannot be read, in each of its ways, beside others that can."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from config.lib.deadline import Deadline
from tests.ticketing.jira.conftest import failure
from ticketing.trackers.base import Fault, IssueState, OutOfTime, TrackerError
from ticketing.trackers.jira import client as client_module
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.faults import Call, Silence, silence
from ticketing.trackers.jira.tracker import JiraTracker


class Sour(JiraClient):
    """Answers to requests about the issue `culprit` are spoiled, and counted are all."""

    culprit = "?"
    spoil = staticmethod(lambda answer, culprit: answer)
    sent = 0

    def _send(self, request, call):
        self.sent += 1
        answer = super()._send(request, call)
        about = f"{request.url} {(request.body or b'').decode()}".replace('"', "/") + "/"
        asked = f"/{self.culprit}/" in about or f"/{self.culprit}?" in about
        return self.spoil(answer, self.culprit) if asked else answer


def issues_of(answer):
    body = json.loads(json.dumps(answer.body))
    if isinstance(body, dict) and "issues" in body:
        return body, body["issues"]
    return body, [body]


def change(edit):
    def spoil(answer, culprit):
        body, issues = issues_of(answer)
        for issue in issues:
            if isinstance(issue, dict) and issue.get("id") == culprit:
                edit(issue)
        return replace(answer, body=body)

    return spoil


def named(answer, culprit):
    body, issues = issues_of(answer)
    body["issues"] = [issue for issue in issues if issue.get("id") != culprit]
    body["issueErrors"] = [{"id": culprit, "errorMessage": "No."}]
    return replace(answer, body=body)


def unnamed(answer, culprit):
    told = named(answer, culprit)
    told.body["issueErrors"] = [{"errorMessage": "No."}]
    return told


def answered(status, body=None, **headers):
    return lambda answer, culprit: replace(answer, status=status, body=body, headers=headers)


def too_large(answer, culprit):
    raise silence(Call.READ, Silence.TOO_LARGE, host="jira.example.com")


EVERYWHERE = {
    "no fields": change(lambda issue: issue.update(fields=None)),
    "odd status": change(lambda issue: issue["fields"].update(status=[1])),
    "odd date": change(lambda issue: issue["fields"].update(updated="soon")),
    "odd comments": change(lambda issue: issue["fields"].update(comment={"comments": [{}]})),
    "without its id": change(lambda issue: issue.pop("id")),
    "too large": too_large,
    "500": answered(500, {"errorMessages": ["NullPointerException"]}),
    "502 page": answered(502),
    "403 page": answered(403),
    "200 page": answered(200),
    "302": answered(302, location="https://waf.example.com/blocked"),
    "401": answered(401),
    "other JSON": answered(200, {"ok": True}),
}
CLOUD = {"named": named, "unnamed": unnamed} | EVERYWHERE


def read(sandbox, spoil, *, number=40):
    ids = [str(sandbox.create_issue("SEC", f"No. {each}").id) for each in range(number)]
    with Sour(sandbox.credentials) as client:
        client.culprit, client.spoil = ids[17], spoil
        return ids, JiraTracker(client).fetch(ids), client.sent


def assert_only_the_culprit_is_set_aside(ids, found):
    assert found.keys() == set(ids)
    culprit = found[ids[17]]
    assert isinstance(culprit, TrackerError)
    assert (culprit.whole_account, culprit.suspicious) == (False, False)
    assert culprit.reason
    assert sum(isinstance(state, IssueState) for state in found.values()) == len(ids) - 1


@pytest.mark.parametrize("spoil", CLOUD.values(), ids=CLOUD)
def test_it_reads_the_others_of_cloud(sandbox_jira, spoil):
    ids, found, sent = read(sandbox_jira, spoil)
    assert_only_the_culprit_is_set_aside(ids, found)
    assert sent <= 15


@pytest.mark.parametrize("spoil", EVERYWHERE.values(), ids=EVERYWHERE)
def test_it_reads_the_others_of_data_center(sandbox_data_center, spoil):
    ids, found, sent = read(sandbox_data_center, spoil)
    assert_only_the_culprit_is_set_aside(ids, found)
    assert sent <= len(ids) + 2


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 500, 503])
def test_one_strange_answer_is_read_again(sandbox_jira, status):
    ids = [str(sandbox_jira.create_issue("SEC", "One").id)]
    sandbox_jira.faults.answer("POST /bulkfetch$", status, "<html>Back soon")
    with JiraClient(sandbox_jira.credentials) as client:
        assert isinstance(JiraTracker(client).fetch(ids)[ids[0]], IssueState)


@pytest.mark.parametrize(
    ("status", "suspicious"), [(200, True), (302, True), (401, True), (403, True), (503, False)]
)
def test_it_does_not_halve_what_fails_as_a_whole(sandbox_jira, status, suspicious):
    ids = [str(sandbox_jira.create_issue("SEC", "One").id) for _ in range(20)]
    sandbox_jira.faults.answer("* .", status, "<html>Back soon", times=None)
    with Sour(sandbox_jira.credentials) as client:
        error = failure(lambda: JiraTracker(client).fetch(ids))
        assert (error.suspicious, client.sent) == (suspicious, 2)


def test_an_answer_of_more_than_ten_megabytes_is_told_apart(sandbox_jira, monkeypatch):
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 100)
    with JiraClient(sandbox_jira.credentials) as client:
        error = failure(lambda: client.get("field"))
    assert (error.fault, error.reason[-36:]) == (
        Fault.TRANSIENT,
        "answered with more than can be read.",
    )


def test_what_was_read_before_the_deadline_is_kept(sandbox_data_center):
    ids = [str(sandbox_data_center.create_issue("SEC", "One").id) for _ in range(5)]
    clock = iter([0.0, *[1.0] * 4, *[9.8] * 50])
    deadline = Deadline(10, clock=lambda: next(clock))
    with JiraClient(sandbox_data_center.credentials, deadline=deadline) as client:
        found = JiraTracker(client).fetch(ids)
        late = [isinstance(found[id_], OutOfTime) for id_ in ids]
        assert late == [False, True, True, True, True]
        assert isinstance(failure(lambda: JiraTracker(client).fetch(ids)), OutOfTime)
