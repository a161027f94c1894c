"""The explorer's search bar, tabs and chart, as people use them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from findings.saved_views import save_view
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, RuleFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def findings(live_server):
    now = timezone.now()
    for n in range(3):
        FindingFactory(
            title=f"Web {n}", tags=["env:prod", "team:web"], first_seen_at=now - timedelta(days=5)
        )
    FindingFactory(title="Data", tags=["env:prod", "team:data"], severity="critical")
    FindingFactory(title="Old", tags=["env:dev"], first_seen_at=now - timedelta(days=20))


def bar(page: Page):
    return page.get_by_role("combobox", name="Search findings")


def pills(page: Page) -> list[str]:
    return page.locator("#pills [data-edits]").all_inner_texts()


def expect_number(page: Page, number: int) -> None:
    said = f"{number} finding{'' if number == 1 else 's'}"
    expect(page.locator(".results-count")).to_have_text(said)


def test_it_makes_a_pill_of_each_term_on_enter(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    bar(page).fill("env:(prod OR staging) AND -team:data")
    page.keyboard.press("Enter")
    expect_number(page, 3)
    expect(bar(page)).to_have_value("")
    assert pills(page) == ["env:(prod OR staging)", "-team:data"]
    expect(page).to_have_url(re.compile(r"q=env%3A%28prod\+OR\+staging%29\+"))
    page.reload()
    assert pills(page) == ["env:(prod OR staging)", "-team:data"]

    page.get_by_role("button", name="Remove -team:data").click()
    expect_number(page, 4)
    expect(bar(page)).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect_number(page, 5)
    expect(page).to_have_url(re.compile("/findings$"))


def test_it_makes_a_pill_when_one_leaves_the_field(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    bar(page).fill("team:web")
    page.get_by_role("combobox", name="Time range").focus()
    expect(page.locator("#pills")).to_contain_text("team:web")
    page.get_by_role("button", name="Edit team:web").click()
    expect(bar(page)).to_have_value("team:web")
    assert pills(page) == []


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("team:web OR env:dev", ["team:web OR env:dev"]),
        ("NOT team:web env:prod", ["NOT team:web", "env:prod"]),
        ('"Web 1" @severity:[1 TO 20]', ['"Web 1"', "@severity:[1 TO 20]"]),
        (r"note:two\ words env:prod", [r"note:two\ words", "env:prod"]),
        ("CIDR(@host.ip, 10.0.0.0/8)", ["CIDR(@host.ip, 10.0.0.0/8)"]),
    ],
)
def test_it_cuts_only_where_the_meaning_stays(page_as, viewer, findings, typed, made):
    page = page_as(viewer)
    page.goto("/findings")
    bar(page).fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator("#pills [data-edits]")).to_have_text(made)


def test_it_leaves_a_text_that_cannot_be_read_in_the_field(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings?q=team:web")
    bar(page).fill("env:(prod")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Unclosed parenthesis at character")
    expect(bar(page)).to_have_value("env:(prod")
    assert pills(page) == ["team:web"]
    assert_accessible(page)


def test_it_is_a_plain_field_without_scripts(page_as, viewer, findings):
    page = page_as(viewer, scripts=False)
    page.goto("/findings?q=team:web")
    field = page.get_by_role("textbox", name="Search findings")
    expect(field).to_have_value("team:web")
    field.fill("team:data")
    page.get_by_role("button", name="Search").click()
    expect_number(page, 1)
    expect(page.get_by_role("link", name="Unticketed criticals")).to_contain_text("1")


@pytest.mark.parametrize("width", [1440, 420])
def test_its_pills_are_for_everyone(page_as, viewer, findings, width):
    page = page_as(viewer, theme=BOTH, width=width)
    page.goto("/findings?q=env:(prod OR staging) -team:data a-rather-long-word another-long-word")
    expect(page.locator("#pills .qp")).to_have_count(4)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_says_how_many_each_tab_finds(page_as, analyst, findings):
    save_view(name="Web team", query="q=team%3Aweb", is_shared=False, owner=analyst)
    page = page_as(analyst)
    page.goto("/findings")
    page.goto("/findings")  # a browser that has asked for the facets later
    tabs = page.get_by_role("navigation", name="Views")
    expect(tabs.get_by_role("link", name="Unticketed criticals 1")).to_be_visible()
    expect(tabs.get_by_role("link", name="Web team 3")).to_be_visible()
    bar(page).fill("env:dev")
    expect_number(page, 1)
    expect(tabs.get_by_role("link", name="Web team 3")).to_be_visible()
    assert_accessible(page)


def test_it_zooms_by_dragging_over_the_chart_and_out_again(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings?from=30d")
    chart = page.locator("svg[data-zooms]").bounding_box()
    middle = chart["y"] + 30
    page.mouse.move(chart["x"] + chart["width"] * 0.75, middle)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] * 0.8, middle, steps=4)
    page.mouse.move(chart["x"] + chart["width"] * 0.9, middle, steps=4)
    expect(page.locator("rect.zoom")).to_be_visible()
    page.mouse.up()
    expect_number(page, 3)
    expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-\d\dT00%3A00%3A00Z&to="))
    named = page.get_by_role("combobox", name="Time range").locator("option:checked").inner_text()
    page.reload()
    expect_number(page, 3)
    again = page.get_by_role("combobox", name="Time range").locator("option:checked")
    expect(again).to_have_text(named)
    assert_accessible(page)

    page.get_by_role("combobox", name="Time range").select_option("Past 24 hours")
    expect_number(page, 1)
    expect(page).to_have_url(re.compile(r"\?from=24h$"))
    page.go_back()
    page.get_by_role("link", name="Zoom out").click()
    expect_number(page, 5)


def test_it_zooms_nowhere_on_escape_or_a_click(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings?from=30d")
    chart = page.locator("svg[data-zooms]")
    chart.click()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 20, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("rect.zoom")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?from=30d$"))


@pytest.mark.parametrize("width", [1440, 420])
def test_it_explains_its_syntax(page_as, viewer, findings, width):
    page = page_as(viewer, theme=BOTH, width=width)
    page.goto("/findings")
    bar(page).press_sequentially("tea")
    page.get_by_role("button", name="Search syntax").click()
    expect(page.get_by_role("dialog", name="Search syntax")).to_contain_text("A tag")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search syntax")).to_have_count(0)


def test_it_shows_a_rule_by_its_name_in_a_pill(page_as, viewer, findings):
    rule = RuleFactory(name="Exposed secrets")
    FindingFactory(ticket="over_limit", ticket_rule_id=rule.pk)
    page = page_as(viewer)
    page.goto(f"/findings?q=%40ticket.rule%3A{rule.pk}")
    assert pills(page) == ["@ticket.rule:Exposed secrets"]
    expect_number(page, 1)

    page.get_by_role("button", name="Edit @ticket.rule:Exposed secrets").click()
    expect(bar(page)).to_have_value(f"@ticket.rule:{rule.pk}")
