"""The editors of the kinds of rules that act on findings themselves, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.kinds.due_date.action import DueFrom
from automation.kinds.mute.action import Reason
from automation.models import Rule
from automation.rules.data import action_of
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory

LIST = "/settings/findings-automation"
LIBRARY = "types=library_vulnerability"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server) -> None:
    FindingFactory.create_batch(3, severity="high", tags=["env:prod"])
    FindingFactory(severity="medium", ticket="manual", ticket_key="SEC-1", ticket_status="open")


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("modify_severity", "change=shift&delta=up_one"),
        ("mute", "reason=other&expires=date&expires_on=2099-01-01"),
        ("add_to_inbox", ""),
        ("set_due_date", "days_high=1&days_unknown=3&days_medium=300"),
    ],
)
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_shows_a_preview_to_everyone(page_as, editor, world, slug, said, theme, width):
    page = page_as(editor, theme=theme, width=width)
    page.goto(f"{LIST}/{slug}/new?{LIBRARY}&{said}")
    expect(page.locator(".preview-number")).to_have_text("4")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_mutes_by_keyboard(page_as, editor, world):
    page = page_as(editor)
    page.goto(f"{LIST}/mute/new")
    page.get_by_role("textbox", name="Rule name").fill("Legacy")
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("libr")
    expect(page.locator("[role=option]")).to_have_count(1)
    types.press("ArrowDown")
    types.press("Enter")
    types.press("Escape")
    page.get_by_role("radio", name="Duplicate").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Duplicate")).to_be_checked(checked=False)
    page.get_by_role("radio", name="Never").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Expires on").fill("2099-01-01")
    expect(page.get_by_text("Mutes 4 open findings after you save")).to_be_visible()
    expect(page.get_by_text("1 of them has an open ticket.")).to_be_visible()
    expect(page.locator("#expires-in")).to_contain_text("00:00 UTC, in")
    page.get_by_role("button", name="Save").first.press("Enter")
    expect(page.get_by_text("Legacy saved.")).to_be_visible()
    action = action_of(Rule.objects.get())
    assert (action.reason, action.expires.year) == (Reason.FALSE_POSITIVE, 2099)


def test_it_counts_beside_the_days(page_as, editor, world):
    page = page_as(editor)
    page.goto(f"{LIST}/set_due_date/new?{LIBRARY}")
    fix = page.get_by_role("radio", name="Fix available")
    expect(fix).to_be_enabled()
    expect(page.get_by_label("Days for Unknown")).to_be_hidden()
    page.get_by_role("button", name="Add None and Unknown").click()
    expect(page.get_by_label("Days for None")).to_be_focused()
    page.get_by_label("Days for High").fill("7")
    expect(page.locator("#matches-high")).to_have_text("3")
    expect(page.locator("#overdue-low")).to_have_text("–")
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secret")
    expect(page.locator("[role=option]")).to_have_count(1)
    types.press("ArrowDown")
    types.press("Enter")
    expect(fix).to_be_disabled()
    page.get_by_role("textbox", name="Rule name").fill("Due")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Due saved.")).to_be_visible()
    assert action_of(Rule.objects.get()).due_from is DueFrom.FIRST_SEEN


def test_it_says_what_is_wrong_and_leads_there(page_as, editor, world):
    page = page_as(editor)
    page.goto(f"{LIST}/modify_severity/new?{LIBRARY}&name=R")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("alert").first).to_be_focused()
    expect(page.get_by_text("Fix 1 field to save this rule.")).to_be_visible()
    expect(page.get_by_role("alert").first.get_by_role("link", name="New severity")).to_be_visible()
    assert_accessible(page)
    page.get_by_text("Shift by one level").click()
    expect(page.get_by_text("New severity").last).to_be_hidden()
    page.get_by_role("radio", name="Down", exact=True).check()
    expect(page.get_by_text("would change by one level")).to_be_visible()
