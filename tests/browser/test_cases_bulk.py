"""Many cases at once, by keys and by mouse; saved views, due dates, edited comments."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from config.accounts.models import User
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll, settle
from tests.factories import ExternalIssueFactory, FindingFactory, ProjectFactory
from ticketing import details, services
from ticketing.models import Case, ExternalIssue
from ticketing.states import State

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cases(live_server, analyst) -> list[Case]:
    """Five: the first is overdue, the second's ticket failed."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    pks = [FindingFactory(tags=["team:payments"], title=f"Leaked key {n}").pk for n in range(5)]
    opened = services.open_case_each(pks, project=project, actor=analyst)
    details.set_due_date(opened[0], date.today() - timedelta(days=3), actor=analyst)
    said = {"state": State.BLOCKED, "fault": "rejected", "reason": "The workflow says no."}
    ExternalIssueFactory(case=opened[1], **said)
    services.comment(opened[4], "Frist", actor=analyst)
    User.objects.filter(pk=analyst.pk).update(team="payments")
    return opened


def boxes(page: Page):
    return page.locator("#bulk input[name=case]")


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 420), ("dark", 420)]
)
def test_it_shows_its_states_to_everyone(page_as, analyst, cases, theme, width):
    page = page_as(analyst, theme=theme, width=width)
    entry = cases[4].timeline.get(kind="comment")
    for path in ("/account/team", f"/cases/RISK-5/comments/{entry.pk}/edit", "/cases/RISK-5"):
        page.goto(path)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    page.goto("/cases?view=failed")
    boxes(page).first.check()
    expect(page.get_by_role("region", name="Selected cases")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Due date").click()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_works_by_keys_alone(page_as, editor, cases):
    page = page_as(editor)
    page.goto("/cases?sort=key")
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    page.keyboard.press("s")
    expect(page.locator(".menu :focus")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 cases set to In Progress")).to_be_visible()
    assert Case.objects.filter(status="IN_PROGRESS").count() == 3

    settle(page)
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Priority of 1 case set to P5 Info")).to_be_visible()


def test_a_menu_has_the_focus_before_the_next_key(page_as, editor, cases):
    page = page_as(editor)
    page.goto("/cases")
    boxes(page).first.check()
    status = page.get_by_role("button", name="Status")
    focused = status.evaluate(
        "e => { e.click(); return document.activeElement.textContent.trim() }"
    )
    assert focused == "Open"


def test_enter_in_a_check_box_changes_nothing(page_as, editor, cases):
    page = page_as(editor)
    page.goto("/cases")
    boxes(page).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url.endswith("/cases")
    assert not Case.objects.exclude(status="OPEN").exists()


def test_it_asks_before_it_archives(page_as, editor, cases):
    page = page_as(editor)
    page.goto("/cases")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Archive 5 cases?")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("5 cases archived")).to_be_visible()


def test_it_saves_a_view_in_a_dialog(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto("/cases?view=team&status=OPEN")
    expect(page.get_by_role("link", name="My team 5")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name of the view").fill("Ours")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Ours 5")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("scripts", [True, False])
def test_it_sets_the_due_date_and_edits_a_comment(page_as, analyst, cases, scripts):
    page = page_as(analyst, scripts=scripts)
    page.goto("/cases/RISK-5")
    page.get_by_role("button", name="Due:").click()
    page.locator("#due-date").fill("2030-01-31")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("button", name="Due: 31 Jan 2030")).to_be_visible()
    page.get_by_role("link", name="Edit the comment of Alan Analyst").click()
    page.get_by_label("Comment").fill("First")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".said .prose")).to_have_text("First")
    page.get_by_role("link", name="Delete the comment of Alan Analyst").click()
    page.get_by_role("button", name="Delete comment").click()
    expect(page.get_by_text("This comment was deleted.")).to_be_visible()


def test_it_retries_on_the_board_and_in_the_list(page_as, analyst, cases):
    page = page_as(analyst)
    for path in ("/cases?layout=board", "/cases"):
        ExternalIssue.objects.update(state=State.BLOCKED, fault="rejected")
        page.goto(path)
        page.get_by_role("button", name="Retry RISK-2").click()
        expect(page.get_by_text("Tried again")).to_be_visible()
        assert page.url.endswith(path)
