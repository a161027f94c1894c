"""One ticket for, in a real browser: compared while one chooses, with and without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.models import Rule
from automation.rules.data import action_of
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.browser.test_rule_editor import LIST, rule, world  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_compares_and_saves_by_keyboard(page_as, editor, rule, theme, width):  # noqa: F811
    page = page_as(editor, theme=theme, width=width)
    page.goto(f"{LIST}/{rule.pk}/edit")
    each = page.get_by_role("radio", name="each finding")
    expect(page.locator("#grouping-count-finding")).to_contain_text("2 tickets")
    expect(page.get_by_label("When a group’s ticket is closed")).to_be_hidden()
    each.press("ArrowUp")  # round to the last
    expect(page.get_by_role("radio", name="other fields…")).to_be_checked()
    fields = page.get_by_role("combobox", name="Fields to group by")
    fields.fill("tea")
    expect(page.get_by_role("option", name="Team", exact=True)).to_be_visible()
    fields.press("Enter")
    expect(page.locator("#grouping-count-other")).to_contain_text("1 ticket")
    expect(page.get_by_text("would be added to an open ticket, no slot")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("When a group’s ticket is closed").select_option("Reopen it instead")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()
    action = action_of(Rule.objects.get())
    assert (action.group_by, action.reopens_closed) == (["team"], True)
    expect(page.get_by_text("one ticket per team")).to_be_visible()


def test_it_marks_the_field_that_is_wrong(page_as, editor, rule):  # noqa: F811
    page = page_as(editor)
    page.goto(f"{LIST}/{rule.pk}/edit")
    page.get_by_role("radio", name="other fields…").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Pick at least one field.").first).to_be_visible()
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.get_by_role("combobox", name="Fields to group by")).to_be_focused()
    assert_accessible(page)
