from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tests.factories import DestinationFactory, ExternalIssueFactory, JiraAccountFactory
from ticketing import accounts
from ticketing.accounts import AccountData
from ticketing.models import JiraAccount

pytestmark = pytest.mark.django_db
TOKEN = "ATATT3xFfGF0-a-token"
GATEWAY = "https://api.atlassian.com/ex/jira/11223344-a1b2-3c4d-5e6f-112233445566"


def data(**said: Any) -> AccountData:
    known = {"name": "Acme", "site_url": "acme.atlassian.net", "email": "svc@acme.example"}
    return AccountData(**known | said)


def create(*, token: str = TOKEN, actor=None, **said: Any) -> JiraAccount:
    return accounts.create_account(data(**said), token=token, actor=actor)


def wrong(call, *args: Any, **said: Any) -> list[str]:
    with pytest.raises(ValidationError) as error:
        call(*args, **said)
    return list(error.value.message_dict)


def test_it_creates_a_draft_with_a_secret_of_its_own(admin):
    account = create(actor=admin)
    assert (account.site_url, account.api_url) == ("https://acme.atlassian.net",) * 2
    assert account.connected_at is None
    assert len(account.webhook_secret) > 30
    assert account.created_by == account.history.get().history_user == admin


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"site_url": "http://acme.atlassian.net"}, "site_url"),
        ({"site_url": "https://u:p@acme.atlassian.net"}, "site_url"),
        ({"site_url": "https://10.0.0.1"}, "site_url"),
        ({"site_url": "jira.example/" + "x" * 255}, "site_url"),
        ({"api_url": "https://127.0.0.1"}, "api_url"),
        ({"email": "svc"}, "email"),
        ({"email": ""}, "email"),
        ({"deployment": "server"}, "deployment"),
        ({"markup": "html"}, "markup"),
        ({"token": ""}, "token"),
        ({"token": "two words"}, "token"),
        ({"token": "line\nbreak"}, "token"),
        ({"token": "tokén"}, "token"),
        ({"token": "x" * 4001}, "token"),
        ({"token_expires_on": timezone.now().date() - timedelta(days=1)}, "token_expires_on"),
    ],
)
def test_it_says_at_the_field_what_is_wrong(said, field):
    assert wrong(create, **said) == [field]
    assert not JiraAccount.objects.exists()


def test_it_names_two_accounts_differently():
    accounts.delete_account(create(), actor=None)
    create()
    assert wrong(create, name=" Acme ") == ["name"]


def test_it_lets_the_second_of_two_at_once_say_so(monkeypatch):
    create()
    monkeypatch.setattr(accounts, "checked", lambda data, **_: data)
    assert wrong(create) == ["name"]


def test_it_wants_no_email_of_a_data_center():
    account = create(deployment="data_center", site_url="https://jira.acme.example/jira")
    assert (account.email, account.api_url) == ("", "https://jira.acme.example/jira")


