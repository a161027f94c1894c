"""The command palette in a real browser, by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [1440, 420])
def test_it_opens_for_everyone(page_as, admin, width):
    page = page_as(admin, theme=BOTH, width=width)
    page.goto("/jump?q=over")
    assert_accessible(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_goes_where_the_letters_say(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.get_by_role("link", name="Jump to…").press("Enter")
    field = page.get_by_role("combobox", name="Jump to")
    expect(field).to_be_focused()
    field.press_sequentially("case")
    expect(page.locator("#palette-results").get_by_role("option")).to_have_count(2)
    expect(page.get_by_role("option", name="Cases")).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "palette-results-0")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Search findings")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases")


def test_it_closes_and_gives_the_focus_back(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    opener = page.get_by_role("link", name="Jump to…")
    opener.press("Enter")
    expect(page.get_by_role("dialog", name="Jump to")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_it_needs_no_scripts(page_as, viewer):
    page = page_as(viewer, scripts=False)
    page.goto("/cases")
    page.get_by_role("link", name="Jump to…").click()
    page.get_by_role("searchbox", name="Jump to").fill("overv")
    page.get_by_role("button", name="Search").click()
    page.locator("#main").get_by_role("link", name="Overview").click()
    page.wait_for_url("**/overview")
