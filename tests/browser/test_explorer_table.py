"""The table of findings: its columns and their menus, values, keys and selections."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from findings.facts import Ticket
from findings.models import Finding
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db(transaction=True)
MANY = "cols=type,cve,package,fix,cvss,epss,owner,status,seen,tags,resource,@package"


@pytest.fixture
def findings(live_server):
    for nth in range(30):
        FindingFactory(
            title=f"Unauthenticated remote code execution number {nth}",
            severity=("critical", "high", "low")[nth % 3],
            tags=["env:prod", f"service:payments-{nth % 4}", f"team:team-{nth % 9}"],
            attributes={"cvss": nth / 3, "package": {"name": "grpcio"}, "advisory": {"id": "X-1"}},
            resource_name="arn:aws:rds:eu-west-1:412233445566:db:reporting-replica",
        )


def column(page: Page, name: str, item: str) -> None:
    """Chooses from the menu of a column's head."""
    page.locator("thead").hover()
    page.get_by_role("button", name=f"Column {name}").click()
    page.get_by_role("menu", name=f"Column {name}").get_by_role("menuitem", name=item).click()


def expect_heads(page: Page, *names: str) -> None:
    expect(page.locator("thead .head > :first-child")).to_have_text([*names])


def position(page: Page) -> int:
    return int(page.evaluate("document.activeElement.closest('tr').rowIndex"))


def test_a_column_is_sorted_moved_hidden_and_grouped_by_its_menu(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings?cols=status,cvss,seen")
    column(page, "First seen", "Oldest first")
    expect(page.locator("th.c-seen")).to_have_attribute("aria-sort", "ascending")
    column(page, "CVSS", "Move left")
    expect_heads(page, "Severity", "Finding", "CVSS", "Status", "First seen")
    column(page, "Status", "Hide")
    expect_heads(page, "Severity", "Finding", "CVSS", "First seen")
    column(page, "CVSS", "Only without")
    expect(page.locator(".results-count")).to_contain_text("0 findings")  # 0 is a value
    page.goto("/findings?cols=owner")
    column(page, "Service / team", "Group by team")
    expect(page.locator("tr[data-group]")).to_have_count(9)


@pytest.mark.parametrize("width", [1440, 1280, 420])
def test_any_columns_fit_the_page(page_as, analyst, findings, width):
    page = page_as(analyst, theme=BOTH, width=width)
    for query in ("cols=type,owner,status,ticket,seen", MANY):
        page.goto(f"/findings?{query}")
        expect(page.locator(".facet").first).to_be_attached()
        assert_no_sideways_scroll(page)
        assert page.locator("td.c-finding").first.evaluate("e => e.clientWidth") >= 200
    assert_accessible(page)
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_role("dialog", name="Columns")).to_contain_text("Fixed in")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("width", [1181, 1280, 1366])
def test_the_usual_columns_fit_a_laptop(page_as, analyst, findings, width):
    Finding.objects.update(ticket=Ticket.AUTOMATED, ticket_key="CASES-1234")
    page = page_as(analyst, width=width)
    page.goto("/findings")
    table = page.locator(".tbl-scroll")
    expect(table.get_by_text("CASES-1234").first).to_be_visible()
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_a_column_is_added_by_its_name(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings?cols=status")
    page.get_by_role("button", name="Columns").click()
    known = page.locator("#column-names option")
    expect(known.first).to_have_attribute("value", re.compile("^tag:"))
    page.get_by_role("combobox", name="Tag or attribute").fill("@package.name")
    page.keyboard.press("Enter")
    expect(page.locator("thead")).to_contain_text("package.name")
    expect(page).to_have_url(re.compile(r"\?cols=status%2C%40package\.name$"))


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("critical", "q=%40severity%3Acritical"),
        ("open", "q=%40status%3Aopen"),
        ("payments-1", "q=service%3Apayments-1"),
        ("team-1", "q=team%3Ateam-1"),
        ("X-1", "q=%40advisory.id%3AX-1"),
        ("env:prod", "q=env%3Aprod"),
    ],
)
def test_a_value_filters_and_excludes_by_its_menu(page_as, viewer, findings, value, query):
    page = page_as(viewer)
    page.goto("/findings?cols=owner,status,tags")
    page.locator(f"a.v[title='{value}']").first.click()
    menu = page.get_by_role("menu", name="Value")
    expect(menu.get_by_role("menuitem", name=f"Filter to {value}")).to_be_focused()
    expect(menu.get_by_role("menuitem", name=f"Exclude {value}")).to_be_visible()
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile(re.escape(query)))
    page.locator(f"a.v[title='{value}']").first.click()
    page.keyboard.press("x")
    expect(page.get_by_text("No findings match this search")).to_be_visible()


