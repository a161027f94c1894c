"""The dialog of Test Rule in a real browser, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from automation.models import TestRun
from automation.rule_tests import execution
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from ticketing.models import Attachment
from ticketing.services import open_manual_case

NEW = "/settings/findings-automation/create_ticket/new"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server, editor) -> None:
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    for number in range(4):
        FindingFactory(finding_type="secret", title=f"Key {number}", resource_id="arn:" * 20)
    held = FindingFactory(finding_type="secret", title="Key with a ticket", resource_id="held")
    open_manual_case([held.pk], project=project, actor=editor)


def opened(page: Page) -> Page:
    """The dialog above a form that is not saved."""
    page.goto(NEW)
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secret")
    types.press("ArrowDown")
    types.press("Enter")
    types.press("Escape")
    page.get_by_label("Case Management Project").select_option("RISK Cloud Risk")
    page.get_by_role("button", name="Test Rule").press("Enter")
    expect(page.get_by_role("dialog", name="Test Rule")).to_be_visible()
    return page


def done(page: Page) -> TestRun:
    expect(page.get_by_text("Step 1 of 4").last).to_be_visible()
    run = TestRun.objects.get(state="running")
    execution.carry_on(run.pk)
    return run


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_each_of_its_states_to_everyone(page_as, editor, world, width):
    page = opened(page_as(editor, theme=BOTH, width=width))
    expect(page.get_by_role("searchbox", name="Search 5 matching findings")).to_be_focused()
    assert_accessible(page)
    page.get_by_role("radio", name="Key 2").check()
    page.get_by_role("button", name="Run Test").click()
    expect(page.get_by_text("Step 1 of 4").last).to_be_visible()
    assert_accessible(page)
    done(page)
    expect(page.locator(".banner.ok")).to_be_focused()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Detach").click()
    expect(page.get_by_text("Detached. RISK-2 was not deleted.")).to_be_visible()
    assert Attachment.objects.count() == 1


def test_it_shows_a_failure_to_everyone(page_as, editor, world):
    page = opened(page_as(editor, theme=BOTH))
    page.get_by_role("button", name="Run Test").click()
    expect(page.get_by_text("Step 1 of 4").last).to_be_visible()
    TestRun.objects.update(state="failed", reason="Team is required.", response='{"errors":{}}')
    expect(page.get_by_text("Test failed. No ticket was created.")).to_be_visible()
    page.get_by_text("Response from Jira").click()
    expect(page.get_by_text('{"errors":{}}')).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Test failed.")).to_have_count(0)  # else its first step is found again
    done(page)
    expect(page.get_by_text("Test passed.")).to_be_visible()


def test_it_is_all_there_by_keyboard(page_as, editor, world):
    page = opened(page_as(editor))
    # What the live preview says comes first, and not over the steps of the test.
    expect(page.locator("#preview")).to_contain_text("findings seen in the last 30 days match")
    page.keyboard.type("3")
    expect(page.get_by_text("1 of 1 shown")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Key 3")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    run = done(page)
    expect(page.locator("#announcer")).to_contain_text("Step")
    expect(page.locator(".banner.ok")).to_be_focused()
    assert run.finding.title == "Key 3"
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Test Rule")).to_be_focused()


def test_it_searches_when_enter_is_pressed(page_as, editor, world):
    page = opened(page_as(editor))
    page.keyboard.type("Key 1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 1 shown")).to_be_visible()
    assert not TestRun.objects.exists()


def test_it_keeps_the_form_that_was_tested(page_as, editor, world):
    page = opened(page_as(editor))
    page.get_by_role("button", name="Cancel").last.click()
    expect(page.get_by_role("button", name="Remove Secret")).to_be_visible()


def test_it_tests_without_scripts(page_as, editor, world):
    page = page_as(editor, scripts=False)
    page.goto(NEW)
    page.get_by_role("checkbox", name="Secret").check()
    page.get_by_label("Case Management Project").select_option("RISK Cloud Risk")
    page.get_by_role("button", name="Test Rule").click()
    page.get_by_role("searchbox").fill("Key 2")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("1 of 1 shown")).to_be_visible()
    page.get_by_role("button", name="Run Test").click()
    expect(page.get_by_text("Step 1 of 4").last).to_be_visible()
    execution.carry_on(TestRun.objects.get().pk)
    expect(page.get_by_text("Test passed.")).to_be_visible()
    page.get_by_role("button", name="Detach").click()
    expect(page.get_by_text("RISK-2 detached")).to_be_visible()
