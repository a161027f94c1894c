"""What comes from Jira, and from whoever pretends to be it."""

import hashlib
import hmac
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.factories import ExternalIssueFactory, JiraAccountFactory
from ticketing.api.webhooks import MAX_BYTES
from ticketing.models import JiraSpace, WebhookEvent
from ticketing.states import State
from ticketing.webhooks import is_signed

pytestmark = pytest.mark.django_db
SECRET = "It's a Secret to Everybody"
EVENT = {
    "timestamp": 1_800_000_000_000,
    "webhookEvent": "jira:issue_updated",
    "user": {"accountId": "dana"},
    "issue": {"id": "10042", "key": "SEC-42", "fields": {"project": {"id": "10000"}}},
}


@pytest.fixture(autouse=True)
def _no_forgeries_yet():
    cache.clear()


@pytest.fixture
def account(db):
    return JiraAccountFactory(webhook_secret=SECRET)


@pytest.fixture
def issue(account):
    return ExternalIssueFactory(
        account=account, state=State.CREATED, issue_id="10042", issue_key="SEC-42"
    )


@pytest.fixture
def send(client, account):
    """`send(event)`: as Jira sends it; `body`, `secret`, `signature` and headers may differ."""

    def post(event=EVENT, *, body=None, secret=SECRET, to=None, signature=None, **headers):
        body = json.dumps(event).encode() if body is None else body
        made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        sent = {"X-Hub-Signature": made if signature is None else signature}
        sent |= {"X-Atlassian-Webhook-Identifier": "event-1"} | headers.pop("more", {})
        return client.post(
            f"/api/v1/jira/webhooks/{to or account.pk}",
            data=body,
            content_type=headers.pop("content_type", "application/json"),
            headers=sent,
        )

    return post


def is_due(issue):
    issue.refresh_from_db()
    return issue.sync_due_at is not None


def test_it_computes_the_signature_of_the_specification(account):
    known = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert is_signed(account, b"Hello World!", known)
    assert not is_signed(account, b"Hello World?", known)


def test_it_makes_the_issue_due_and_rings(send, issue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        answer = send()
    assert (answer.status_code, answer.json()) == (202, {"data": {"is_new": True}})
    assert is_due(issue)
    assert len(rings) == 1


def test_it_believes_nothing_but_which_issue(send, issue):
    event = EVENT | {"issue": EVENT["issue"] | {"key": "EVIL-1"}, "changelog": {"items": "x"}}
    send(event)
    assert is_due(issue)
    assert (issue.issue_key, issue.case.status, issue.remote_status) == ("SEC-42", "OPEN", "")


def test_it_shows_that_events_arrive(send, account):
    space = JiraSpace.objects.create(account=account, space_id="10000", key="SEC", name="Security")
    send()
    account.refresh_from_db()
    space.refresh_from_db()
    assert account.webhook_event_at
    assert space.webhook_event_at


def test_it_takes_an_event_once(send, issue):
    send()
    issue.refresh_from_db()
    type(issue).objects.update(sync_due_at=None)
    answer = send(more={"X-Atlassian-Webhook-Retry": "1"})
    assert (answer.status_code, answer.json()) == (202, {"data": {"is_new": False}})
    assert not is_due(issue)
    assert WebhookEvent.objects.count() == 1


def test_the_same_body_is_the_same_event_where_it_has_no_name(send):
    unnamed = {"X-Atlassian-Webhook-Identifier": ""}
    assert send(more=unnamed).json()["data"]["is_new"]
    assert not send(more=unnamed).json()["data"]["is_new"]
    assert send(EVENT | {"timestamp": 1}, more=unnamed).json()["data"]["is_new"]


def test_two_accounts_may_name_an_event_alike(send):
    other = JiraAccountFactory(webhook_secret=SECRET)
    assert send().json()["data"]["is_new"]
    assert send(to=other.pk).json()["data"]["is_new"]


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=0", "sha1=abc", "sha256", "=", "é", "sha256=" + "0" * 64, "\U0001f511"],
)
def test_it_refuses_a_signature_that_does_not_fit(send, issue, signature):
    answer = send(signature=signature)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["status"] == "401"
    assert not is_due(issue)
    assert not WebhookEvent.objects.exists()


