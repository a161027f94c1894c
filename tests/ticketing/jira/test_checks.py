from dataclasses import replace

import pytest

from ticketing.trackers.base import TrackerError
from ticketing.trackers.jira.checks import (
    Gateway,
    Outcome,
    check_connection,
    register_webhook,
    remove_webhook,
    webhooks,
)
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Deployment

HOOK = "https://fa.test/hooks/1"
OK, FAILED, SKIPPED = Outcome.OK, Outcome.FAILED, Outcome.SKIPPED


def unknown(jira, **changes):
    """Credentials of which we do not know yet whose they are."""
    return replace(jira.credentials, user_id="", **changes)


def outcomes(report):
    return [check.outcome for check in report.checks]


def test_it_passes_on_cloud(sandbox_jira):
    report = check_connection(unknown(sandbox_jira))
    assert outcomes(report) == [OK] * 5
    site, identity, browse, create, hooks = report.checks
    assert site.detail == f"Jira Cloud 1001.0.0 · {site.milliseconds} ms"
    assert (identity.sentence, identity.detail) == ("Signed in as bot", "Findings Bot")
    assert browse.detail == "4 spaces visible"
    assert create.detail == "4 of 4 spaces"
    assert hooks.sentence == "Can create webhooks"
    assert report.is_usable
    assert report.user is not None
    assert report.user.id == sandbox_jira.bot_id


def test_it_passes_on_data_center(sandbox_data_center):
    report = check_connection(unknown(sandbox_data_center))
    assert outcomes(report) == [OK] * 5
    assert report.checks[0].detail.startswith("Jira Data Center 10.3.5 · ")
    assert report.checks[1].sentence == "Signed in as findings-bot"
    assert report.checks[3].detail == "4 of 4 spaces"
    assert report.deployment is Deployment.DATA_CENTER


def test_nothing_is_asked_of_a_site_that_is_not_there(sandbox_jira):
    credentials = unknown(sandbox_jira)
    sandbox_jira.stop()
    report = check_connection(credentials)
    assert outcomes(report) == [FAILED, SKIPPED, SKIPPED, SKIPPED, SKIPPED]
    assert report.checks[0].reason == "127.0.0.1 could not be reached."
    sandbox_jira.start()


@pytest.mark.parametrize("way", ["revoke_token", "expire_token"])
def test_a_token_that_is_not_accepted(sandbox_jira, way):
    getattr(sandbox_jira, way)()
    report = check_connection(unknown(sandbox_jira))
    assert outcomes(report) == [OK, FAILED, SKIPPED, SKIPPED, SKIPPED]
    assert report.checks[1].detail == "HTTP 401"
    assert report.checks[1].reason == "Jira rejected the credentials (HTTP 401)."
    assert not report.is_usable


def test_it_says_that_it_is_the_other_kind_of_jira(sandbox_data_center):
    wrong = unknown(sandbox_data_center, deployment=Deployment.CLOUD, email="bot@example.com")
    report = check_connection(wrong)
    assert report.checks[1].reason == (
        "This is Jira Data Center. Choose it, and enter a personal access token."
    )


def test_it_finds_where_a_token_with_scopes_is_accepted(sandbox_jira):
    sandbox_jira.access.is_scoped = True
    gateway = Gateway(lambda cloud_id: f"{sandbox_jira.url}/ex/jira/{cloud_id}", ("127.0.0.1",))
    report = check_connection(unknown(sandbox_jira), gateway=gateway)
    assert outcomes(report)[:2] == [OK, FAILED]
    assert report.api_url.startswith(f"{sandbox_jira.url}/ex/jira/")
    assert report.checks[1].reason == (
        f"This token has scopes. It is accepted at {report.api_url} only."
    )
    assert outcomes(check_connection(unknown(sandbox_jira, api_url=report.api_url)))[:4] == [OK] * 4


def test_a_wrong_token_is_not_taken_for_one_with_scopes(sandbox_jira):
    sandbox_jira.revoke_token()
    gateway = Gateway(lambda cloud_id: f"{sandbox_jira.url}/ex/jira/{cloud_id}", ("127.0.0.1",))
    report = check_connection(unknown(sandbox_jira), gateway=gateway)
    assert report.api_url == ""
    assert report.checks[1].reason == "Jira rejected the credentials (HTTP 401)."


