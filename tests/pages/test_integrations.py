"""The list of Jira accounts, and what is done with one from there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.rules import services
from tests.factories import DestinationFactory, ExternalIssueFactory, JiraAccountFactory
from tests.jira_places import destination_at
from ticketing import accounts
from ticketing.models import JiraAccount, JiraSpace, RequestHour

pytestmark = pytest.mark.django_db
LIST = "/settings/integrations"


@pytest.fixture
def account():
    return JiraAccountFactory(name="Acme", webhook_event_at=timezone.now())


@pytest.fixture
def shown(as_user, admin):
    def show(address: str = LIST) -> str:
        return as_user(admin).get(address).content.decode()

    return show


def test_it_invites_to_the_first_account(shown):
    assert "No Jira account yet" in shown()


def test_it_shows_an_account_that_works(shown, account):
    JiraSpace.objects.create(account=account, space_id="1", key="SEC", name="Security")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    RequestHour.objects.create(account=account, hour=hour, requests=41, throttled=2)

    page = shown()

    assert "Connected</span>" in page
    assert "signed in as svc-findings@acme.example" in page
    assert "Healthy · last event" in page
    assert "41 requests in 24 hours, 2 of them told to wait" in page
    assert "SEC<span" in page
    assert "used by no rules" in page


def test_it_says_that_no_event_came(shown):
    JiraAccountFactory()
    assert "Webhook missing</span>" in shown()


def test_it_says_since_when_the_webhook_is_quiet(shown, frozen):
    JiraAccountFactory(webhook_event_at=timezone.now() - timedelta(days=4))
    page = shown()
    assert "No event received since" in page
    assert "19 Nov 2026, 12:00 UTC" in page


def test_it_shows_a_paused_account_with_what_waits(shown):
    account = JiraAccountFactory(state="auth_failed", problem="Jira rejected it (HTTP 401).")
    ExternalIssueFactory(account=account)
    page = shown()
    assert "Authentication failed</span>" in page
    assert "1 ticket is waiting." in page
    assert "Update credentials" in page


def test_it_names_the_rules_that_a_lost_space_broke(shown, account, make_rule):
    destination = DestinationFactory(account=account, space_id="7", space_key="OPS")
    said = "Space OPS no longer exists."
    JiraSpace.objects.create(account=account, space_id="7", key="OPS", name="", problem=said)
    rule = make_rule("Host patching", project_id=destination.project_id, target="jira")
    services.break_rule(rule.pk, reason="Gone.")
    page = shown()
    assert "used by 1 rule" in page
    assert f'It disabled <a class="link" href="/settings/findings-automation/{rule.pk}/edit' in page


def test_it_says_that_a_space_refuses_tickets_while_they_wait_for_it(shown, account):
    now = timezone.now()
    JiraSpace.objects.create(
        account=account, space_id="7", key="OPS", name="", webhook_event_at=now
    )
    assert "Webhook verified</span>" in shown()
    said = {"fault": "CONFIG", "field": "project", "reason": "Jira space OPS is archived."}
    issue = ExternalIssueFactory(account=account, space_id="7", state="blocked", **said)
    assert shown().count("Jira space OPS is archived.") == 3  # its mark, for the eye too; a line
    assert "Webhook verified</span>" not in shown()
    type(issue).objects.update(state="cancelled")
    assert "Webhook verified</span>" in shown()


@pytest.mark.parametrize(
    ("days", "said"),
    [(-1, "expired on 22 Nov 2026"), (0, "expires today"), (14, "expires in 14 days"), (15, "")],
)
def test_it_warns_everywhere_before_a_token_expires(shown, viewer, as_user, frozen, days, said):
    JiraAccountFactory(token_expires_on=timezone.now().date() + timedelta(days=days))
    for address in (LIST, "/cases"):
        assert shown(address).count("The token of") == bool(said)
        assert said in shown(address)
    assert "The token of" not in as_user(viewer).get("/cases").content.decode()


@pytest.mark.parametrize(("state", "label"), [("auth_failed", "Auth"), ("broken", "Not reach")])
def test_every_page_says_that_an_account_is_suspended(
    shown, viewer, as_user, client, frozen, state, label
):
    now = timezone.now()
    at = {"problem_at": now - timedelta(hours=2), "probe_at": now + timedelta(minutes=15)}
    JiraAccountFactory(name="Acme", state=state, problem="It redirects.", **at)
    told = "Acme has been suspended since 23 Nov 2026, 10:00 UTC: its tickets wait."
    for address in ("/cases", "/findings", "/settings/findings-automation"):
        assert f"{told} It redirects. Next check at 12:15 UTC." in shown(address)
    page = as_user(viewer).get("/cases").content.decode()
    assert told in page
    assert "It redirects" not in page
    assert label in shown()
    assert "Next check" in shown()
    client.logout()
    assert "suspended" not in client.get("/login/", follow=True).content.decode()


def test_a_short_suspicion_worries_nobody(shown, frozen):
    account = JiraAccountFactory(state="suspected", problem="Odd.", problem_at=timezone.now())
    assert "suspended" not in shown("/cases")
    assert "Being checked" in shown()
    frozen.shift(31)
    assert f"{account.name} has been suspended" in shown("/cases")


def test_a_person_can_have_it_tried_now(as_user, admin, shown, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    account = destination_at(sandbox_jira).account
    accounts.pause(account, "It redirects.", state="broken")
    sandbox_jira.faults.answer("GET /myself$", 302, headers={"Location": "/soon"})
    address = f"{LIST}/jira/{account.pk}/probe"
    assert f'action="{address}"' in shown()
    as_user(admin).post(address)
    account.refresh_from_db()
    assert (account.state, account.probes) == ("broken", 2)
    as_user(admin).post(address)
    account.refresh_from_db()
    assert (account.state, account.probe_at) == ("connected", None)
    assert account.history.first().history_user == admin


def test_it_shows_no_token(shown, account):
    JiraAccount.objects.update(token="ATATT3xFfGF0-very-secret", webhook_secret="hush-hush-hush")
    setup = f"{LIST}/jira/{account.pk}/setup?step="
    for address in (LIST, *(setup + step for step in ("credentials", "test", "webhook", "spaces"))):
        page = shown(address)
        assert "very-secret" not in page.replace("••••••••cret", "")
        assert "hush" not in page


def test_it_escapes_what_jira_says(shown, account):
    JiraSpace.objects.create(
        account=account, space_id="1", key="<b>", name="<script>", problem="<script>x"
    )
    assert "<script>x" not in shown()
    assert "<script></span>" not in shown(f"{LIST}/jira/{account.pk}/setup?step=spaces")


def test_it_shows_drafts_last_and_leads_on(shown, account):
    draft = JiraAccountFactory(name="A draft", connected_at=None)
    page = shown()
    assert page.index("Acme ·") < page.index("A draft ·")
    assert f'/jira/{draft.pk}/setup">Continue' in page


def test_it_takes_as_many_statements_for_many_accounts(
    as_user, admin, make_rule, django_assert_num_queries
):
    def add(number: int) -> None:
        for _ in range(number):
            account = JiraAccountFactory(state="auth_failed", problem="No.")
            JiraSpace.objects.create(account=account, space_id="1", key="SEC", name="Security")
            hour = timezone.now().replace(minute=0, second=0, microsecond=0)
            RequestHour.objects.create(account=account, hour=hour, requests=1)
            DestinationFactory(account=account)

    client = as_user(admin)
    for number in (1, 6):
        add(number)
        with django_assert_num_queries(12):
            client.get(LIST)


@pytest.mark.parametrize("address", ["", "/deliveries", "/jira/new"])
def test_it_is_for_admins(as_user, editor, address):
    response = as_user(editor).get(LIST + address)
    assert response.status_code == 403
    assert "Admin role" in response.content.decode()
    assert LIST not in as_user(editor).get("/cases").content.decode()


@pytest.mark.parametrize("page", ["setup", "test", "webhook", "spaces", "delete"])
def test_it_lets_nobody_else_touch_an_account(as_user, editor, account, page):
    address = f"{LIST}/jira/{account.pk}/{page}"
    assert as_user(editor).post(address).status_code == 403
    assert as_user(editor).get(address).status_code == 403


@pytest.mark.parametrize("page", ["setup", "delete", "test", "webhook", "spaces"])
def test_it_does_not_find_an_account_that_is_none(as_user, admin, account, page):
    for pk in ("8d6f3a52-3c9e-4a51-9a49-3c0f5a1b2c3d", account.pk):
        JiraAccount.objects.update(deleted_at=timezone.now())
        assert as_user(admin).post(f"{LIST}/jira/{pk}/{page}").status_code == 404
    assert as_user(admin).get(f"{LIST}/jira/x/setup").status_code == 404


@pytest.mark.parametrize("page", ["test", "webhook", "spaces"])
def test_it_changes_nothing_by_a_link(as_user, admin, account, page):
    assert as_user(admin).get(f"{LIST}/jira/{account.pk}/{page}").status_code == 405
    assert as_user(admin).post(LIST).status_code == 405
    assert as_user(admin).get(f"{LIST}/jira/sandbox").status_code == 405


def test_it_deletes_an_account_after_asking(as_user, admin, account):
    address = f"{LIST}/jira/{account.pk}/delete"
    assert "Delete Acme?" in as_user(admin).get(address).content.decode()
    page = as_user(admin).post(address, follow=True).content.decode()
    assert "Acme deleted" in page
    account.refresh_from_db()
    assert (account.token, account.history.first().history_user) == ("", admin)


def test_it_says_why_an_account_is_not_deleted(as_user, admin, account):
    DestinationFactory(account=account)
    address = f"{LIST}/jira/{account.pk}/delete"
    page = as_user(admin).post(address, follow=True).content.decode()
    assert "1 case project still creates tickets with this account." in page
    account.refresh_from_db()
    assert account.deleted_at is None
