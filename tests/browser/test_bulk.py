"""Deeds on all that a search finds: chosen in the bar, followed in the strip and on a page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from findings.models import Finding
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from ticketing import bulk
from ticketing.models import BulkRun, Case

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/findings?rows=25&q=finding"


@pytest.fixture
def findings(live_server):
    ProjectFactory(key="RISK", name="Cloud Risk")
    return [FindingFactory() for _ in range(60)]


def choose_all(page: Page) -> None:
    page.goto(LIST)
    page.locator("input[name=finding]").first.check()
    page.get_by_text("Select all 60").click()
    expect(page.locator(".bulk-count")).to_have_text("60 selected")


@pytest.mark.parametrize("width", [1440, 420])
def test_it_mutes_all_that_is_found(page_as, analyst, findings, width):
    page = page_as(analyst, theme=BOTH, width=width)
    choose_all(page)
    assert_accessible(page)
    page.locator(".of-all").get_by_role("button", name="Mute").click()
    dialog = page.get_by_role("dialog", name="Mute 60 findings")
    assert_accessible(page)
    dialog.get_by_role("button", name="Mute").click()
    strip = page.get_by_role("region", name="Bulk run")
    expect(strip).to_contain_text("Muting findings: 0 of 60")
    assert_accessible(page)
    assert_no_sideways_scroll(page)

    bulk.work_due()
    expect(strip).to_contain_text("60 findings muted")
    assert page.url.endswith(LIST)
    strip.get_by_role("link", name="Show what changed").click()
    expect(page.locator(".c-status").filter(has_text="Muted").first).to_be_visible()
    assert_accessible(page)
    strip.get_by_role("link", name="Details").click()
    expect(page.get_by_role("heading", level=1, name="Mute")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.go_back()
    strip.get_by_role("button", name="Dismiss").click()
    expect(strip).to_have_count(0)


def test_it_creates_a_ticket_for_each_and_survives_closing_the_page(page_as, analyst, findings):
    page = page_as(analyst)
    choose_all(page)
    page.keyboard.press("t")
    expect(page.get_by_role("menuitem", name="One ticket for all 60 findings")).to_be_disabled()
    assert_accessible(page)
    page.get_by_role("menuitem", name="One ticket per finding").click()
    dialog = page.get_by_role("dialog", name="Create a ticket for each of 60 findings")
    dialog.get_by_role("combobox", name="Create a ticket in").select_option("RISK Cloud Risk")
    dialog.get_by_role("button", name="Create tickets").click()
    expect(page.get_by_role("region", name="Bulk run")).to_be_visible()
    page.close()

    bulk.work_due()
    assert Case.objects.filter(origin="manual").count() == 60
    later = page_as(analyst)
    later.goto("/findings")
    expect(later.get_by_role("region", name="Bulk run")).to_contain_text("60 tickets created")


def test_it_says_what_failed_and_tries_again(page_as, analyst, findings):
    page = page_as(analyst)
    choose_all(page)
    page.locator(".of-all").get_by_role("button", name="Assign").click()
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    page.get_by_role("region", name="Bulk run").wait_for()
    BulkRun.objects.get().steps.filter(position=7).update(outcome="failed", reason="It broke.")
    bulk.work_due()
    strip = page.get_by_role("region", name="Bulk run")
    expect(strip).to_contain_text("59 of 60 findings assigned 1 failed: It broke.")
    assert_accessible(page)
    strip.get_by_role("link", name="Details").click()
    expect(page.locator(".bulk-list")).to_contain_text("It broke.")
    assert_accessible(page)
    page.get_by_role("button", name="Retry").click()
    bulk.work_due()
    expect(page.locator("#bulk-run")).to_contain_text("60 findings assigned")


def test_it_takes_back_the_choice_of_all(page_as, analyst, findings):
    page = page_as(analyst)
    choose_all(page)
    page.get_by_text("Only those on this page").click()
    expect(page.locator(".bulk-count")).to_have_text("25 selected")
    page.get_by_text("Select all 60").click()
    page.locator("input[name=finding]").first.uncheck()
    expect(page.locator(".bulk-count")).to_have_text("24 selected")
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator(".bulk-bar")).to_be_hidden()


def test_it_does_all_of_it_without_scripts(page_as, analyst, findings):
    page = page_as(analyst, scripts=False)
    page.goto(LIST)
    page.locator("input[name=finding]").first.check()
    page.get_by_text("Select all 60").click()
    page.locator(".of-all").get_by_role("button", name="Status").click()
    page.get_by_role("combobox", name="Status").select_option("Resolved")
    page.get_by_role("button", name="Change status").click()
    expect(page.get_by_text("Changing the status: 0 of 60")).to_be_visible()
    bulk.work_due()
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_text("60 findings changed")).to_be_visible()
    assert Finding.objects.filter(status="resolved").count() == 60


def test_its_runs_are_listed_for_everyone(page_as, viewer, analyst, findings):
    page = page_as(analyst, theme=BOTH)
    page.goto("/bulk")
    expect(page.get_by_text("No bulk runs yet")).to_be_visible()
    assert_accessible(page)
    choose_all(page)
    page.locator(".of-all").get_by_role("button", name="Assign").click()
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    page.get_by_role("region", name="Bulk run").wait_for()
    other = page_as(viewer, theme=BOTH, width=420)
    other.goto("/bulk")
    assert_accessible(other)
    other.get_by_role("link", name="Assign").click()
    expect(other).to_have_url(re.compile("/bulk/[0-9a-f-]+$"))
    expect(other.get_by_role("button", name="Stop")).to_have_count(0)
    assert_accessible(other)
