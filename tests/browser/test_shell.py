"""The frame and the components under the real policy, by keyboard, and without scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from config.accounts.roles import Role
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, RuleFactory


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_every_component_to_everyone(page_as, admin, width):
    page = page_as(admin, theme=BOTH, width=width)
    page.goto("/styleguide")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_reflows_on_the_narrowest_window(page_as, viewer):
    page = page_as(viewer, width=320)
    page.goto("/styleguide")
    assert_no_sideways_scroll(page)


@pytest.mark.parametrize("path", ["/login", "/nothing-here"])
def test_it_greets_strangers_accessibly(page_as, path):
    page = page_as(None, theme=BOTH)
    page.goto(path)
    assert_accessible(page)


def test_it_offers_to_skip_the_navigation_first(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    skip.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_it_switches_the_theme_at_once_and_remembers_it(page_as, viewer):
    page = page_as(viewer, theme="light")
    page.goto("/styleguide")
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()


def test_it_walks_a_menu_by_keyboard(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    opener = page.get_by_role("button", name="Row menu")
    opener.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    page.keyboard.press("d")
    expect(page.get_by_role("menuitem", name="Duplicate")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")


def test_it_puts_a_menu_beside_its_button(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    opener = page.get_by_role("button", name="More kinds of rules")
    opener.click()
    button, menu = opener.bounding_box(), page.locator("#sample-split").bounding_box()
    assert menu["y"] == pytest.approx(button["y"] + button["height"] + 4, abs=2)
    assert menu["x"] + menu["width"] == pytest.approx(button["x"] + button["width"], abs=2)


def test_it_explains_on_focus_and_stops_on_escape(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.get_by_role("button", name="Row menu").focus()
    page.keyboard.press("Tab")
    tip = page.get_by_role("tooltip")
    expect(tip).to_have_text("This rule created 25 of 25 tickets today.")
    expect(page.get_by_role("button", name="Tooltip")).to_have_attribute("aria-describedby", "tip")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_it_asks_before_it_deletes(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    delete = page.get_by_role("link", name="Delete")
    delete.click()
    question = page.get_by_role("alertdialog", name="Delete “Exposed secrets”?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    expect(question.get_by_role("button", name="Delete rule")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(delete).to_be_focused()


def test_it_lists_the_keys_that_work_here(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.locator("main").press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Go to Findings", exact=True)).to_be_visible()
    expect(sheet.get_by_text("Search", exact=True)).to_be_visible()
    assert_accessible(page)


def test_it_goes_where_two_keys_say_but_not_from_a_field(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.locator("main").press("/")
    search = page.get_by_role("searchbox", name="Search rules")
    expect(search).to_be_focused()
    search.press_sequentially("gf")
    expect(search).to_have_value("gf")
    search.blur()
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/settings/findings-automation")


def test_it_leaves_single_keys_to_those_who_turned_them_off(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.locator("main").press("?")
    page.get_by_role("switch", name="Single-key shortcuts").uncheck()
    page.reload()
    page.locator("main").press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_it_folds_the_navigation_and_remembers_it(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.locator("main").press("[")
    expect(page.locator(".side")).to_have_css("width", "48px")
    page.reload()
    expect(page.locator(".side")).to_have_css("width", "48px")
    assert_accessible(page)


def test_it_opens_the_navigation_as_a_sheet_on_a_narrow_window(page_as, viewer):
    page = page_as(viewer, width=420)
    page.goto("/styleguide")
    page.get_by_role("link", name="Menu").click()
    sheet = page.get_by_role("dialog", name="Menu")
    expect(sheet.get_by_role("link", name="Findings", exact=True)).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("#nav .nav")).to_have_count(1)


def test_it_signs_out_from_the_menu_of_the_person(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.get_by_role("button", name=viewer.name, exact=True).click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login*")


def test_it_lets_a_toast_be_dismissed(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    toast = page.locator("#toast-samples .toast", has_text="Order not saved")
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_it_needs_no_scripts(page_as, viewer):
    page = page_as(viewer, width=420, scripts=False)
    page.goto("/styleguide")
    page.get_by_role("link", name="Menu").click()
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".topbar").get_by_role("button").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login*")


def chip_with_popover(page):
    page.route("**/popover", lambda route: route.fulfill(body='<a href="/cases">Open the case</a>'))
    chip = page.locator("a.tk", has_text="SEC-4821")
    chip.evaluate("chip => chip.dataset.popover = '/popover'")
    return chip


def test_it_opens_a_ticket_s_details_from_the_keyboard(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    chip = chip_with_popover(page)
    chip.press("ArrowDown")
    details = page.get_by_role("dialog", name="SEC-4821")
    expect(details.get_by_role("link", name="Open the case")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(details).to_have_count(0)
    expect(chip).to_be_focused()


def test_it_opens_a_ticket_s_details_under_the_pointer_and_lets_it_in(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    chip = chip_with_popover(page)
    chip.hover()
    inside = page.get_by_role("link", name="Open the case")
    expect(inside).to_be_visible()
    inside.hover()
    page.wait_for_timeout(400)
    expect(inside).to_be_visible()
    page.locator("h1").hover()
    expect(inside).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "said"), [(500, "Something broke on our side"), (403, "You may not do this")]
)
def test_it_says_so_when_a_request_fails(page_as, viewer, status, said):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.route("**/refused", lambda route: route.fulfill(status=status))
    page.evaluate("htmx.ajax('GET', '/refused', {target: '#main'}).catch(() => {})")
    expect(page.locator("#toasts").get_by_role("alert")).to_contain_text(said)


def test_it_says_so_when_the_server_cannot_be_reached(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.route("**/refused", lambda route: route.abort())
    page.evaluate("htmx.ajax('GET', '/refused', {target: '#main'}).catch(() => {})")
    expect(page.locator("#toasts").get_by_role("alert")).to_contain_text("Could not reach")


def test_it_goes_to_sign_in_when_the_session_is_over(page_as, viewer):
    page = page_as(viewer)
    page.goto("/styleguide")
    page.route("**/refused", lambda route: route.fulfill(status=401))
    page.context.clear_cookies()
    page.evaluate("htmx.ajax('GET', '/refused', {target: '#main'}).catch(() => {})")
    page.wait_for_url("**/login?next=%2Fstyleguide")


def test_it_warns_before_the_session_ends_and_lets_one_stay(page_as, viewer):
    page = page_as(viewer, clock=True)
    page.goto("/styleguide")
    ends = datetime.now(UTC) + timedelta(seconds=119)
    page.route("**/session", lambda route: _say_end(route, ends))
    page.clock.fast_forward("11:58:10")

    warning = page.locator("#toasts").get_by_text("You will be signed out in 2 minutes")
    expect(warning).to_be_visible()
    assert_accessible(page)
    page.unroute("**/session")
    page.route("**/session", lambda route: _stay(route, ends))
    with page.expect_response(lambda answer: answer.request.method == "POST") as extended:
        page.get_by_role("button", name="Stay signed in").press("Enter")
    assert extended.value.ok
    expect(page.get_by_text("You stay signed in")).to_be_visible()
    expect(warning).to_be_hidden()


def _stay(route, ends: datetime) -> None:
    """Asks the server, whose clock is twelve hours behind that of the page."""
    assert route.fetch().ok
    _say_end(route, ends + timedelta(hours=12))


def _say_end(route, ends: datetime) -> None:
    end = ends + timedelta(hours=11, minutes=58)
    route.fulfill(json={"ends": end.isoformat(), "can_be_extended": True})


def test_it_says_when_the_session_is_over(page_as, viewer):
    page = page_as(viewer, clock=True)
    page.goto("/styleguide")
    page.context.clear_cookies(name="sessionid")
    page.clock.fast_forward("11:59:00")
    expect(page.get_by_text("You were signed out")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/login?next=/styleguide")


def test_it_counts_what_is_open_after_the_page(page_as, viewer):
    FindingFactory()
    page = page_as(viewer)
    page.goto("/styleguide")
    expect(page.get_by_role("link", name="Findings 1 open", exact=True)).to_be_visible()


def test_it_says_whom_to_ask_when_something_is_refused(page_as, editor, admin):
    rule = RuleFactory(name="Mine")
    page = page_as(editor)
    page.goto("/settings/findings-automation")
    editor.role = Role.VIEWER
    editor.save(update_fields=["role"])
    page.get_by_role("switch", name=f"Enable {rule.name}").click()
    expect(page.get_by_text("Ask an admin: Ada Admin.")).to_be_visible()