def test_it_refuses_a_body_that_was_changed(send):
    good = hmac.new(SECRET.encode(), json.dumps(EVENT).encode(), hashlib.sha256).hexdigest()
    assert send(EVENT | {"timestamp": 2}, signature=f"sha256={good}").status_code == 401


def test_it_takes_either_secret_while_one_is_replaced(send, account):
    account.former_webhook_secret, account.webhook_secret = SECRET, "new"
    account.save()
    assert send(secret=SECRET, more={"X-Atlassian-Webhook-Identifier": "1"}).status_code == 202
    assert send(secret="new", more={"X-Atlassian-Webhook-Identifier": "2"}).status_code == 202
    account.former_webhook_secret = ""
    account.save()
    assert send(secret=SECRET).status_code == 401


def test_an_account_without_a_secret_takes_nothing(send, account):
    account.webhook_secret = ""
    account.save()
    assert send(secret="").status_code == 401


def test_it_knows_only_accounts_that_are_there(send, account):
    assert send(to=uuid4()).status_code == 404
    assert send(to="not-a-uuid").status_code == 404
    account.deleted_at = timezone.now()
    account.save()
    assert send().status_code == 404


def test_it_takes_no_body_that_is_too_large(send):
    assert send(body=b" " * (2 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("body", [b" ", b"{", b"[]", b"null", b"\xff", b'"text"', b"[" * 100_000])
def test_it_answers_garbage_that_is_signed(send, body):
    assert send(body=body).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_it_takes_only_json(send, kind):
    assert send(content_type=kind).status_code == 415
    assert send(more={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"issue": None},
        {"issue": []},
        {"issue": {"id": {"a": 1}, "fields": []}},
        {"issue": {"id": "x" * 9000, "fields": {"project": {"id": "y" * 9000}}}},
        {"issue": {"id": "1\0", "fields": {"project": "z", "labels": 7}}},
        {"issue": {"id": 10042, "fields": {"labels": {"fa-": 1}}}, "webhookEvent": []},
        {"webhookEvent": "jira:issue_created", "issue": {"fields": {"labels": [1, "fa-!", "fa-"]}}},
        {"webhookEvent": "comment_created", "comment": {}},
    ],
)
def test_it_bears_events_of_any_shape(send, event):
    assert send(event).status_code == 202


def test_an_unknown_issue_is_fine(send, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        assert send().status_code == 202
    assert rings == []


def test_the_issue_of_another_account_is_unknown(send, issue):
    other = JiraAccountFactory(webhook_secret=SECRET)
    send(to=other.pk)
    assert not is_due(issue)


@pytest.mark.parametrize(
    ("state", "event", "answered"),
    [
        (State.UNSURE, "jira:issue_created", True),
        (State.UNSURE, "jira:issue_updated", False),
        (State.PENDING, "jira:issue_created", False),
    ],
)
def test_a_created_issue_answers_an_unsure_promise(send, account, state, event, answered):
    later = timezone.now() + timedelta(minutes=5)
    waiting = ExternalIssueFactory(account=account, state=state, not_before=later)
    fields = {"labels": [*("team-a" for _ in range(300)), waiting.key]}
    send({"webhookEvent": event, "issue": {"id": "1", "fields": fields}})
    waiting.refresh_from_db()
    assert (waiting.not_before < later) is answered
    assert waiting.state == state


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "sha256=00"},
        {"to": UUID(int=0)},
        {"body": b"x" * (MAX_BYTES + 1)},
        {"content_type": "text/plain"},
    ],
    ids=["forged", "no account", "too large", "no JSON"],
)
def test_it_slows_down_who_fails_before_it_looks_at_anything(
    send, client, wrong, django_assert_num_queries
):
    for _ in range(60):
        assert send().status_code == 202  # what succeeds counts for nothing
    for _ in range(60):
        assert send(**wrong).status_code in (401, 404, 413, 415)
    with django_assert_num_queries(0):
        refused = send()
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) <= 60
    client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert send().status_code == 202  # Jira is somewhere else


def test_it_asks_for_no_session_and_no_token(send, client, admin):
    client.handler.enforce_csrf_checks = True
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    assert send().status_code == 202
    assert client.get("/api/v1/jira/webhooks/" + str(uuid4())).status_code == 405


def test_it_costs_a_constant_number_of_statements(send, issue, django_assert_num_queries):
    with django_assert_num_queries(10):
        send()
