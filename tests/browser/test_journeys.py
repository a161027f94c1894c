"""From a rule to its tickets and back to its findings, as people go."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from automation.pipeline import evaluate_all
from findings.facts import Ticket
from findings.models import Finding
from findings.services import record
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, reported
from ticketing.models import Case

pytestmark = pytest.mark.django_db(transaction=True)
EDITOR = "/settings/findings-automation/create_ticket/new"


@pytest.fixture
def project(live_server):
    return ProjectFactory(key="RISK", name="Cloud Risk")


def create_rule(page: Page, *, limit: int) -> None:
    page.goto(EDITOR)
    page.get_by_role("textbox", name="Rule name").fill("Exposed secrets")
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secr")
    types.press("ArrowDown")
    types.press("Enter")
    types.press("Escape")
    page.get_by_label("Case Management Project").select_option(label="RISK Cloud Risk")
    page.get_by_label("Rate limit").fill(str(limit))
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rule Exposed secrets saved")).to_be_visible()


def report_secrets(number: int) -> None:
    record(reported(number, finding_type="secret", title="AWS key"), source=SourceFactory())
    evaluate_all()


@pytest.mark.parametrize("width", [1440, 420])
def test_it_leads_from_a_rule_to_all_its_findings(page_as, editor, project, width):
    page = page_as(editor, theme=BOTH, width=width)
    FindingFactory(title="Of another kind")
    create_rule(page, limit=5)
    report_secrets(2)

    page.goto("/findings")
    chip = page.get_by_role("link", name="RISK-1")
    expect(chip.locator(".bolt")).to_be_visible()
    chip.focus()
    page.keyboard.press("ArrowDown")
    pop = page.get_by_role("dialog", name="RISK-1")
    expect(pop).to_contain_text("Created automatically by rule")
    assert_accessible(page)
    pop.get_by_role("link", name="View all findings with tickets from this rule").click()
    expect(page.locator(".results-count")).to_have_text("2 findings")
    expect(page.locator("#pills .qp")).to_have_count(1)
    expect(page.get_by_role("link", name="Of another kind")).to_have_count(0)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_leads_from_over_the_limit_to_tickets_by_hand(page_as, editor, project):
    page = page_as(editor)
    create_rule(page, limit=1)
    report_secrets(4)

    page.goto("/settings/findings-automation")
    page.get_by_role("link", name="3 findings over limit").click()
    expect(page.locator(".c-ticket").get_by_text("Over limit")).to_have_count(3)
    assert_accessible(page)
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.keyboard.press("t")
    page.get_by_role("menuitem", name="One ticket per finding").click()
    page.get_by_role("dialog").get_by_role("button", name="Create ticket").click()
    expect(page.get_by_text("3 tickets created")).to_be_visible()

    page.goto("/findings")
    expect(page.locator(".tk .by-person")).to_have_count(3)
    assert Case.objects.filter(origin="manual").count() == 3
    page.goto("/settings/findings-automation")
    expect(page.locator(".limit")).to_contain_text("1 / 1 today")


def test_it_leads_there_without_scripts(page_as, editor, project):
    create_rule(page_as(editor), limit=1)
    report_secrets(2)
    page = page_as(editor, scripts=False)
    page.goto("/settings/findings-automation")
    page.get_by_role("link", name="1 finding over limit").click()
    page.locator("input[name=finding]").check()
    page.get_by_role("button", name="Attach to existing").first.click()
    page.get_by_role("textbox", name="Jira key or URL").fill("risk-1")
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_text("1 finding attached to RISK-1")).to_be_visible()
    page.goto("/findings")
    page.get_by_role("link", name="RISK-1").first.click()
    expect(page).to_have_url(re.compile("/cases/RISK-1$"))
    assert set(Finding.objects.values_list("ticket", flat=True)) == {Ticket.AUTOMATED}
