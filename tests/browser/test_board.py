"""The board of cases in a real browser: cards by mouse and by menu, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from config.accounts.roles import Role
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from ticketing import services
from ticketing.models import Case

BOARD = "/cases?layout=board"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cases(live_server, analyst) -> list[Case]:
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    finding = FindingFactory(severity="critical").pk
    said = {"project": project, "actor": analyst}
    first = services.open_manual_case([finding], title="Public bucket " * 9, priority="P1", **said)
    second = services.open_manual_case([], title="Leaked key", assignee=analyst, **said)
    third = services.open_manual_case([], title="Limit", origin=Case.Origin.LIMIT_NOTICE, **said)
    services.change_case(third, status="CLOSED", actor=analyst)
    return [first, second, third]


def card(page: Page, key: str):
    return page.locator(f"#card-{key}")


def column(page: Page, status: str):
    return page.locator(f'[data-column="{status}"]')


def drag(page: Page, key: str, status: str) -> None:
    start, end = card(page, key).bounding_box(), column(page, status).bounding_box()
    page.mouse.move(start["x"] + 60, start["y"] + 50)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + 30, steps=15)
    page.mouse.move(end["x"] + 80, end["y"] + 24, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("width", [1440, 420])
@pytest.mark.parametrize("query", ["", "&q=Leaked", "&q=status:lost"])
def test_it_shows_the_board_to_everyone(page_as, analyst, cases, width, query):
    page = page_as(analyst, theme=BOTH, width=width)
    page.goto(BOARD + query)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_moves_a_card_by_mouse_and_takes_it_back(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    drag(page, "RISK-2", "IN_PROGRESS")

    expect(page.get_by_text("RISK-2 is In Progress")).to_be_visible()
    expect(column(page, "IN_PROGRESS").locator("#card-RISK-2")).to_be_visible()
    assert Case.objects.get(number=2).status == "IN_PROGRESS"
    page.get_by_role("button", name="Undo").click()
    expect(column(page, "OPEN").locator("#card-RISK-2")).to_be_visible()
    assert Case.objects.get(number=2).status == "OPEN"


def test_it_moves_a_card_by_keys_alone(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    menu = card(page, "RISK-2").get_by_role("button", name="Move RISK-2")
    menu.press("Enter")
    expect(page.get_by_role("menuitem", name="Move to In Progress")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("c")  # type-ahead finds nothing; an arrow does
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(column(page, "CLOSED").locator("#card-RISK-2")).to_be_visible()
    expect(menu).to_be_focused()
    assert Case.objects.get(number=2).status == "CLOSED"


def test_it_shows_where_somebody_else_moved_the_card(page_as, analyst, editor, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    services.change_case(cases[1], status="CLOSED", actor=editor)
    drag(page, "RISK-2", "IN_PROGRESS")

    expect(page.get_by_text("Edith Editor changed the status of this case")).to_be_visible()
    expect(column(page, "CLOSED").locator("#card-RISK-2")).to_be_visible()
    drag(page, "RISK-2", "IN_PROGRESS")  # and the new board can be moved
    expect(page.get_by_text("RISK-2 is In Progress")).to_be_visible()


def test_it_takes_a_card_back_without_a_network(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    page.route("**/column*", lambda route: route.abort())
    drag(page, "RISK-2", "CLOSED")

    expect(page.get_by_text("Check your connection and try again.")).to_be_visible()
    expect(column(page, "OPEN").locator("#card-RISK-2")).to_be_visible()
    assert Case.objects.get(number=2).status == "OPEN"


def test_it_opens_the_case_of_a_card(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    card(page, "RISK-2").click(position={"x": 200, "y": 70})
    expect(page.get_by_role("heading", level=1)).to_have_text("Leaked key")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_moves_a_card_without_scripts(page_as, analyst, cases, theme, width):
    page = page_as(analyst, scripts=False, theme=theme, width=width)
    page.goto(BOARD)
    page.get_by_role("button", name="Move RISK-2").click()
    page.get_by_role("menuitem", name="Move to In Progress").click()

    expect(page.get_by_text("RISK-2 is In Progress")).to_be_visible()
    expect(column(page, "IN_PROGRESS").locator("#card-RISK-2")).to_be_visible()


def test_it_leads_to_the_login_once_the_session_is_over(page_as, analyst, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    page.context.clear_cookies(name="sessionid")
    drag(page, "RISK-2", "CLOSED")

    page.wait_for_url("**/login?next=%2Fcases%3Flayout%3Dboard")
    assert Case.objects.get(number=2).status == "OPEN"


def test_it_takes_a_card_back_that_one_may_not_move(page_as, analyst, admin, cases):
    page = page_as(analyst)
    page.goto(BOARD)
    analyst.role = Role.VIEWER
    analyst.save(update_fields=["role"])
    drag(page, "RISK-2", "CLOSED")

    expect(page.locator("#toasts")).to_contain_text("You need the Analyst role")
    expect(column(page, "OPEN").locator("#card-RISK-2")).to_be_visible()
