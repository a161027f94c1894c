"""The set-up of an account, step by step, against the sandbox Jira."""

from __future__ import annotations

import pytest

from tests.factories import DestinationFactory, JiraAccountFactory
from ticketing import accounts, connections
from ticketing.models import JiraAccount

pytestmark = pytest.mark.django_db
LIST = "/settings/integrations"
NEW = f"{LIST}/jira/new"


@pytest.fixture(autouse=True)
def _private(settings):
    settings.ALLOW_PRIVATE_NETWORKS = True


@pytest.fixture
def credentials(sandbox_jira):
    return {
        "name": "Acme",
        "deployment": "cloud",
        "site_url": sandbox_jira.url,
        "email": sandbox_jira.access.email,
        "token": sandbox_jira.access.token,
        "markup": "wiki",
    }


@pytest.fixture
def me(as_user, admin):
    return as_user(admin)


@pytest.fixture
def draft(me, credentials) -> JiraAccount:
    me.post(NEW, credentials)
    return JiraAccount.objects.get()


def step(account: JiraAccount, name: str) -> str:
    return f"{LIST}/jira/{account.pk}/setup?step={name}"


def webhook(me, account: JiraAccount, action: str):
    return me.post(f"{LIST}/jira/{account.pk}/webhook", {"action": action}, follow=True)


def test_it_keeps_a_draft_and_shows_the_five_checks(me, credentials, admin):
    response = me.post(NEW, credentials, follow=True)

    account = JiraAccount.objects.get()
    page = response.content.decode()
    assert response.redirect_chain == [(step(account, "test"), 302)]
    assert account.connected_at is None
    assert account.user_name == "Findings Bot"
    assert page.count("Passed: ") == 5
    assert "Everything works." in page
    assert [space.key for space in account.spaces.all()] == ["DESK", "OPS", "PLAT", "SEC"]


def test_it_shows_the_result_again_without_asking_jira(me, draft, sandbox_jira):
    asked = len(sandbox_jira.log.matching("* .*"))
    assert "Everything works." in me.get(step(draft, "test")).content.decode()
    assert len(sandbox_jira.log.matching("* .*")) == asked
    me.post(f"{LIST}/jira/{draft.pk}/test")
    assert len(sandbox_jira.log.matching("* .*")) > asked


def test_it_walks_to_a_connected_account(me, draft, sandbox_jira):
    page = webhook(me, draft, "register").content.decode()
    assert "Webhook created" in page
    [hook] = sandbox_jira.site.hooks.values()
    draft.refresh_from_db()
    assert (hook.url, hook.secret) == (connections.webhook_url(draft), draft.webhook_secret)

    chosen = [space.space_id for space in draft.spaces.filter(key__in=["SEC", "PLAT"])]
    address = f"{LIST}/jira/{draft.pk}/spaces"
    assert "Acme connected" in me.post(address, {"space": chosen}, follow=True).content.decode()
    draft.refresh_from_db()
    assert draft.connected_at
    assert [space.key for space in draft.spaces.filter(is_allowed=True)] == ["PLAT", "SEC"]


def test_it_goes_on_where_the_person_left(me, draft):
    assert "Step 3 of 4" in me.get(f"{LIST}/jira/{draft.pk}/setup").content.decode()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"token": ""}, "token"),
        ({"site_url": "https://u:p@acme.example"}, "site_url"),
        ({"email": "x"}, "email"),
        ({"cloud_id": "x"}, "cloud_id"),
        ({"token_expires_on": "2020-01-01"}, "token_expires_on"),
        ({"token_expires_on": "soon"}, "token_expires_on"),
        ({"deployment": "server"}, "deployment"),
    ],
)
def test_it_says_at_the_field_what_is_wrong(me, credentials, said, field):
    response = me.post(NEW, credentials | said)
    page = response.content.decode()
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in page
    assert credentials["token"] not in page
    assert not JiraAccount.objects.exists()


def test_it_shows_why_a_token_is_refused_and_pauses(me, credentials):
    page = me.post(NEW, credentials | {"token": "wrong"}, follow=True).content.decode()
    assert "The connection does not work." in page
    assert "HTTP 401" in page
    assert JiraAccount.objects.get().state == "auth_failed"


def test_it_tells_a_silent_jira_from_refused_credentials(me, credentials, sandbox_jira):
    sandbox_jira.stop()
    page = me.post(NEW, credentials, follow=True).content.decode()
    assert "The connection does not work." in page
    assert JiraAccount.objects.get().state == "connected"


def test_it_goes_on_without_the_right_to_make_webhooks(me, credentials, sandbox_jira):
    sandbox_jira.deny("ADMINISTER")
    page = me.post(NEW, credentials, follow=True).content.decode()
    assert "The account can't create webhooks." in page
    assert "Continue without webhook" in page
    response = webhook(me, JiraAccount.objects.get(), "register")
    assert response.status_code == 422
    assert "Nothing was changed." in response.content.decode()


