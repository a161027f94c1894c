"""Jira accounts in a real browser: every page, and the set-up against the sandbox Jira."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from automation.rules import services
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    JiraAccountFactory,
    ProjectFactory,
    ticket_rule,
)
from ticketing.models import Attempt, JiraAccount, JiraSpace, Orphan, RequestHour

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/integrations"


@pytest.fixture
def accounts(live_server, settings) -> list[JiraAccount]:
    """One of each kind of trouble."""
    settings.SANDBOX_JIRA_URL = "http://127.0.0.1:9"
    now = timezone.now()
    works = JiraAccountFactory(
        name="Acme", synced_at=now - timedelta(minutes=2), webhook_event_at=now, webhook_secret="s"
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    RequestHour.objects.bulk_create(
        RequestHour(account=works, hour=hour - timedelta(hours=n), requests=5 + n * n % 17)
        for n in range(24)
    )
    for number, key in enumerate(("SEC", "PLAT", "CLOUD"), start=1):
        JiraSpace.objects.create(
            account=works, space_id=str(number), key=key, name=key, webhook_event_at=now
        )
    said = "Space OPS no longer exists."
    JiraSpace.objects.create(account=works, space_id="9", key="OPS", name="Ops", problem=said)
    project = ProjectFactory(key="OPS", name="Operations")
    DestinationFactory(project=project, account=works, space_id="9", space_key="OPS")
    rule = services.create_rule(
        ticket_rule(
            name="Host patching backlog",
            finding_types=["secret"],
            query="",
            project_id=project.pk,
            max_tickets_per_day=5,
            target="jira",
        ),
        actor=None,
    )
    services.break_rule(rule.pk, reason="Gone.")
    labs = JiraAccountFactory(name="Acme Labs", webhook_event_at=now - timedelta(days=4))
    JiraSpace.objects.create(account=labs, space_id="1", key="LAB", name="Labs")
    paused = JiraAccountFactory(
        name="Legacy",
        deployment="data_center",
        state="auth_failed",
        problem="Jira rejected the credentials (HTTP 401).",
        problem_at=now,
        token_expires_on=now.date(),
    )
    stuck = ExternalIssueFactory(account=paused, state="blocked", reason="Space gone.")
    Attempt.objects.create(
        issue=stuck, operation="create", outcome="config", status=400, reason="No.", response="{}"
    )
    Orphan.objects.create(issue=stuck, remote_id="7", remote_key="LEG-7", reason="Twice.")
    JiraAccountFactory(name="Unfinished", connected_at=None)
    return [works, labs, paused]


def assert_fine(page: Page) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_every_page_to_everyone(page_as, admin, accounts, width):
    page = page_as(admin, theme=BOTH, width=width)
    setup = f"{LIST}/jira/{accounts[0].pk}/setup?step="
    steps = [setup + step for step in ("credentials", "test", "webhook", "spaces")]
    more = ["/cases/projects", "/cases/projects/OPS/sync", f"{LIST}/deliveries"]
    for path in (LIST, f"{LIST}/jira/new", *steps, *more):
        page.goto(path)
        assert_fine(page)


def test_it_shows_emptiness_to_everyone(page_as, admin):
    page = page_as(admin, theme=BOTH, width=420)
    for path in (LIST, f"{LIST}/deliveries"):
        page.goto(path)
        assert_fine(page)


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


def fill_in(page: Page, jira) -> None:
    page.goto(LIST)
    page.get_by_role("link", name="Add Jira account").first.click()
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Site").fill(jira.url)
    page.get_by_label("Email").fill(jira.access.email)
    page.get_by_label("API token").fill(jira.access.token)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_it_sets_an_account_up_step_by_step(page_as, admin, jira, scripts):
    page = page_as(admin, scripts=scripts)
    fill_in(page, jira)
    expect(page.get_by_text("Everything works.")).to_be_visible()
    page.get_by_role("button", name="Test again").click()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("heading", name="Create it for me")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("checkbox", name="OPS").uncheck()
    page.get_by_role("checkbox", name="DESK").uncheck()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Integrations")
    account = JiraAccount.objects.get()
    assert account.connected_at
    assert [s.key for s in account.spaces.filter(is_allowed=True)] == ["PLAT", "SEC"]


def test_it_verifies_the_webhook_by_its_first_event(page_as, admin, jira, live_server, settings):
    settings.BASE_URL = live_server.url
    page = page_as(admin)
    fill_in(page, jira)
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("Webhook not verified")).to_be_visible()
    jira.create_issue("SEC", "Anything")
    jira.webhooks.wait_until_idle()
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_text("Webhook verified")).to_be_visible()
    assert_fine(page)


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_the_steps_with_results_to_everyone(page_as, admin, jira, width):
    jira.deny("ADMINISTER")
    page = page_as(admin, theme=BOTH, width=width)
    fill_in(page, jira)
    expect(page.get_by_role("link", name="Continue without webhook")).to_be_visible()
    assert_fine(page)
    page.get_by_role("link", name="Set up by hand").click()
    page.get_by_role("button", name="Make a secret").click()
    expect(page.get_by_text("Copy the secret now.")).to_be_visible()
    assert_fine(page)
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert_fine(page)


def test_it_shows_mistakes_to_everyone(page_as, admin):
    page = page_as(admin)
    page.goto(f"{LIST}/jira/new")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("Fix 3 fields to go on.")).to_be_visible()
    assert_fine(page)


def test_it_asks_for_no_email_of_a_data_center(page_as, admin):
    page = page_as(admin)
    page.goto(f"{LIST}/jira/new")
    page.get_by_label("Kind").select_option("data_center")
    expect(page.get_by_label("Email")).to_be_hidden()


def test_it_copies_the_secret(page_as, admin, jira):
    page = page_as(admin)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill_in(page, jira)
    page.get_by_role("link", name="Webhook").click()
    page.get_by_role("button", name="Make a secret").click()
    page.get_by_role("button", name="Copy the secret").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert (
        page.evaluate("navigator.clipboard.readText()") == JiraAccount.objects.get().webhook_secret
    )


def test_it_opens_the_menu_of_an_account_by_keys(page_as, admin, accounts):
    page = page_as(admin)
    page.goto(LIST)
    page.get_by_role("button", name="More for Acme", exact=True).press("Enter")
    page.get_by_role("menuitem", name="Edit").press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete Acme?")).to_be_visible()


def sync_settings(page_as, editor, jira) -> Page:
    known = {"site_url": jira.url, "email": jira.access.email, "token": jira.access.token}
    account = JiraAccountFactory(user_id="", **known)
    space = next(each for each in jira.site.projects.values() if each.key == "SEC")
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    DestinationFactory(project=project, account=account, space_id=space.id)
    page = page_as(editor, width=420)
    page.goto("/cases/projects/RISK/sync")
    return page


def test_it_saves_what_is_kept_in_step(page_as, editor, jira):
    page = sync_settings(page_as, editor, jira)
    page.locator("summary", has_text="Chosen by its meaning").click()
    page.get_by_label("Closed =").select_option("Won't Do")
    assert_fine(page)
    page.get_by_label("Sync of Title").select_option("Don't sync")
    page.get_by_role("button", name="Save").click()
    page.goto("/cases/projects/RISK/sync")
    expect(page.get_by_text("Closed = Won't Do")).to_be_visible()
    expect(page.get_by_label("Sync of Title")).to_have_value("off")


def test_it_answers_what_jira_asks_for_on_closing(page_as, editor, jira):
    page = sync_settings(page_as, editor, jira)
    page.get_by_role("group", name="Fixed").get_by_label("Resolution").fill("Patched, Done")
    page.get_by_label("Another field that Jira asks for").select_option("Impact")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("group", name="False positive").get_by_label("Impact").fill("None: {{title}}")
    assert_fine(page)
    page.get_by_role("button", name="Save").click()
    page.goto("/cases/projects/RISK/sync")
    fixed, denied = (page.get_by_role("group", name=each) for each in ("Fixed", "False positive"))
    expect(fixed.get_by_label("Resolution")).to_have_value("Patched, Done")
    expect(denied.get_by_label("Impact")).to_have_value("None: {{title}}")


def test_it_asks_before_it_cancels_a_ticket(page_as, admin, accounts):
    page = page_as(admin)
    page.goto(f"{LIST}/deliveries")
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_role("button", name="Cancel ticket").click()
    expect(page.get_by_text("is cancelled")).to_be_visible()
    expect(page.get_by_role("heading", name="Tickets that need you")).to_have_count(0)
