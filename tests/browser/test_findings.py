"""Findings in a real browser: searching, the drawer by mouse and keys, tickets by hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from findings.facts import Ticket
from findings.models import Finding
from findings.services import record
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, reported, ticket_rule
from ticketing.models import Case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def findings(live_server) -> list[Finding]:
    """Two secrets, the first with a rule's ticket and the other over its limit; a library."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    create_rule(
        ticket_rule(
            name="Exposed secrets",
            finding_types=["secret"],
            query="",
            project_id=project.pk,
            max_tickets_per_day=1,
        ),
        actor=None,
    )
    said = {
        "finding_type": "secret",
        "severity": "critical",
        "title": "AWS key",
        "tags": ["env:prod", "team:web"],
    }
    record(reported(2, **said), source=SourceFactory())
    evaluate_all()
    FindingFactory(title="Outdated library", severity="low", tags=["team:data"])
    return list(Finding.objects.order_by("pk"))


@pytest.fixture
def ticketed(findings) -> Finding:
    return next(finding for finding in findings if finding.ticket == Ticket.AUTOMATED)


def expect_rows(page: Page, *titles: str) -> None:
    expect(page.locator("tr[data-finding] .title")).to_have_text(titles)


def drawer(page: Page):
    return page.locator("#drawer")


@pytest.mark.parametrize("width", [1440, 1000, 420])
def test_it_shows_findings_to_everyone(page_as, analyst, findings, width):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto("/findings")
    expect(page.get_by_role("link", name="Outdated library")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("checkbox", name="Select Outdated library").check()
    expect(page.locator(".bulk-count")).to_have_text("1 selected")
    assert_accessible(page)


@pytest.mark.parametrize("width", [1440, 420])
@pytest.mark.parametrize("tab", ["", "?tab=why"])
def test_it_shows_one_finding_to_everyone(page_as, analyst, ticketed, width, tab):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto(f"/findings/{ticketed.finding_id}{tab}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.goto(f"/findings?finding={ticketed.finding_id}&{tab.removeprefix('?')}")
    expect(drawer(page)).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_shows_nothing_yet_nothing_found_and_a_bad_query(page_as, viewer, live_server):
    page = page_as(viewer, theme=BOTH)
    page.goto("/findings")
    expect(page.get_by_text("No findings yet")).to_be_visible()
    assert_accessible(page)
    FindingFactory()
    for query, said in (("nothing", "No findings match"), ("(", "This search can't be read")):
        page.goto(f"/findings?q={query}")
        expect(page.get_by_text(said)).to_be_visible()
        assert_accessible(page)


def test_it_searches_while_one_types(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    page.keyboard.press("/")
    page.keyboard.type("team:data")
    expect(page.locator(".results-count")).to_contain_text("1 finding")
    expect(page).to_have_url(re.compile(r"\?q=team%3Adata$"))
    expect(page.get_by_role("combobox", name="Search findings")).to_be_focused()
    expect_rows(page, "Outdated library")

    page.keyboard.type(" (")
    expect(page.get_by_role("alert")).to_contain_text("at character 11")
    expect_rows(page, "Outdated library")
    assert_accessible(page)


def test_it_narrows_by_facets_and_back(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    page.get_by_role("checkbox", name="Critical", exact=True).uncheck()
    expect(page.locator(".results-count")).to_contain_text("1 finding")
    expect(page).to_have_url(re.compile("severity=low"))
    expect(page.get_by_role("checkbox", name="Critical", exact=True)).to_be_focused()
    page.get_by_role("checkbox", name="Critical", exact=True).check()
    expect(page.locator(".results-count")).to_contain_text("3 findings")
    expect(page).to_have_url(re.compile("/findings$"))

    page.go_back()
    expect(page.locator(".results-count")).to_contain_text("1 finding")
    expect(page.get_by_role("checkbox", name="Critical", exact=True)).not_to_be_checked()


def test_it_counts_a_facet_when_it_is_opened(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    page.goto("/findings")  # a browser that has asked for the facets later
    page.locator("[data-facet=team] summary").click()
    page.get_by_role("checkbox", name="data", exact=True).uncheck()
    expect(page.locator(".results-count")).to_contain_text("2 findings")
    expect(page).to_have_url(re.compile("team=web$"))
    assert_accessible(page)


def test_it_opens_findings_beside_the_list_by_keys(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    page.keyboard.press("j")
    expect(page.locator("tr[data-finding] .title").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer(page).locator("[data-drawer-title]")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?finding="))
    first = page.url

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(drawer(page)).to_contain_text("Outdated library")
    assert page.url != first
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Outdated library")).to_be_focused()
    expect(page).to_have_url(re.compile("/findings$"))


def test_it_closes_the_drawer_with_back(page_as, viewer, findings):
    page = page_as(viewer)
    page.goto("/findings")
    page.get_by_role("link", name="Outdated library").click()
    expect(drawer(page)).to_be_visible()
    page.go_back()
    expect(drawer(page)).to_be_hidden()
    page.go_forward()
    expect(drawer(page)).to_contain_text("Outdated library")


def test_it_says_why_in_the_drawer(page_as, viewer, ticketed):
    page = page_as(viewer)
    page.goto(f"/findings?finding={ticketed.finding_id}")
    page.keyboard.press("w")
    expect(drawer(page)).to_contain_text("matched at rule 1 of 1")
    expect(drawer(page)).to_contain_text("0 of 1 used before this ticket")
    assert_accessible(page)
    drawer(page).get_by_role("link", name="Tags").click()
    expect(drawer(page).get_by_role("heading", name="Tags")).to_be_visible()


def test_it_tells_of_a_ticket_on_hover_and_detaches_it(page_as, analyst, ticketed):
    page = page_as(analyst)
    page.goto("/findings")
    chip = page.get_by_role("link", name="RISK-1")
    chip.hover()
    pop = page.get_by_role("dialog", name="RISK-1")
    expect(pop).to_contain_text("Created automatically by rule")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(pop).to_be_hidden()
    chip.focus()
    page.keyboard.press("ArrowDown")
    expect(pop.get_by_role("link", name="Exposed secrets")).to_be_focused()
    page.keyboard.press("Escape")
    expect(chip).to_be_focused()

    chip.click()
    pop.get_by_role("link", name="Detach").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Detach").click()
    expect(page.get_by_text("Detached from RISK-1")).to_be_visible()
    ticketed.refresh_from_db()
    assert ticketed.ticket == Ticket.NONE


def test_it_creates_tickets_for_what_is_selected(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings?ticket=over_limit&ticket=none")
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.locator(".bulk-count")).to_have_text("2 selected")
    page.get_by_role("button", name="Create ticket").click()
    assert_accessible(page)
    page.get_by_role("menuitem", name="One ticket per finding").click()
    dialog = page.get_by_role("dialog", name="Create 2 tickets")
    expect(dialog.get_by_role("combobox", name="Create a ticket in")).to_be_focused()
    assert_accessible(page)
    dialog.get_by_role("button", name="Create ticket").click()

    expect(page.get_by_text("2 tickets created: RISK-3 to RISK-4")).to_be_visible()
    assert Case.objects.filter(origin="manual").count() == 2
    assert page.url.endswith("/findings?ticket=over_limit&ticket=none")


def test_it_keeps_a_refused_form_open(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings")
    page.get_by_role("link", name="Outdated library").click()
    drawer(page).get_by_role("button", name="Attach to existing").click()
    dialog = page.get_by_role("dialog", name="Attach 1 finding")
    dialog.get_by_role("textbox", name="Case key").fill("SEC-99999")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("SEC-99999 was not found.")
    assert_accessible(page)
    dialog.get_by_role("textbox", name="Case key").fill("RISK-1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 finding attached to RISK-1")).to_be_visible()


def test_it_does_all_of_it_without_scripts(page_as, analyst, findings):
    page = page_as(analyst, scripts=False)
    page.goto("/findings")
    page.get_by_role("checkbox", name="Low", exact=True).uncheck()
    page.get_by_role("button", name="Apply").click()
    expect_rows(page, "AWS key", "AWS key")
    page.locator("input[name=finding]").first.check()
    page.get_by_role("button", name="Mute").click()
    page.get_by_role("combobox", name="Reason").select_option("Other")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_text("1 finding muted")).to_be_visible()
    page.get_by_role("link", name="AWS key").first.click()
    expect(page.get_by_role("heading", level=1, name="AWS key")).to_be_visible()


def test_it_opens_the_facets_as_a_sheet_in_a_narrow_window(page_as, viewer, findings):
    page = page_as(viewer, width=420)
    page.goto("/findings")
    page.get_by_role("link", name="Facets").click()
    expect(page.get_by_role("checkbox", name="Low", exact=True)).to_be_visible()
    assert_accessible(page)
    page.get_by_role("checkbox", name="Low", exact=True).uncheck()
    expect(page.locator(".results-count")).to_contain_text("2 findings")
    page.get_by_role("link", name="Show findings").click()
    expect(page.get_by_role("checkbox", name="Low", exact=True)).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 420])
def test_it_suggests_while_one_types(page_as, viewer, findings, width):
    page = page_as(viewer, theme=BOTH, width=width)
    page.goto("/findings")
    page.keyboard.press("/")
    page.keyboard.type("tea")
    expect(page.get_by_role("option", name="team:")).to_be_visible()
    expect(page).to_have_url(re.compile("q=tea$"))  # it was searched for meanwhile
    assert_accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.type("d")
    expect(page.get_by_role("option", name="team:data")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".results-count")).to_contain_text("1 finding")
    expect(page.get_by_role("button", name="Edit team:data")).to_be_visible()
    expect(page.get_by_role("combobox", name="Search findings")).to_be_focused()
    page.keyboard.type("O")
    page.locator(".suggestions").get_by_role("option", name="OR").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".suggestions")).to_be_hidden()


def test_it_selects_ranges_and_creates_tickets_by_keys(page_as, analyst, findings):
    page = page_as(analyst)
    page.goto("/findings")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Outdated library")).to_be_focused()
    page.keyboard.press("Shift+X")
    expect(page.locator(".bulk-count")).to_have_text("3 selected")
    page.keyboard.press("t")
    expect(page.get_by_role("menuitem", name="One ticket per finding")).to_be_visible()


def test_it_says_why_of_the_row_one_is_at(page_as, viewer, ticketed):
    page = page_as(viewer)
    page.goto("/findings")
    page.keyboard.press("j")
    page.keyboard.press("w")
    expect(drawer(page)).to_contain_text("Rules are shown as they were")
    expect(page).to_have_url(re.compile("tab=why"))


@pytest.mark.parametrize("width", [1440, 420])
def test_it_saves_a_view(page_as, analyst, findings, width):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto("/findings?q=team:data")
    page.get_by_role("link", name="Save view").click()
    assert_accessible(page)
    page.get_by_role("textbox", name="Name of the view").fill("Data team")
    page.keyboard.press("Enter")
    expect(page.get_by_text("View Data team saved")).to_be_visible()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Data team 1")
    expect(tab).to_have_attribute("aria-current", "true")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
