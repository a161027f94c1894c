"""Keys of machines in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.roles import Permission
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll, settle

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/settings/api-keys"


@pytest.fixture
def keys(live_server, admin):
    soon = timezone.now() + timedelta(days=7, hours=1)
    reads = [Permission.FINDINGS_READ, Permission.CASES_READ]
    create_api_key("grafana-export", scopes=reads, actor=admin, expires_at=soon)
    create_api_key("ci-trivy", scopes=[Permission.FINDINGS_INTAKE], actor=admin)
    old = create_api_key("old-rundeck", scopes=[Permission.RULES_WRITE], actor=admin)[0]
    revoke_api_key(old.pk, actor=None)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_every_state_to_everyone(page_as, admin, width):
    page = page_as(admin, theme=BOTH, width=width)
    page.goto(LIST)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("link", name="Create API key").click()
    page.get_by_role("button", name="Create API key").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert_accessible(page)
    page.get_by_label("Name").fill("ci-grype")
    page.get_by_label("security_monitoring_findings_intake").check()
    page.get_by_role("button", name="Create API key").click()
    expect(page.get_by_label("The key", exact=True)).to_be_focused()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_makes_copies_and_revokes_a_key_by_keyboard(page_as, admin):
    page = page_as(admin)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(LIST)
    page.locator("main").press("n")
    page.get_by_label("Name").press_sequentially("ci-grype")
    page.get_by_label("security_monitoring_findings_intake").press(" ")
    page.get_by_label("Name").press("Enter")
    raw = page.get_by_label("The key", exact=True).input_value()
    settle(page)
    page.get_by_role("button", name="Copy the key").press("Enter")
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == raw
    page.get_by_role("link", name="Done").press("Enter")
    expect(page.get_by_text(raw)).to_have_count(0)
    page.get_by_role("link", name="Revoke ci-grype").press("Enter")
    page.get_by_role("button", name="Revoke key").press("Enter")
    expect(page.get_by_text("Key ci-grype revoked")).to_be_visible()


@pytest.mark.usefixtures("keys")
def test_it_needs_no_scripts(page_as, admin):
    page = page_as(admin, width=420, scripts=False)
    page.goto(LIST)
    page.get_by_role("link", name="Revoke ci-trivy").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("link", name="Revoke ci-trivy")).to_have_count(0)
