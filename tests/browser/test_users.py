"""People's accounts in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/users"


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_every_page_to_everyone(page_as, admin, viewer, width):
    UserFactory(name="Gone Greta", is_active=False)
    page = page_as(admin, theme=BOTH, width=width)
    page.goto(LIST)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("link", name=viewer.name).click()
    assert_accessible(page)
    page.goto(f"{LIST}/new")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_adds_and_resets_by_keyboard(page_as, admin):
    page = page_as(admin)
    page.goto(LIST)
    page.locator("main").press("n")
    page.get_by_label("Name").fill("Maya Okafor")
    page.get_by_label("Email").fill("maya@example.com")
    page.get_by_label("Email").press("Enter")
    first = page.get_by_label("The password", exact=True).input_value()
    assert_accessible(page)
    page.get_by_role("link", name="Maya Okafor").press("Enter")
    page.get_by_role("link", name="Set new password").press("Enter")
    page.get_by_role("button", name="Set new password").press("Enter")
    expect(page.get_by_label("The password", exact=True)).not_to_have_value(first)
