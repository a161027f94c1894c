"""The admin under its policy: its console says nothing, and what its scripts do works."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.furnished import furnish

pytestmark = pytest.mark.django_db(transaction=True)
ADMIN = "/admin/"
PATHS = ["", "automation/rule/", "accounts/user/", "accounts/user/add/", "accounts/apikey/add/"]


def test_it_runs_without_inline_scripts(page_as, admin):
    furnish(admin)
    page = page_as(admin)
    for path in PATHS:
        page.goto(ADMIN + path)
    page.goto(f"{ADMIN}accounts/user/{admin.pk}/change/")
    page.goto(f"{ADMIN}automation/rule/")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.evaluate("Alpine.evaluate(document.body, '1 + 1')") == 2
