"""A person sets a finding's severity beside the list, by keys alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from findings.facts import Severity
from findings.models import Finding
from findings.overrides import set_severity
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finding(live_server) -> Finding:
    return FindingFactory(title="Outdated library", severity="high", resource_name="web-1")


def panel(page: Page):
    return page.get_by_role("region", name="About this finding")


@pytest.mark.parametrize("width", [420, 1440])
def test_it_sets_a_severity_by_keys_and_says_who_did(page_as, analyst, finding, width):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto(f"/findings?finding={finding.finding_id}")
    page.get_by_role("button", name="Severity", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Change the severity of 1 finding")
    expect(dialog.get_by_label("Severity")).to_be_focused()
    assert_accessible(page)
    page.keyboard.type("Low")
    dialog.get_by_label("Description").fill("Behind a firewall")
    dialog.get_by_role("button", name="Change severity").press("Enter")
    expect(page.get_by_text("Severity of 1 finding changed")).to_be_visible()
    said = "High from scanner → Low set by Alan Analyst · Behind a firewall"
    expect(panel(page).get_by_text(said)).to_be_visible()
    assert_no_sideways_scroll(page)
    assert_accessible(page)


def test_it_gives_a_severity_back_without_scripts(page_as, analyst, finding):
    set_severity([finding.pk], severity=Severity.LOW, actor=analyst)
    page = page_as(analyst, scripts=False)
    page.goto(f"/findings/{finding.finding_id}")
    page.get_by_role("button", name="Severity", exact=True).click()
    page.get_by_label("Severity").select_option("As the scanner says")
    page.get_by_role("button", name="Change severity").click()
    expect(page.get_by_text("Severity of 1 finding changed")).to_be_visible()
    expect(panel(page).get_by_text("from scanner")).to_have_count(0)
