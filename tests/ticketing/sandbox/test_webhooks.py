from __future__ import annotations

import hashlib
import hmac

import pytest
from werkzeug import Response

from ticketing.trackers.jira.sandbox.webhooks import Delivery


@pytest.fixture
def hooked(api, httpserver):
    """A Jira that tells `httpserver` everything; `hooked.heard()` is what arrived."""
    httpserver.expect_request("/hook").respond_with_response(Response(status=204))
    api.jira.webhooks.register(httpserver.url_for("/hook?a=1"), secret="s")
    api.jira.webhooks.retry_after = (0.01, 0.01)

    def heard() -> list[str]:
        assert api.jira.webhooks.wait_until_idle()
        return [request.json["webhookEvent"] for request, _ in httpserver.log]

    api.heard = heard
    return api


def test_it_tells_of_everything_that_happens_signed(hooked, httpserver):
    hooked.create()
    hooked.jira.set_status("SEC-1", "Done")
    hooked.jira.comment("SEC-1", "Fixed")
    hooked.jira.delete("SEC-1")

    assert hooked.heard() == [
        "jira:issue_created",
        "jira:issue_updated",
        "comment_created",
        "jira:issue_deleted",
    ]
    request = httpserver.log[1][0]
    digest = hmac.new(b"s", request.data, hashlib.sha256).hexdigest()
    assert request.headers["X-Hub-Signature"] == f"sha256={digest}"
    assert request.headers["X-Atlassian-Webhook-Retry"] == "0"
    assert request.json["user"]["accountId"] == "712020:dana"
    item = request.json["changelog"]["items"][0]
    assert (item["field"], item["fromString"], item["toString"]) == ("status", "To Do", "Done")
    assert request.json["issue"]["fields"]["status"]["statusCategory"]["key"] == "done"


def test_it_tries_again_with_the_same_identifier(hooked, httpserver):
    httpserver.clear()
    httpserver.expect_ordered_request("/hook").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/hook").respond_with_data("", status=204)

    hooked.create()

    assert hooked.heard() == ["jira:issue_created"] * 2
    headers = [request.headers for request, _ in httpserver.log]
    assert [one["X-Atlassian-Webhook-Retry"] for one in headers] == ["0", "1"]
    assert len({one["X-Atlassian-Webhook-Identifier"] for one in headers}) == 1
    assert hooked.jira.webhooks.sent[0].statuses == [503, 204]


def test_it_gives_up_when_nobody_ever_answers(api):
    api.jira.webhooks.retry_after = (0.01,)
    api.jira.webhooks.register("http://127.0.0.1:9/hook")

    api.create()

    assert api.jira.webhooks.wait_until_idle()
    assert api.jira.webhooks.sent[0].statuses == [None, None]


@pytest.mark.parametrize(("kind", "count"), [("drop", 0), ("double", 4)])
def test_it_loses_and_doubles_on_demand(hooked, kind, count):
    setattr(hooked.jira.webhooks.mischief, kind, 1)
    hooked.create()
    hooked.create()

    assert len(hooked.heard()) == count


def test_late_ones_come_out_of_order(hooked, httpserver):
    hooked.jira.webhooks.mischief.late = 0.5
    hooked.jira.webhooks.mischief.seconds = 0.1
    for number in range(8):
        hooked.create(str(number))

    assert len(hooked.heard()) == 8
    order = [request.json["issue"]["key"] for request, _ in httpserver.log]
    assert order != sorted(order)


def test_held_ones_are_for_the_test_to_deliver(hooked):
    hooked.jira.webhooks.hold()
    hooked.create()
    assert hooked.heard() == []
    (held,) = hooked.jira.webhooks.held
    assert isinstance(held, Delivery)
    assert held.json["issue"]["key"] == "SEC-1"

    hooked.jira.webhooks.release()

    assert hooked.heard() == ["jira:issue_created"]


def test_an_administrator_registers_looks_up_and_deletes(api):
    base = "/rest/webhooks/1.0/webhook"
    wanted = {
        "name": "Findings",
        "url": "https://fa.example/hook",
        "events": ["jira:issue_updated"],
        "filters": {"issue-related-events-section": "project = SEC"},
        "secret": "s",
    }

    made = api("POST", base, json=wanted)

    assert made.status_code == 201
    assert "secret" not in made.json()
    assert [one["name"] for one in api("GET", base).json()] == ["Findings"]
    path = made.json()["self"].removeprefix(api.jira.url)
    assert api("PUT", path, json={"enabled": False}).json()["enabled"] is False
    assert api("DELETE", path).status_code == 204
    api.jira.deny("ADMINISTER")
    assert api("GET", base).status_code == 403


def test_a_webhook_hears_only_of_its_events_and_its_query(api):
    api.jira.webhooks.hold()
    api.jira.webhooks.register(
        "http://127.0.0.1:9/", events=("jira:issue_created",), query="project = PLAT"
    )

    api.create()
    api.jira.create_issue("PLAT", "One")
    api.jira.edit("PLAT-1", summary="Two")

    assert [one.json["issue"]["key"] for one in api.jira.webhooks.held] == ["PLAT-1"]


def test_it_tells_that_a_project_was_archived(api):
    api.jira.webhooks.hold()
    api.jira.webhooks.register("http://127.0.0.1:9/", query="project = SEC")

    api.jira.archive("OPS")

    (held,) = api.jira.webhooks.held
    assert (held.event, held.json["project"]["key"]) == ("project_archived", "OPS")
