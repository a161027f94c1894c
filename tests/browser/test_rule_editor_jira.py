"""The Jira half of the rule editor in a real browser, with a Jira that answers."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from automation.models import Rule, TestRun
from automation.rule_tests import execution
from automation.rules.data import action_of
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll, settle
from tests.desk import REQUIRED, TYPED
from tests.factories import FindingFactory, JiraAccountFactory
from ticketing.models import JiraAccount
from ticketing.trackers.jira.sandbox.defaults import OF_AN_APP

NEW = "/settings/findings-automation/create_ticket/new?types=secret&name=Prod+secrets"
TEAM = "customfield_10020"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(live_server, sandbox_jira, settings) -> JiraAccount:
    cache.clear()
    settings.ALLOW_PRIVATE_NETWORKS = True
    sandbox_jira.require_field("SEC", TEAM)
    FindingFactory(finding_type="secret", title="Key in code", tags=["env:prod"])
    return JiraAccountFactory(
        name="acme",
        site_url=sandbox_jira.url,
        api_url=sandbox_jira.url,
        email=sandbox_jira.access.email,
        token=sandbox_jira.access.token,
        user_id=sandbox_jira.credentials.user_id,
        rate=50,
    )


def choose_task(page: Page, *, typed: str, space: str) -> None:
    """Tasks of a space that is found by what is typed, by keyboard alone."""
    page.goto(NEW)
    expect(page.locator("#destination[aria-busy]")).to_have_count(0)
    settle(page)
    field = page.get_by_role("combobox", name="Space")
    field.press_sequentially(typed)
    expect(page.get_by_role("option", name=space)).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.get_by_text("Webhook not verified")).to_be_visible()
    page.get_by_label("Ticket Type").select_option("Task")


def choose_place(page: Page) -> None:
    choose_task(page, typed="secur", space="SEC Security Engineering")
    expect(page.get_by_text("Required", exact=True)).to_be_visible()


def choose_desk(page: Page) -> None:
    choose_task(page, typed="desk", space="DESK Service Desk")
    expect(page.get_by_role("textbox", name="Risk")).to_be_visible()


def add_field(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add Optional Field").press("Enter")
    page.get_by_role("menuitem", name=name).press("Enter")
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 420), ("dark", 420)]
)
def test_it_shows_a_place_in_jira_to_everyone(page_as, editor, account, theme, width):
    page = page_as(editor, theme=theme, width=width)
    choose_place(page)
    add_field(page, "Labels")
    page.get_by_text("Data Sync Settings").press("Enter")
    page.get_by_text("Summary and description").press("Enter")

    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_leads_to_a_required_field(page_as, editor, account):
    page = page_as(editor)
    choose_place(page)
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("Fix 1 field to save this rule.")).to_be_visible()
    expect(page.get_by_text("Team is required for Task in SEC. Select a value.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("alert").first.get_by_role("link", name="Team").click()
    expect(page.locator(f"#id_field_{TEAM}")).to_be_focused()
    assert page.locator(f"#id_field_{TEAM}").get_attribute("aria-invalid") == "true"


def test_it_creates_a_rule_by_keyboard(page_as, editor, account):
    page = page_as(editor)
    choose_place(page)
    page.get_by_role("combobox", name="Team").select_option("Red")
    add_field(page, "Labels")
    labels = page.get_by_role("combobox", name="Labels")
    labels.press_sequentially("security-auto")
    labels.press("Enter")
    expect(page.get_by_role("button", name="Remove security-auto")).to_be_visible()
    add_field(page, "Priority")
    page.get_by_label("Priority", exact=True).select_option("Same as finding severity")
    person = page.get_by_role("combobox", name="Assignee")
    person.press_sequentially("dana")
    expect(page.locator("li[role=option]").first).to_contain_text("Dana")
    person.press("ArrowDown")
    person.press("Enter")
    preview = page.get_by_role("region", name="Ticket preview")
    expect(preview).to_contain_text("SEC-•••• · Task")
    expect(preview).to_contain_text("security-auto")
    expect(preview).to_contain_text("Dana")
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()
    fields = action_of(Rule.objects.get()).fields
    assert fields["labels"] == ["security-auto"]
    assert fields["priority"] == {"name": "{{severity}}"}
    assert fields[TEAM] == {"id": "10300"}
    assert "accountId" in fields["assignee"]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_shows_raw_json_and_what_is_wrong_with_it_to_everyone(
    page_as, editor, account, theme, width
):
    page = page_as(editor, theme=theme, width=width)
    choose_desk(page)
    assert_accessible(page)
    page.get_by_role("textbox", name="Risk").fill('{"score": 7.5')
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Risk: this is not valid JSON: line 1, column 14")).to_be_visible()
    expect(page.get_by_role("textbox", name="Risk")).to_have_value('{"score": 7.5')
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_a_rule_for_uncommon_fields_passes_its_test_and_delivers(
    page_as, editor, account, sandbox_jira
):
    page = page_as(editor)
    choose_desk(page)
    team = page.get_by_role("combobox", name="Team")
    team.press_sequentially("pay")
    expect(page.get_by_role("option", name="Payments")).to_be_visible()
    team.press("ArrowDown")
    team.press("Enter")
    page.get_by_label("Security level").select_option("Security team only")
    page.get_by_label("Request type").select_option("Report a vulnerability")
    risk = page.get_by_role("textbox", name="Risk")
    risk.fill('{"score": "high"}')

    run_test(page)
    expect(page.get_by_text("Risk needs an object with a numeric score.").first).to_be_visible()
    page.get_by_role("button", name="Go to the field").press("Enter")
    expect(risk).to_be_focused()

    risk.fill(TYPED[f"field_{OF_AN_APP.id}"])
    run_test(page)
    expect(page.get_by_text("Test passed.")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()

    assert action_of(Rule.objects.get()).fields == REQUIRED
    [there] = sandbox_jira.issues("DESK")
    assert there.fields[OF_AN_APP.id] == REQUIRED[OF_AN_APP.id]


def run_test(page: Page) -> None:
    page.get_by_role("button", name="Test Rule").press("Enter")
    page.get_by_role("button", name="Run Test").click()
    expect(page.locator("#test-progress")).to_be_visible()  # the announcer keeps the last one's
    execution.carry_on(TestRun.objects.get(state="running").pk)


def test_it_says_what_a_silent_jira_means(page_as, editor, account, sandbox_jira):
    page = page_as(editor)
    sandbox_jira.faults.answer("*", 503, None, times=None)
    page.goto(NEW)

    expect(page.get_by_text("The saved destination is kept.")).to_be_visible()
    assert_accessible(page)


def test_what_the_page_fetches_is_no_change(page_as, editor, account):
    page = page_as(editor)
    page.goto(NEW)
    expect(page.locator("#destination[aria-busy]")).to_have_count(0)
    page.get_by_role("combobox", name="Space").click()
    expect(page.locator("li[role=option]").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Cancel").click()

    expect(page.get_by_role("heading", name="Create Ticket")).to_be_visible()
