"""Cases in a real browser: by mouse and keys, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from ticketing import services
from ticketing.models import Case

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = """# Plan

- one
- `two`

| a | b |
|---|---|
| 1 | 2 |

> so [they](https://x.example) say"""


@pytest.fixture
def cases(live_server, analyst) -> list[Case]:
    """One of each origin; the first with everything on it."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    ProjectFactory(key="OPS", name="Operations")
    finding = FindingFactory(title="Public bucket", severity="critical", resource_id="arn:" * 30)
    first = services.open_manual_case(
        [finding.pk, FindingFactory(severity="low").pk],
        project=project,
        title="Public bucket " * 8,
        description=TEXT,
        assignee=analyst,
        priority="P1",
        actor=analyst,
    )
    services.comment(first, TEXT, actor=analyst)
    services.change_case(first, status="IN_PROGRESS", priority="P2", actor=analyst)
    for origin in ("test", "limit_notice", "api"):
        services.open_manual_case([], project=project, title=origin, origin=origin, actor=None)
    rule = {"rule_id": first.pk, "rule_name": "Deleted rule"}
    Case.objects.filter(origin="limit_notice").update(**rule)
    return list(Case.objects.order_by("number"))


def row(page: Page, title: str):
    return page.get_by_role("link", name=title, exact=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
@pytest.mark.parametrize(
    "path",
    [
        "/cases",
        "/cases?q=status:lost",
        "/cases?q=nothing",
        "/cases/RISK-1",
        "/cases/RISK-3",
        "/cases/RISK-1/edit",
        "/cases/RISK-1/archive",
        "/cases/new",
        "/cases/projects",
        "/cases/projects/RISK",
    ],
)
def test_it_shows_every_page_to_everyone(page_as, editor, cases, path, theme, width):
    page = page_as(editor, theme=theme, width=width)
    page.goto(path)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("path", ["/cases", "/cases/new", "/cases/projects"])
def test_it_shows_emptiness_to_everyone(page_as, editor, path):
    page = page_as(editor, theme=BOTH, width=420)
    page.goto(path)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_opens_a_case_by_keys(page_as, viewer, cases):
    page = page_as(viewer)
    page.goto("/cases?sort=created")
    page.keyboard.press("j")
    expect(row(page, "api")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(row(page, "limit_notice")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("limit_notice")


def test_it_opens_a_case_by_a_click_anywhere_in_its_row(page_as, viewer, cases):
    page = page_as(viewer)
    page.goto("/cases")
    page.get_by_role("cell", name="RISK-3").click(force=True)  # the link lies over the row
    expect(page.get_by_role("heading", level=1)).to_have_text("limit_notice")


def test_it_changes_status_priority_and_assignee_by_keys(page_as, editor, cases):
    page = page_as(editor)
    page.goto("/cases/RISK-1")
    for key, name in (("s", "Closed"), ("p", "P4 Low"), ("a", "Edith Editor")):
        page.keyboard.press(key)
        page.get_by_role("menuitemradio", name=name).first.press("Enter")
        expect(page.locator(".happenings li").first).to_contain_text(f"{name} by Edith Editor")
    case = Case.objects.get(number=1)
    assert (case.status, case.priority, case.assignee) == ("CLOSED", "P4", editor)


def test_it_sends_a_comment_by_keys(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto("/cases/RISK-1")
    page.keyboard.press("m")
    page.keyboard.type("Rotated **now**")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#activity strong")).to_have_text("now")


def test_it_asks_before_it_detaches_archives_and_moves(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto("/cases/RISK-1")
    page.get_by_label("Select Public bucket").check()
    page.get_by_role("button", name="Detach 1").click()
    expect(page.get_by_role("heading")).to_have_text("Detach this finding from RISK-1?")
    page.get_by_role("button", name="Detach").click()
    expect(page.get_by_text("The other one stays in RISK-1.")).to_be_visible()
    page.get_by_role("button", name="Project: Cloud Risk").click()
    page.get_by_role("menuitem", name="Operations").click()
    page.get_by_role("button", name="Move case").click()
    expect(page.get_by_text("RISK-1 is now OPS-1")).to_be_visible()
    page.get_by_role("button", name="More for OPS-1").click()
    page.get_by_role("menuitem", name="Archive").click()
    page.get_by_role("button", name="Archive case").click()
    expect(page.get_by_text("This case is archived.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("OPS-1 unarchived")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_works_without_scripts(page_as, analyst, cases, theme, width):
    finding = FindingFactory(title="Another")
    page = page_as(analyst, scripts=False, theme=theme, width=width)
    page.goto("/cases/RISK-1")
    page.get_by_text("Attach finding").click()
    page.get_by_label("Finding ID or link").fill(f"/findings/{finding.finding_id}")
    page.get_by_role("button", name="Attach").click()
    page.get_by_label("Select Another").check()
    page.get_by_role("button", name="Detach").click()
    expect(page.get_by_role("heading")).to_have_text("Detach this finding from RISK-1?")
    page.get_by_role("button", name="Detach").click()
    expect(page.get_by_label("Select Another")).to_have_count(0)
    page.get_by_role("button", name="Status: In Progress").click()
    page.get_by_role("menuitemradio", name="Closed").first.click()
    expect(page.get_by_role("button", name="Status: Closed")).to_be_visible()


def test_its_layouts_are_not_cut_off_on_a_narrow_screen(page_as, editor, cases):
    page = page_as(editor, width=420)
    page.goto("/cases")
    layouts = page.get_by_role("navigation", name="Layout")
    assert layouts.evaluate("nav => nav.scrollWidth <= nav.clientWidth")
