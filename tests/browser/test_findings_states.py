"""Every dialog and every failure of the pages of findings, for everyone."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from config.lib.statement_timeout import QueryTimeout
from findings.views.searching import StillLoading
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
A_REQUEST = 8  # seconds, of a machine that is busy
EVERYBODY = pytest.mark.parametrize(
    ("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 420), ("dark", 420)]
)


@pytest.fixture
def findings(live_server):
    ProjectFactory(key="RISK", name="Cloud Risk")
    return FindingFactory.create_batch(3, tags=["team:web"], attributes={"line": 4})


def fail(monkeypatch, error, *reads):
    """What the explorer reads by these functions fails."""

    def read(*_, **__):
        raise error

    for name in reads:
        monkeypatch.setattr(f"findings.views.explorer.{name}", read)


@EVERYBODY
def test_it_asks_every_question_of_everyone(page_as, analyst, findings, theme, width):
    page = page_as(analyst, theme=theme, width=width)
    page.goto("/findings")
    page.locator("input[name=finding]").first.check()
    for name, title in {
        "Attach to existing": "Attach 1 finding to a ticket",
        "Mute": "Mute 1 finding",
        "Assign": "Assign 1 finding",
        "Status": "Change the status of 1 finding",
    }.items():
        page.locator(".of-some").get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name=title)).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@EVERYBODY
def test_it_says_to_everyone_that_the_database_does_not_answer(
    page_as, viewer, findings, monkeypatch, theme, width
):
    fail(monkeypatch, QueryTimeout, "page_and_total", "count_facets", "histogram", "counts_of")
    page = page_as(viewer, theme=theme, width=width)
    page.goto("/findings?q=team:web")
    expect(page.get_by_role("alert")).to_contain_text(
        "Findings could not be loaded. The database did not answer in 5 s. Narrow the search"
    )
    assert_accessible(page)
    assert_no_sideways_scroll(page)

    monkeypatch.undo()
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(".results-count")).to_have_text("3 findings")


def test_facets_and_chart_appear_once_findings_are_in_memory(
    page_as, viewer, findings, monkeypatch
):
    """The server has just started; how long this takes is what the browser waits between two."""

    fail(monkeypatch, StillLoading, "count_facets", "histogram")
    page = page_as(viewer)
    page.goto("/findings")
    expect(page.locator(".results-count")).to_have_text("3 findings")
    waiting = page.get_by_text("Counting all findings. This server has just started")
    expect(waiting).to_have_count(2)
    assert_accessible(page)
    began = time.monotonic()
    monkeypatch.undo()
    expect(page.locator("svg[data-zooms]")).to_be_visible()
    expect(page.locator("[data-facet=severity]")).to_be_visible()
    assert time.monotonic() - began < 5 + A_REQUEST
    expect(waiting).to_have_count(0)


def test_a_page_without_scripts_says_that_findings_are_still_read(
    page_as, viewer, findings, monkeypatch
):
    fail(monkeypatch, StillLoading, "count_facets", "histogram")
    page = page_as(viewer, scripts=False)
    page.goto("/findings?facets=now")
    expect(page.locator(".results-count")).to_have_text("3 findings")
    expect(page.get_by_text("Counting all findings. This server has just started")).to_have_count(2)
    expect(page.get_by_text("by themselves")).to_be_hidden()
    expect(page.get_by_text("did not answer")).to_have_count(0)
    monkeypatch.undo()
    page.get_by_role("link", name="Load the page again").first.click()
    expect(page.locator("[data-facet=severity]")).to_be_visible()


@EVERYBODY
def test_it_offers_everyone_a_way_out_of_an_empty_search(page_as, viewer, findings, theme, width):
    page = page_as(viewer, theme=theme, width=width)
    page.goto("/findings?q=team:nobody&from=24h")
    expect(page.get_by_text("Remove a filter or widen the time range.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Past 90 days").click()
    expect(page.get_by_text("Remove a filter or change the query.")).to_be_visible()
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator(".results-count")).to_have_text("3 findings")


def test_it_does_everything_by_keys_alone(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("t")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Create a ticket")
    expect(dialog.get_by_role("combobox", name="Create a ticket in")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ticket RISK-1 created")).to_be_visible()
