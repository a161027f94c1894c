"""Changing one's password: because one wants to, and because one has to."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "correct horse battery", "purple otter drinks tea"


@pytest.fixture(params=[False, True], ids=["by choice", "required"])
def maya(request, db):
    maya = UserFactory(name="Maya Okafor", must_change_password=request.param)
    maya.set_password(OLD)
    maya.save(update_fields=["password"])
    return maya


def fill(page, current: str, new: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(new)
    page.locator("main button.primary").click()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_says_what_is_wrong_in_every_theme_and_width(page_as, maya, theme, width):
    page = page_as(maya, theme=theme, width=width)
    page.goto("/account/password")
    assert_accessible(page)
    fill(page, "wrong", "Password1234!")
    expect(page.get_by_text("This is not your current password.")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_changes_it_without_scripts_and_leads_back(page_as, maya):
    page = page_as(maya, scripts=False)
    page.goto("/cases" if maya.must_change_password else "/account/password")
    fill(page, OLD, NEW)
    expect(page.get_by_text("Password changed")).to_be_visible()
    assert page.url.endswith("/cases" if maya.must_change_password else "/overview")