def test_it_allows_private_networks_where_the_machine_does(settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    assert create(site_url="http://127.0.0.1:8080").api_url == "http://127.0.0.1:8080"


def test_it_keeps_the_token_when_other_things_change(admin):
    account = create()
    accounts.edit_account(account, data(name="Acme Labs"), actor=admin)
    account.refresh_from_db()
    assert (account.name, account.token) == ("Acme Labs", TOKEN)
    assert account.history.first().history_user == admin


@pytest.mark.parametrize("said", [{"site_url": "evil.atlassian.net"}, {"api_url": GATEWAY}])
def test_it_sends_a_stored_token_to_no_other_address(said):
    account = create()
    secret = account.webhook_secret
    assert wrong(accounts.edit_account, account, data(**said), actor=None) == ["token"]
    accounts.edit_account(account, data(**said), token="another", actor=None)
    account.refresh_from_db()
    assert account.token == "another"
    assert account.webhook_secret != secret


def test_it_asks_for_a_token_whose_key_is_lost(settings):
    account = create()
    settings.ENCRYPTION_KEYS = ["another-key-of-more-than-32-characters"]
    assert wrong(accounts.edit_account, account, data(), actor=None) == ["token"]


def test_it_keeps_no_secret_in_its_history():
    account = create()
    accounts.edit_account(account, data(), token="another-token", actor=None)
    accounts.rotate_webhook_secret(account, actor=None)
    told = str(list(account.history.values()))
    account.refresh_from_db()
    for secret in (TOKEN, "another-token", account.webhook_secret):
        assert secret not in told
    assert "Token replaced" in told


def test_it_pauses_once_and_says_since_when(frozen):
    account = create()
    accounts.pause(account, "Jira rejected the credentials (HTTP 401).")
    frozen.shift(60)
    accounts.pause(account, "Jira rejected the credentials (HTTP 401).")
    account.refresh_from_db()
    assert account.state == "auth_failed"
    assert account.problem_at == timezone.now() - timedelta(seconds=60)
    assert account.history.count() == 2


def test_it_does_not_pause_for_a_token_that_was_replaced_meanwhile():
    account = create()
    as_it_was = JiraAccount.objects.get()
    accounts.edit_account(account, data(), token="another-token", actor=None)
    accounts.pause(as_it_was, "Jira rejected the credentials (HTTP 401).")
    account.refresh_from_db()
    assert account.state == "connected"


def test_it_names_a_token_that_expired_as_the_likely_cause(frozen):
    account = create(token_expires_on=timezone.now().date())
    frozen.shift(timedelta(days=1))
    accounts.pause(account, "Jira rejected the credentials (HTTP 401).")
    assert account.problem.endswith(" The token expired on 23 Nov 2026.")


@pytest.fixture
def rings(monkeypatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(accounts, "enqueue", rung.append)
    return rung


def test_it_delivers_what_waits_once_it_works_again(rings):
    account = create()
    accounts.pause(account, "No.")
    assert rings == []
    accounts.resume(account)
    accounts.resume(account)
    assert (account.state, account.problem, account.problem_at) == ("connected", "", None)
    assert rings == ["ticketing.tasks.deliver", "ticketing.tasks.sync"]


def test_it_works_again_with_a_new_token(rings):
    account = create()
    accounts.pause(account, "No.")
    accounts.edit_account(account, data(), token="another-token", actor=None)
    account.refresh_from_db()
    assert (account.state, account.problem) == ("connected", "")
    assert rings == ["ticketing.tasks.deliver", "ticketing.tasks.sync"]


def test_it_accepts_no_former_secret_that_nobody_has():
    account = create()
    accounts.rotate_webhook_secret(account, actor=None)
    account.refresh_from_db()
    assert account.former_webhook_secret == ""


def test_it_accepts_the_former_secret_until_it_is_forgotten():
    account = accounts.connect(create(), actor=None)
    former = account.webhook_secret
    fresh = accounts.rotate_webhook_secret(account, actor=None)
    account.refresh_from_db()
    assert (account.webhook_secret, account.former_webhook_secret) == (fresh, former)
    accounts.forget_former_secret(account, actor=None)
    account.refresh_from_db()
    assert (account.webhook_secret, account.former_webhook_secret) == (fresh, "")


def test_it_does_not_drop_a_secret_that_jira_still_signs_with():
    account = JiraAccountFactory(webhook_secret="a", webhook_event_at=timezone.now())
    accounts.rotate_webhook_secret(account, actor=None)
    with pytest.raises(ValidationError, match="still accepted"):
        accounts.rotate_webhook_secret(account, actor=None)
    account.refresh_from_db()
    assert account.former_webhook_secret == "a"


def test_it_empties_the_secrets_of_a_deleted_account(admin):
    account = JiraAccountFactory(webhook_secret="a", former_webhook_secret="b", webhook_id="3")
    issue = ExternalIssueFactory(account=account, state="created", issue_id="1", issue_key="SEC-1")
    accounts.delete_account(account, actor=admin)
    account.refresh_from_db()
    assert account.deleted_at
    assert not any((account.token, account.webhook_secret, account.former_webhook_secret))
    assert account.history.first().history_user == admin
    issue.refresh_from_db()
    assert issue.url == f"{account.site_url}/browse/SEC-1"


def test_it_deletes_a_draft_altogether():
    accounts.delete_account(create(), actor=None)
    assert not JiraAccount.objects.exists()


def test_it_refuses_to_delete_what_is_in_use():
    destination = DestinationFactory()
    with pytest.raises(ValidationError, match="1 case project still creates"):
        accounts.delete_account(destination.account, actor=None)
    destination.delete()
    ExternalIssueFactory(account=destination.account)
    with pytest.raises(ValidationError, match="1 ticket still waits"):
        accounts.delete_account(destination.account, actor=None)


def test_it_does_nothing_with_a_deleted_account():
    account = create()
    accounts.connect(account, actor=None)
    accounts.delete_account(account, actor=None)
    with pytest.raises(JiraAccount.DoesNotExist):
        accounts.edit_account(account, data(), token=TOKEN, actor=None)
    accounts.pause(account, "No.")
    account.refresh_from_db()
    assert account.state == "connected"
