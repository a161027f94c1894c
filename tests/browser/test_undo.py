"""Undo by mouse and by keyboard: the toast stays while somebody is on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from automation.models import Rule
from automation.rules import services as rules
from findings.models import Finding
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, ticket_rule
from ticketing import bulk
from ticketing.services import open_manual_case

pytestmark = pytest.mark.django_db(transaction=True)
TOAST = "#toasts [data-toast]"


@pytest.fixture
def findings(live_server):
    return [FindingFactory(title=f"Finding {number}") for number in range(3)]


def mute_all(page: Page) -> None:
    page.goto("/findings")
    for box in page.locator("input[name=finding]").all():
        box.check()
    page.locator(".of-some").get_by_role("button", name="Mute").click()
    page.get_by_role("dialog", name="Mute 3 findings").get_by_role("button", name="Mute").click()
    expect(page.locator(TOAST)).to_contain_text("3 findings muted")


def statuses() -> set[str]:
    return set(Finding.objects.values_list("status", flat=True))


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_a_mute_is_undone_with_the_keyboard_alone(page_as, analyst, findings, theme, width):
    page = page_as(analyst, theme=theme, width=width)
    mute_all(page)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    undo = page.locator(TOAST).get_by_role("button", name="Undo")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # to the content, where toasts come first
    page.keyboard.press("Tab")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(TOAST)).to_contain_text("Mute undone")
    expect(page.locator(TOAST)).to_contain_text("3 findings are as they were: 3 open.")
    assert statuses() == {"open"}
    assert_accessible(page)


def test_it_stays_ten_seconds_and_longer_while_somebody_is_on_it(page_as, analyst, findings):
    page = page_as(analyst, clock=True)
    mute_all(page)
    toast = page.locator(TOAST)
    undo = toast.get_by_role("button", name="Undo")
    page.clock.run_for(9_000)
    expect(toast).to_be_visible()
    undo.focus()
    page.clock.run_for(30_000)
    expect(toast).to_be_visible()
    toast.hover()
    undo.blur()  # the pointer is still on it
    page.clock.run_for(30_000)
    expect(toast).to_be_visible()
    page.mouse.move(10, 10)
    page.clock.run_for(9_000)
    expect(toast).to_be_visible()
    page.clock.run_for(2_000)
    expect(toast).to_have_count(0)


def test_it_is_undone_without_scripts_from_the_timeline(page_as, analyst, findings):
    page = page_as(analyst, scripts=False)
    case = open_manual_case(
        [each.pk for each in findings], project=ProjectFactory(key="RISK"), actor=analyst
    )
    page.goto(f"/tickets/{findings[0].finding_id}/detach")
    page.get_by_role("button", name="Detach").click()
    expect(page.locator(TOAST)).to_contain_text("Detached from RISK-1")
    page.goto(f"/findings/{findings[0].finding_id}")
    page.locator("#timeline").get_by_role("button", name="Undo detached from ticket").click()

    expect(page.locator(TOAST)).to_contain_text("Attached to RISK-1 again")
    assert case.attachments.count() == 3


@pytest.mark.parametrize(("theme", "width"), [("dark", 1440), ("light", 420)])
def test_a_bulk_run_is_undone_with_progress(page_as, analyst, theme, width):
    for _ in range(60):
        FindingFactory()
    page = page_as(analyst, theme=theme, width=width)
    page.goto("/findings?rows=25&q=finding")
    page.locator("input[name=finding]").first.check()
    page.get_by_text("Select all 60").click()
    page.locator(".of-all").get_by_role("button", name="Mute").click()
    page.get_by_role("dialog").get_by_role("button", name="Mute").click()
    expect(page.get_by_role("region", name="Bulk run")).to_contain_text("0 of 60")
    bulk.work_due()
    toast = page.locator(TOAST)
    expect(toast).to_contain_text("60 findings muted")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_contain_text("Undoing: 0 of 60")
    assert_accessible(page)
    bulk.work_due()

    expect(toast).to_contain_text("Mute undone")
    assert statuses() == {"open"}
    toast.get_by_role("link", name="Show the run").click()
    expect(page.get_by_role("heading", name="Mute undone")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_a_deleted_rule_comes_back(page_as, editor, live_server, theme, width):
    project = ProjectFactory(key="RISK")
    for name in ("First", "Second", "Third"):
        data = ticket_rule(
            name=name, finding_types=["secret"], project_id=project.pk, max_tickets_per_day=1
        )
        rule = rules.create_rule(data, actor=editor)
    page = page_as(editor, theme=theme, width=width)
    page.goto(f"/settings/findings-automation/{rule.pk}/delete")
    page.get_by_role("button", name="Delete rule").click()
    toast = page.locator(TOAST)
    expect(toast).to_contain_text("It ran at position 3 of 3.")
    assert_accessible(page)
    page.get_by_role("link", name="Deleted rules").click()
    expect(page.get_by_role("link", name="Third")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Restore Third").click()

    expect(toast).to_contain_text("At position 3 of 3, enabled.")
    assert list(Rule.objects.values_list("name", flat=True)) == ["First", "Second", "Third"]
    page.get_by_role("button", name="More for Third").click()
    page.get_by_role("menuitem", name="History").click()
    expect(page.get_by_role("heading", name="History of Third")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
