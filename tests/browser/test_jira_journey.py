"""One rule's life on the sandbox Jira: limit, notice, broken, waiting, delivered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from automation.kinds.ticket_creation.action import Target
from automation.models import Rule
from automation.pipeline import evaluate_all
from automation.rules.data import action_of
from findings.services import record
from tests.browser.conftest import assert_accessible
from tests.factories import SourceFactory, reported
from tests.jira_places import account_at
from ticketing.delivery import deliver_due
from ticketing.models import Case
from ticketing.trackers.jira.sandbox import SandboxJira

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/findings-automation"


@pytest.fixture
def jira(live_server, sandbox_jira, settings) -> SandboxJira:
    settings.ALLOW_PRIVATE_NETWORKS = True
    account_at(sandbox_jira)
    return sandbox_jira


def test_it_leads_through_the_life_of_a_rule(page_as, editor, jira):
    page = page_as(editor)
    create_rule(page, limit=3)
    assert action_of(Rule.objects.get()).target == Target.JIRA

    report_secrets("first", 2)
    page.goto(LIST)
    expect(page.locator(".limit")).to_contain_text("2 / 3 today")
    expect(page.locator("#rule-list-ticket_creation .rl-last")).to_contain_text("SEC-")

    jira.require_field("SEC", "customfield_10020")  # Team
    report_secrets("second", 1)
    assert len(jira.issues("SEC")) == 2
    fix_the_configuration(page)

    page.get_by_role("button", name="Deliver 2 waiting").click()
    deliver_due()
    there = jira.issues("SEC")
    assert len(there) == 4  # the third ticket and the notice that it was the last of the day
    assert Case.objects.filter(origin=Case.Origin.LIMIT_NOTICE).count() == 1

    report_secrets("third", 2)
    assert len(jira.issues("SEC")) == 4
    page.goto(LIST)
    expect(page.get_by_text("Limit reached").first).to_be_visible()
    page.get_by_role("link", name="2 findings over limit").click()
    expect(page.get_by_role("link", name="Leaked key", exact=True)).to_have_count(2)
    assert_accessible(page)


def create_rule(page: Page, *, limit: int) -> None:
    page.goto(f"{LIST}/create_ticket/new")
    page.get_by_role("textbox", name="Rule name").fill("Leaked keys")
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secr")
    types.press("ArrowDown")
    types.press("Enter")
    types.press("Escape")
    page.get_by_role("radio", name="Jira").check()
    space = page.get_by_role("combobox", name="Space")
    space.press_sequentially("Secur")
    page.get_by_role("option", name="Security Engineering").click()
    page.get_by_label("Ticket Type").select_option("Task")
    page.wait_for_load_state("networkidle")
    page.get_by_label("Rate limit").fill(str(limit))
    page.wait_for_load_state("networkidle")
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rule Leaked keys saved")).to_be_visible()


def report_secrets(prefix: str, number: int) -> None:
    """What a scanner and the workers do meanwhile."""
    new = reported(number, prefix=prefix, finding_type="secret", title="Leaked key")
    record(new, source=SourceFactory())
    evaluate_all()
    deliver_due()


def fix_the_configuration(page: Page) -> None:
    page.goto(LIST)
    reason = page.locator(".reason")
    expect(reason).to_contain_text("Team is now required in SEC")
    expect(reason).to_contain_text("2 tickets waiting")
    page.get_by_role("link", name="Fix configuration").click()
    team = page.get_by_role("combobox", name="Team")
    expect(team).to_be_focused()
    team.select_option("Red")
    page.wait_for_load_state("networkidle")  # the preview is dim until it is there
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rule Leaked keys saved")).to_be_visible()
