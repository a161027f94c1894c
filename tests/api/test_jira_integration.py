"""/api/v2/integration/jira: accounts and issue templates."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    JiraAccountFactory,
    JiraIssueTemplateFactory,
)
from ticketing.models import JiraAccount, JiraIssueTemplate

URL = "/api/v2/integration/jira"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
JSON_API = "application/vnd.api+json"
TYPE = "jira-issue-template"
TOO_LONG = "x" * 256

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(api, admin):
    """`ask("get", "/accounts")` asks as the key “terraform” that Ada Admin made."""
    raw = create_api_key("terraform", scopes=[Permission.INTEGRATIONS], actor=admin)[1]
    headers = {"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw}

    def send(method, path, body=None):
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(api, method)(f"{URL}{path}", headers=headers, **sent)

    return send


@pytest.fixture
def account():
    return JiraAccountFactory(name="acme", site_url="https://acme.example")


def new(account_id, **attributes) -> dict:
    said = {
        "name": "Vulnerability",
        "project_id": "10000",
        "issue_type_id": "10001",
        "jira-account": {"id": str(account_id)},
        "fields": {"labels": ["security"], "customfield_10010": {"id": "7"}},
    } | attributes
    kept = {name: value for name, value in said.items() if value is not ...}
    return {"data": {"type": TYPE, "attributes": kept}}


def changed(**attributes) -> dict:
    return {"data": {"type": TYPE, "attributes": attributes}}


def data(answer, status: int = 200):
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON_API), answer.content
    return answer.json()["data"]


def only_error(answer, status: int = 400) -> dict:
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON_API)
    [error] = answer.json()["errors"]
    return error


def history() -> list[tuple[str, str, str, str | None]]:
    rows = JiraIssueTemplate.history.order_by("history_id")
    return [(r.history_type, r.name, str(r.history_user), r.history_change_reason) for r in rows]


# --- Accounts -------------------------------------------------------------------------------


def test_it_lists_the_connected_accounts(ask, account):
    JiraAccountFactory(connected_at=None)
    JiraAccountFactory(deleted_at=NOON)
    assert data(ask("get", "/accounts")) == [
        {
            "id": str(account.pk),
            "type": "jira-account",
            "attributes": {"consumer_key": "acme", "instance_url": "https://acme.example"},
        }
    ]


def test_it_tells_when_a_webhook_last_came(ask, account):
    JiraAccount.objects.update(webhook_event_at=NOON)
    [shown] = data(ask("get", "/accounts"))
    assert shown["attributes"]["last_webhook_timestamp"] == "2026-11-23T12:00:00+00:00"


def test_it_shows_no_secret_of_an_account(ask):
    JiraAccountFactory(token="s3cret-token", webhook_secret="s3cret-hook")
    JiraIssueTemplateFactory(account=JiraAccount.objects.get())
    for path in ("/accounts", "/issue-templates"):
        assert b"s3cret" not in ask("get", path).content


def test_it_deletes_an_account(ask, account, admin):
    answer = ask("delete", f"/accounts/{account.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer
    account.refresh_from_db()
    assert account.deleted_at is not None
    assert account.token == ""
    row = account.history.first()
    assert (row.history_user, row.history_change_reason) == (admin, "API key terraform: Deleted")


def test_it_deletes_no_account_that_projects_use(ask, account):
    DestinationFactory(account=account)
    error = only_error(ask("delete", f"/accounts/{account.pk}"))
    assert "1 case project still creates tickets with this account" in error["detail"]
    account.refresh_from_db()
    assert account.deleted_at is None


def test_it_deletes_no_account_that_tickets_wait_for(ask, account):
    ExternalIssueFactory(account=account)
    assert "still wait" in only_error(ask("delete", f"/accounts/{account.pk}"))["detail"]


@pytest.mark.parametrize("fields", [{"deleted_at": NOON}, {"connected_at": None}, None])
def test_it_deletes_no_account_that_it_does_not_show(ask, fields):
    account_id = uuid4() if fields is None else JiraAccountFactory(**fields).pk
    assert only_error(ask("delete", f"/accounts/{account_id}"), 404)["title"] == "Not Found"


def test_it_deletes_an_account_with_its_templates(ask, account, admin):
    JiraIssueTemplateFactory(account=account, name="Mine")
    kept = JiraIssueTemplateFactory()
    ask("delete", f"/accounts/{account.pk}")
    assert JiraIssueTemplate.objects.get() == kept
    said = "API key terraform: With its account"
    assert history()[-1] == ("-", "Mine", "Ada Admin", said)


# --- Issue templates ------------------------------------------------------------------------


def test_it_creates_a_template(ask, account):
    answer = ask("post", "/issue-templates", new(account.pk))
    made = JiraIssueTemplate.objects.get()
    shown = {
        "id": str(account.pk),
        "type": "jira-account",
        "attributes": {"consumer_key": "acme", "instance_url": "https://acme.example"},
    }
    assert data(answer, 201) == {
        "id": str(made.pk),
        "type": TYPE,
        "attributes": {
            "name": "Vulnerability",
            "project_id": "10000",
            "issue_type_id": "10001",
            "fields": {"labels": ["security"], "customfield_10010": {"id": "7"}},
        },
        "relationships": {"jira-account": {"data": shown}},
    }
    assert answer.json()["included"] == [shown]
    assert data(ask("get", f"/issue-templates/{made.pk}")) == data(answer, 201)
    assert history() == [("+", "Vulnerability", "Ada Admin", "API key terraform")]


def test_it_creates_one_template_for_a_request_sent_twice(api, make_key, account):
    headers = {"DD-API-KEY": make_key(Permission.INTEGRATIONS), "Idempotency-Key": "one"}
    first, second = (
        api.post(
            f"{URL}/issue-templates",
            new(account.pk),
            content_type="application/json",
            headers=headers,
        )
        for _ in range(2)
    )
    assert data(first, 201) == data(second, 201)
    assert JiraIssueTemplate.objects.count() == 1


@pytest.mark.parametrize("fields", [..., None, {}])
def test_it_creates_a_template_without_fields(ask, account, fields):
    shown = data(ask("post", "/issue-templates", new(account.pk, fields=fields)), 201)
    assert shown["attributes"]["fields"] == {}


def test_it_lists_templates_oldest_first_with_their_accounts_once(ask, account):
    first, second = JiraIssueTemplateFactory.create_batch(2, account=account)
    third = JiraIssueTemplateFactory()
    answer = ask("get", "/issue-templates")
    assert [each["id"] for each in data(answer)] == [str(t.pk) for t in (first, second, third)]
    included = [each["id"] for each in answer.json()["included"]]
    assert included == [str(account.pk), str(third.account_id)]


def test_it_lists_in_one_statement_however_many_there_are(ask):
    ask("get", "/issue-templates")  # notes once a minute that the key is in use
    counts = []
    for size in (1, 20):
        JiraIssueTemplateFactory.create_batch(size)
        with CaptureQueriesContext(connection) as captured:
            ask("get", "/issue-templates")
        counts.append(len(captured))
    assert counts == [3, 3]  # key, throttle, templates


def test_it_changes_what_is_said_and_keeps_the_rest(ask):
    template = JiraIssueTemplateFactory(name="Old", fields={"labels": ["a"]})
    path = f"/issue-templates/{template.pk}"
    renamed = data(ask("patch", path, changed(name="New")))["attributes"]
    assert (renamed["name"], renamed["fields"]) == ("New", {"labels": ["a"]})
    emptied = data(ask("patch", path, changed(fields={})))["attributes"]
    assert (emptied["name"], emptied["fields"]) == ("New", {})
    assert [row[0] for row in history()] == ["+", "~", "~"]


def test_it_notes_no_change_where_nothing_changed(ask):
    template = JiraIssueTemplateFactory(name="Same")
    for said in ({}, {"name": "Same"}, {"fields": None, "project_id": "10000"}):
        data(ask("patch", f"/issue-templates/{template.pk}", changed(**said)))
    assert len(history()) == 1


@pytest.mark.parametrize("field", ["project_id", "issue_type_id"])
def test_it_keeps_the_place_of_a_template(ask, field):
    template = JiraIssueTemplateFactory()
    body = changed(name="New", **{field: "20000"})
    error = only_error(ask("patch", f"/issue-templates/{template.pk}", body))
    assert error["source"] == {"pointer": f"/data/attributes/{field}"}
    template.refresh_from_db()
    assert template.name != "New"


def test_it_deletes_a_template_once(ask):
    path = f"/issue-templates/{JiraIssueTemplateFactory().pk}"
    answer = ask("delete", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert only_error(ask("delete", path), 404)["detail"] == "issue template not found"
    assert [row[0] for row in history()] == ["+", "-"]


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_it_knows_no_such_template(ask, method):
    body = changed() if method == "patch" else None
    assert only_error(ask(method, f"/issue-templates/{uuid4()}", body), 404)


@pytest.mark.parametrize("fields", [{"deleted_at": NOON}, {"connected_at": None}, None])
def test_it_creates_no_template_for_an_account_that_it_does_not_show(ask, fields):
    account_id = uuid4() if fields is None else JiraAccountFactory(**fields).pk
    error = only_error(ask("post", "/issue-templates", new(account_id)))
    assert error["source"] == {"pointer": "/data/attributes/jira-account/id"}
    assert not JiraIssueTemplate.objects.exists()


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"name": ...}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": TOO_LONG}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"project_id": ...}, "/project_id"),
        ({"project_id": 10000}, "/project_id"),
        ({"project_id": "1" * 65}, "/project_id"),
        ({"issue_type_id": ""}, "/issue_type_id"),
        ({"jira-account": ...}, "/jira-account"),
        ({"jira-account": {}}, "/jira-account/id"),
        ({"jira-account": {"id": "acme"}}, "/jira-account/id"),
        ({"fields": []}, "/fields"),
        ({"fields": {"a": "\0"}}, "/fields/a"),
    ],
)
def test_it_points_at_what_is_wrong(ask, account, attributes, pointer):
    error = only_error(ask("post", "/issue-templates", new(account.pk, **attributes)))
    assert error["source"] == {"pointer": f"/data/attributes{pointer}"}
    assert not JiraIssueTemplate.objects.exists()


def test_it_takes_no_other_type(ask, account):
    body = new(account.pk)
    body["data"]["type"] = "jira-account"
    assert only_error(ask("post", "/issue-templates", body))["source"] == {"pointer": "/data/type"}
    template = JiraIssueTemplateFactory()
    answer = ask("patch", f"/issue-templates/{template.pk}", body)
    assert only_error(answer)["source"] == {"pointer": "/data/type"}


def test_it_keeps_templates_whole():
    for field in ("name", "space_id", "type_id"):
        with pytest.raises(IntegrityError), transaction.atomic():
            JiraIssueTemplateFactory(**{field: ""})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/accounts"),
        ("delete", "/accounts/{account}"),
        ("get", "/issue-templates"),
        ("post", "/issue-templates"),
        ("get", "/issue-templates/{template}"),
        ("patch", "/issue-templates/{template}"),
        ("delete", "/issue-templates/{template}"),
    ],
)
def test_it_asks_for_a_key_that_may_manage_integrations(api, make_key, method, path):
    template = JiraIssueTemplateFactory()
    address = URL + path.format(account=template.account_id, template=template.pk)
    assert getattr(api, method)(address).status_code == 401
    others = set(Permission) - {Permission.INTEGRATIONS}
    answer = getattr(api, method)(address, headers={"DD-API-KEY": make_key(*others)})
    assert (answer.status_code, answer.json()["errors"][0]) == (403, "Forbidden")
    assert JiraIssueTemplate.objects.filter(account__deleted_at=None).count() == 1