def test_an_account_that_sees_nothing(sandbox_jira):
    sandbox_jira.deny("BROWSE_PROJECTS")
    report = check_connection(unknown(sandbox_jira))
    assert outcomes(report)[2:4] == [FAILED, FAILED]
    assert report.checks[2].detail == "No space"
    assert report.checks[3].detail == "0 of 0 spaces"


@pytest.mark.parametrize("permission", ["CREATE_ISSUES", "ADD_COMMENTS"])
def test_it_counts_where_tickets_can_be_created(sandbox_jira, permission):
    sandbox_jira.deny(permission, "SEC")
    report = check_connection(unknown(sandbox_jira))
    assert outcomes(report)[3] is OK
    assert report.checks[3].detail == "3 of 4 spaces"


def test_an_account_without_the_right_to_create_webhooks_is_usable(sandbox_jira):
    sandbox_jira.deny("ADMINISTER")
    report = check_connection(unknown(sandbox_jira))
    assert report.checks[4].outcome is FAILED
    assert report.checks[4].detail == "HTTP 403"
    assert report.checks[4].reason.startswith("The account can't create webhooks. ")
    assert report.is_usable


@pytest.mark.parametrize("status", [200, 404, 500])
def test_something_else_at_the_address(sandbox_jira, status):
    sandbox_jira.faults.answer("* .*", status, "<html>", times=None)
    report = check_connection(unknown(sandbox_jira))
    assert outcomes(report) == [FAILED, SKIPPED, SKIPPED, SKIPPED, SKIPPED]
    assert str(status) in report.checks[0].reason


@pytest.mark.parametrize("body", [None, [], "x", {"permissions": 3, "values": 5, "total": "x"}])
def test_no_answer_breaks_the_test(sandbox_jira, body):
    sandbox_jira.faults.answer("* .*", 200, body, times=None)
    assert OK not in outcomes(check_connection(unknown(sandbox_jira)))[:2]
    sandbox_jira.faults.clear()
    sandbox_jira.faults.answer("* ^(?!.*(serverInfo|myself))", 200, body, times=None)
    assert outcomes(check_connection(unknown(sandbox_jira)))[2:4] == [FAILED, FAILED]


@pytest.mark.parametrize("deployment", Deployment)
def test_it_asks_few_questions_of_a_large_jira(request, deployment):
    name = "sandbox_jira" if deployment is Deployment.CLOUD else "sandbox_data_center"
    jira = request.getfixturevalue(name)
    [sec, *_] = jira.site.projects.values()
    for number in range(60):
        project = replace(sec, id=str(20000 + number), key=f"P{number}")
        jira.site.projects[project.id] = project
    report = check_connection(unknown(jira))
    assert report.checks[3].detail == "64 of 64 spaces"
    assert len(report.spaces) == 64
    assert len(jira.log.matching("* .*")) < 30


def test_it_registers_a_webhook_once(sandbox_jira):
    with JiraClient(sandbox_jira.credentials) as client:
        first = register_webhook(client, HOOK, secret="one", jql="project = SEC")
        again = register_webhook(client, HOOK, secret="two", jql="project in (SEC, OPS)")
        assert (again.id, again.jql) == (first.id, "project in (SEC, OPS)")
        assert webhooks(client, HOOK) == [again]
        assert webhooks(client, "https://other.test") == []
        [hook] = sandbox_jira.site.hooks.values()
        assert hook.secret == "two"
        remove_webhook(client, again.id)
        remove_webhook(client, again.id)
        assert webhooks(client, HOOK) == []
    assert sandbox_jira.site.hooks == {}


def test_it_says_why_a_webhook_cannot_be_registered(sandbox_jira):
    sandbox_jira.deny("ADMINISTER")
    with JiraClient(sandbox_jira.credentials) as client, pytest.raises(TrackerError) as caught:
        register_webhook(client, HOOK, secret="one")
    assert caught.value.status == 403


def test_it_tells_that_the_webhook_exists(sandbox_jira):
    with JiraClient(sandbox_jira.credentials) as client:
        register_webhook(client, HOOK, secret="one")
    report = check_connection(unknown(sandbox_jira), webhook_url=HOOK)
    assert report.checks[4].detail == "Webhook exists"


def test_every_request_is_paced(sandbox_jira):
    calls = []
    check_connection(unknown(sandbox_jira), pace=lambda _: calls.append(1))
    assert len(calls) == len(sandbox_jira.log.matching("* .*"))