def test_it_shows_a_new_secret_once(me, draft):
    webhook(me, draft, "register")
    response = webhook(me, draft, "show")
    draft.refresh_from_db()
    assert draft.webhook_secret in response.content.decode()
    assert connections.webhook_url(draft) in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    again = me.get(step(draft, "webhook")).content.decode()
    assert draft.webhook_secret not in again
    assert "The previous secret is still accepted" in again
    webhook(me, draft, "forget")
    draft.refresh_from_db()
    assert draft.former_webhook_secret == ""


def test_it_removes_its_webhook(me, draft, sandbox_jira):
    webhook(me, draft, "register")
    assert "Webhook removed" in webhook(me, draft, "remove").content.decode()
    assert not sandbox_jira.site.hooks


def test_it_removes_the_webhook_of_a_deleted_account(me, draft, sandbox_jira):
    webhook(me, draft, "register")
    me.post(f"{LIST}/jira/{draft.pk}/delete")
    assert not sandbox_jira.site.hooks
    assert not JiraAccount.objects.exists()


def test_it_resumes_with_new_credentials(me, draft, credentials, sandbox_jira):
    accounts.connect(draft, actor=None)
    accounts.pause(draft, "Jira rejected the credentials (HTTP 401).")
    said = credentials | {"token": sandbox_jira.access.token, "name": "Acme Labs"}
    page = me.post(step(draft, "credentials"), said, follow=True).content.decode()
    draft.refresh_from_db()
    assert "Edit Acme Labs" in page
    assert (draft.state, draft.name) == ("connected", "Acme Labs")


def test_it_keeps_the_token_that_is_not_entered_again(me, draft, credentials):
    me.post(step(draft, "credentials"), credentials | {"token": ""})
    draft.refresh_from_db()
    assert draft.token == credentials["token"]
    response = me.post(
        step(draft, "credentials"), credentials | {"token": "", "site_url": "https://evil.example"}
    )
    assert response.status_code == 422
    assert "only sent to the address it was for" in response.content.decode()


def test_it_resumes_after_a_test_that_passes(me, draft):
    accounts.connect(draft, actor=None)
    accounts.pause(draft, "Jira rejected the credentials (HTTP 401).")
    page = me.post(f"{LIST}/jira/{draft.pk}/test", {"from": "list"}, follow=True)
    draft.refresh_from_db()
    assert "Signed in as Findings Bot." in page.content.decode()
    assert (draft.state, draft.problem) == ("connected", "")


def test_it_keeps_a_space_that_is_gone_while_a_project_needs_it(me, draft, sandbox_jira):
    security = draft.spaces.get(key="SEC")
    DestinationFactory(account=draft, space_id=security.space_id)
    for key in ("SEC", "OPS", "DESK"):
        sandbox_jira.delete_project(key)
    me.post(f"{LIST}/jira/{draft.pk}/test")
    assert {space.key: bool(space.problem) for space in draft.spaces.all()} == {
        "PLAT": False,
        "SEC": True,
    }


def test_it_connects_the_sandbox_with_one_click(me, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = False
    settings.SANDBOX_JIRA_URL = sandbox_jira.url
    assert "Not a real Jira" in me.get(LIST).content.decode()
    page = me.post(f"{LIST}/jira/sandbox", follow=True).content.decode()
    account = JiraAccount.objects.get()
    assert "Sandbox Jira connected" in page
    assert (account.is_sandbox, bool(account.connected_at)) == (True, True)
    assert len(sandbox_jira.site.hooks) == 1
    assert "Connect the Sandbox Jira" not in page


def test_it_says_that_no_sandbox_runs(me, settings):
    settings.SANDBOX_JIRA_URL = "http://127.0.0.1:9"
    page = me.post(f"{LIST}/jira/sandbox", follow=True).content.decode()
    assert "Is the sandbox running?" in page
    assert not JiraAccount.objects.exists()


def test_it_offers_no_sandbox_where_there_is_none(me):
    assert "Sandbox" not in me.get(LIST).content.decode()
    assert "no sandbox Jira here" in me.post(f"{LIST}/jira/sandbox", follow=True).content.decode()


def test_it_knows_the_sandbox_by_its_credentials(sandbox_jira):
    known = (connections._SANDBOX_EMAIL, connections._SANDBOX_TOKEN)
    assert known == (sandbox_jira.access.email, sandbox_jira.access.token)


def test_it_shows_nothing_of_steps_that_do_not_exist(me):
    account = JiraAccountFactory()
    assert me.get(step(account, "nonsense")).status_code == 404


def test_it_tells_no_secret_to_logs_or_history(me, credentials, sandbox_jira, capfd, caplog):
    caplog.set_level("DEBUG")
    me.post(NEW, credentials | {"token": "a-wrong-secret-token"})
    account = JiraAccount.objects.get()
    me.post(step(account, "credentials"), credentials)
    sandbox_jira.stop()
    me.post(f"{LIST}/jira/{account.pk}/test")
    account.refresh_from_db()
    told = caplog.text + "".join(capfd.readouterr()) + str(list(account.history.values()))
    for secret in ("a-wrong-secret-token", credentials["token"], account.webhook_secret):
        assert secret not in told
    assert "An account is suspended" in told
