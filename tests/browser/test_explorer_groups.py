"""Groups of findings in the explorer: opened, walked by keys, chosen and ticketed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from findings.facts import Ticket
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from ticketing import bulk
from ticketing.models import Case

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/findings?group=package"


def package(name: str, version: str, fixed: str, ecosystem: str = "pip") -> dict[str, object]:
    said = {"name": name, "version": version, "fixed_version": fixed, "ecosystem": ecosystem}
    return {"package": said, "git": {"repository": "acme/ingest-worker"}}


@pytest.fixture
def findings(live_server):
    ProjectFactory(key="RISK", name="Cloud Risk")
    tags = ["env:prod", "team:data-eng"]
    grpcio = package("grpcio", "1.50.0", "1.53.2") | {"advisory": {"cve": ["CVE-2023-4785"]}}
    FindingFactory.create_batch(7, attributes=grpcio, tags=tags, severity="high")
    sudo = package("sudo", "1.9.14", "1.9.17p1", "debian")
    FindingFactory.create_batch(3, attributes=sudo, severity="critical", resource_type="host")
    FindingFactory(attributes=sudo, severity="low", ticket=Ticket.MANUAL, ticket_key="RISK-9")
    FindingFactory.create_batch(2, title="Public bucket", severity="medium")


def open_groups(page: Page) -> None:
    page.goto(LIST)
    expect(page.locator(".facet").first).to_be_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))


@pytest.mark.parametrize("width", [1440, 420])
def test_it_opens_groups_in_place(page_as, analyst, findings, width):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto(LIST)
    expect(page.locator(".results-count")).to_have_text(
        re.compile(r"2 groups\s+of 11 findings by package to update; 2 more name no package")
    )
    opener = page.get_by_role("button", name="Findings of Update grpcio 1.50.0 → 1.53.2")
    opener.click()
    expect(page.locator(".member")).to_have_count(4)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    if width == 420:
        said = "getComputedStyle(document.querySelector('.c-number a'), '::after').content"
        assert page.evaluate(said) == '" findings"'
    page.get_by_role("link", name="Show 3 more").click()
    expect(page.locator(".member")).to_have_count(7)
    page.get_by_role("checkbox", name="Select Update sudo").check()
    expect(page.locator(".bulk-count")).to_have_text("1 group · 4 findings")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    opener.click()
    expect(page.locator(".member:visible")).to_have_count(0)


def test_it_is_walked_by_keys(page_as, analyst, findings):
    page = page_as(analyst)
    open_groups(page)
    page.keyboard.press("j")
    assert focused(page) == "Findings of Update sudo 1.9.14 → 1.9.17p1"
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".member")).to_have_count(4)
    page.keyboard.press("j")
    expect(page.locator(".member a.title").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".member:visible")).to_have_count(0)
    assert focused(page).startswith("Findings of Update grpcio")
    page.keyboard.press("x")
    expect(page.locator(".bulk-count")).to_have_text("1 group · 7 findings")
    page.keyboard.press("k")
    page.keyboard.press("Shift+X")
    expect(page.locator(".bulk-count")).to_have_text("2 groups · 11 findings")


def test_findings_of_an_open_group_are_chosen_one_by_one(page_as, analyst, findings):
    page = page_as(analyst)
    open_groups(page)
    page.get_by_role("checkbox", name="Select Update sudo").check()
    page.get_by_role("button", name="Findings of Update grpcio").click()
    members = page.locator(".member input[name=finding]")
    members.nth(0).check()
    members.nth(2).click(modifiers=["Shift"])
    expect(page.locator(".bulk-count")).to_have_text("3 selected")
    expect(page.get_by_role("checkbox", name="Select Update sudo")).not_to_be_checked()
    assert_accessible(page)
    page.get_by_role("button", name="Mute").click()
    dialog = page.get_by_role("dialog", name="Mute 3 findings")
    dialog.get_by_role("button", name="Mute").click()
    expect(page.get_by_text("3 findings muted")).to_be_visible()


def test_the_select_groups_by_one_field_more(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    select = page.get_by_label("Group by")
    select.focus()
    select.select_option("package")
    select.select_option("package,team")
    expect(page.locator("tr[data-group]")).to_have_count(2)
    expect(page).to_have_url(re.compile("group=package%2Cteam"))
    expect(select).to_be_focused()
    select.select_option("package,team,repository")
    expect(select.locator("optgroup")).to_have_count(0)


def test_a_tag_offers_what_can_be_done_with_it(page_as, analyst, findings):
    page = page_as(analyst)
    open_groups(page)
    page.get_by_role("button", name="Findings of Update grpcio").click()
    page.locator("a.v[title='team:data-eng']").first.click()
    items = page.get_by_role("menu", name="Value").get_by_role("menuitem")
    offered = ("Filter to team:data-eng", "Exclude team:data-eng", "Group by team", "Copy")
    expect(items).to_have_text([re.compile(each) for each in offered])
    assert_accessible(page)
    page.keyboard.press("x")
    expect(page).to_have_url(re.compile("q=-team%3Adata-eng"))
    expect(page.locator("tr[data-group]")).to_have_count(2)


def test_it_creates_a_ticket_for_each_chosen_group(page_as, analyst, findings):
    page = page_as(analyst)
    open_groups(page)
    for name in ("Update sudo", "No package"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("button", name="Create ticket").click()
    menu = page.get_by_role("menu", name="Create ticket")
    expect(menu).to_contain_text("One ticket for each groupCreates 3 tickets")
    expect(page.locator("#groups-kept")).to_have_text("1 of the 6 has a ticket and keeps it.")
    assert_accessible(page)
    menu.get_by_role("menuitem", name="One ticket for each group").click()
    dialog = page.get_by_role("dialog", name="Create tickets for 6 findings")
    assert_accessible(page)
    dialog.get_by_label("Create a ticket in").select_option(label="RISK Cloud Risk")
    dialog.get_by_role("button", name="Create tickets").click()
    expect(page.get_by_role("region", name="Bulk run")).to_be_visible()
    bulk.work_due()
    expect(page.get_by_role("region", name="Bulk run")).to_contain_text("3 tickets created")
    assert Case.objects.filter(title__startswith="Update sudo 1.9.14 → 1.9.17p1").count() == 1


def test_the_select_groups_and_a_group_is_a_list(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings")
    page.get_by_label("Group by").select_option("package")
    expect(page.locator("tr[data-group]")).to_have_count(3)
    expect(page).to_have_url(re.compile("group=package"))
    page.get_by_role("link", name="4 findings as a list").click()
    expect(page.locator("tr[data-finding]")).to_have_count(4)
    expect(page.locator(".within")).to_contain_text("Package to update deb/sudo")
    assert_accessible(page)
    page.get_by_label("Sort by").evaluate(
        "e => e.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    expect(page).to_have_url(re.compile("in=deb%2Fsudo"))
    page.get_by_label("Group by").select_option("")
    expect(page.locator("tr[data-finding]")).to_have_count(13)


def test_it_works_without_scripts(page_as, analyst, findings):
    page = page_as(analyst, scripts=False)
    page.goto(LIST)
    page.get_by_role("button", name="Findings of Update grpcio").click()
    expect(page.locator(".member")).to_have_count(4)
    page.get_by_role("link", name="Show 3 more").click()
    expect(page.locator(".member")).to_have_count(7)
    page.get_by_role("link", name="Open these 7 as a list").click()
    expect(page.locator("tr[data-finding]")).to_have_count(7)


def test_it_counts_one_finding_as_one_on_a_narrow_screen(page_as, viewer, live_server):
    FindingFactory(attributes=package("sudo", "1.9.14", "1.9.17p1", "debian"))
    page = page_as(viewer, width=420)
    page.goto(LIST)
    expect(page.locator(".c-number a")).to_have_count(1)
    said = "getComputedStyle(document.querySelector('.c-number a'), '::after').content"
    assert page.evaluate(said) == '" finding"'