def test_the_menus_are_accessible(page_as, viewer, findings):
    page = page_as(viewer, theme=BOTH)
    page.goto("/findings")
    page.locator("a.v[title='team-1']").first.click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.locator("thead").hover()
    page.get_by_role("button", name="Column Severity").click()
    assert_accessible(page)


def test_keys_walk_rows_and_what_is_in_them(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings?cols=owner,status")
    for key in ("j", "j", "ArrowDown", "k"):
        page.keyboard.press(key)
    assert position(page) == 2
    row = page.locator("tbody tr").nth(1)
    assert "inset" in row.evaluate("e => getComputedStyle(e).boxShadow")
    for _ in range(3):
        page.keyboard.press("ArrowRight")  # severity is before: vulnerability, resource, service
    expect(row.locator("a.v[data-of=service]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name="Value")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert position(page) == 3
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator(".bulk-count")).to_have_text("4 selected")
    expect(page.locator("#announcer")).to_have_text("4 selected")
    page.keyboard.press("o")
    expect(page.get_by_role("dialog").filter(has_text="number")).to_be_visible()


def test_shift_and_click_selects_and_clears_the_range(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings")
    boxes = page.locator("input[name=finding]")
    boxes.nth(2).click()
    boxes.nth(7).click(modifiers=["Shift"])
    expect(page.locator(".bulk-count")).to_have_text("6 selected")
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator(".bulk-count")).to_have_text("2 selected")


def test_all_that_is_found_stays_selected_on_the_next_page(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings?rows=25")
    page.get_by_label("Select all on this page").check()
    page.get_by_text("Select all 30").click()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".bulk-count")).to_have_text("30 selected")
    expect(page.locator("#announcer")).to_have_text("30 selected, on all pages")
    page.goto("/findings?rows=25&severity=high")
    expect(page.locator("input[name=finding]:checked")).to_have_count(0)


def test_heads_and_facets_stay_while_the_table_scrolls(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    expect(page.locator(".facet").first).to_be_visible()
    page.mouse.wheel(0, 900)
    page.wait_for_function("scrollY > 300")
    expect(page.get_by_role("heading", name="Facets")).to_be_in_viewport()
    assert page.locator("th.c-finding").evaluate("e => e.getBoundingClientRect().top") == 0


def test_columns_and_values_work_without_scripts(page_as, viewer, findings):
    page = page_as(viewer, scripts=False)
    page.goto("/findings?cols=status,owner")
    page.get_by_role("button", name="Column Status").click()
    page.get_by_role("menuitem", name="Hide").click()
    expect(page.locator("th.c-status")).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("combobox", name="Tag or attribute").fill("env")
    page.get_by_role("button", name="Add column").click()
    expect(page.locator("td.c-other").first).to_have_text("prod")
    page.locator("a.v[title='team-1']").first.click()
    expect(page.locator(".results-count")).to_contain_text("4 findings")


def test_a_long_facet_is_searched(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    team = page.locator("details[data-facet=team]")
    team.locator("summary").first.click()
    team.get_by_label("Find in Team").fill("TEAM-8")  # beyond the first six
    expect(team.locator("li:visible")).to_have_text([re.compile("team-8")])
    expect(page.locator("#announcer")).to_have_text("1 value")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.url.endswith("/findings")  # finding a value asks for no findings
    team.get_by_label("Find in Team").fill("nobody")
    expect(team.get_by_text("No value contains this.")).to_be_visible()
    assert_accessible(page)
    team.get_by_label("Find in Team").fill("8")
    team.get_by_role("link", name="team-8").click()
    expect(page.locator(".results-count")).to_contain_text("3 findings")


def test_the_server_finds_what_a_facet_lacks(page_as, viewer, findings, monkeypatch):
    monkeypatch.setattr("findings.explorer.facets.MAX_VALUES", 7)
    FindingFactory(tags=["team:rare"])
    page = page_as(viewer)
    page.goto("/findings")
    team = page.locator("details[data-facet=team]")
    team.locator("summary").first.click()
    team.get_by_label("Find in Team").fill("RAR")
    team.locator(".found").get_by_role("link", name="rare").click()
    expect(page.locator(".results-count")).to_contain_text("1 finding")
