"""What holds on every page: reflow, still layout, small transfers, keys, forced colours."""

from __future__ import annotations

import gzip
from functools import cache

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import (
    assert_accessible,
    assert_no_sideways_scroll,
    layout_shift,
    settle,
    violations,
)
from tests.browser.furnished import RULES, furnish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BUDGETS = {"document": 25_000, "script": 60_000, "stylesheet": 30_000, "font": 60_000}

# Where the focus is now, whether one sees that it is there, and whether something hides it.
FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const again = here.dataset.visited && here.type === "date"; // the parts of a date ring themselves
  const around = [here];
  while (around.length < 5 && around.at(-1).parentElement) around.push(around.at(-1).parentElement);
  const ringed = (e, pseudo) => {
    const style = e && getComputedStyle(e, pseudo);
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const stroked = (e) => { // what is drawn as SVG, in a chart as wide as its page
    const style = getComputedStyle(e);
    return style.stroke !== "none" && parseFloat(style.strokeWidth) >= 2;
  };
  const isDrawn = Boolean(here.ownerSVGElement) && [...here.children].some(stroked);
  const box = here.getBoundingClientRect();
  const inside = box.width && box.top < innerHeight && box.bottom > 0 && box.left < innerWidth;
  const at = (x, y) => document.elementFromPoint(x, y);
  const spots = [[box.left + box.width / 2, box.top + box.height / 2], [box.left + 3, box.top + 3]];
  const free = spots.some(([x, y]) => {
    const top = at(x, y);
    return top && (here.contains(top) || top.contains(here) || here.labels?.[0]?.contains(top));
  });
  here.dataset.visited = "yes";
  const what = here.outerHTML.slice(0, 160);
  const isRinged = isDrawn || around.some((e) => ringed(e) || ringed(e, "::after"));
  if (!again && !isRinged) return `no ring: ${what}`;
  return inside && free ? "" : `hidden: ${what}`;
}"""
FORMLESS = """() => [...document.querySelectorAll("[form]")]
  .filter((e) => !e.form).map((e) => `no such form: ${e.outerHTML.slice(0, 160)}`)"""
REACHABLE = """() => {
  const all = `a[href], button, input, select, textarea, summary, [tabindex="0"]`;
  const closed = (e) => e.closest("dialog:not([open])");
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !closed(e);
  const other = (e) => document.querySelector(`[name="${e.name}"][data-visited]`);
  const group = (e) => e.type === "radio" && other(e); // one tab stop for all of them
  return [...document.querySelectorAll(all)]
    .filter((e) => !e.disabled && e.type !== "hidden" && e.tabIndex >= 0 && seen(e))
    .filter((e) => !e.dataset.visited && !group(e) && !e.matches("fieldset:disabled *"))
    .map((e) => `never reached: ${e.outerHTML.slice(0, 160)}`);
}"""


@pytest.fixture
def addresses(live_server, admin) -> list[str]:
    return furnish(admin)


def checked(page: Page, addresses: list[str], look) -> dict[str, object]:
    """What `look` says of each page that is not as it should be (it says so by being true)."""
    found = {}
    for address in addresses:
        page.goto(address)
        settle(page)
        if said := look():
            found[address] = said
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_is_for_everyone(page_as, admin, addresses, theme, width):
    """Accessible, small, and still while it loads."""
    page = page_as(admin, theme=theme, width=width)
    loaded: dict[str, int] = {}
    page.on("response", lambda response: weigh(response, loaded))
    wrong: dict[str, object] = {}
    for address in addresses:
        loaded.clear()
        page.goto(address)
        settle(page)
        moved = layout_shift(page)
        over = {kind: size for kind, size in loaded.items() if size > BUDGETS[kind]}
        if over or moved >= 0.02:
            wrong[address] = over, moved
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    assert wrong == {}


def weigh(response, loaded: dict[str, int]) -> None:
    kind = response.request.resource_type
    if kind in BUDGETS and response.status == 200:
        body = response.body()
        size = len(body) if kind == "font" else packed(body)
        loaded[kind] = loaded.get(kind, 0) + size


@cache
def packed(body: bytes) -> int:
    """Most of what a page loads is the same on the next one."""
    return len(gzip.compress(body))


WIDTHS = (1181, 760, 320)  # where layouts are tightest, and 400 %


def test_it_fits_every_width(page_as, admin, addresses):
    """What scrolls inside of a page, as it is so small, is scrolled by keys, too."""
    page = page_as(admin)

    def wide() -> dict[int, object]:
        found: dict[int, object] = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
                found[width] = needed
        page.set_viewport_size({"width": 320, "height": 256})
        if stuck := violations(page, "scrollable-region-focusable"):
            found[320] = stuck
        return found

    assert checked(page, addresses, wide) == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [1440, 420])
def test_it_leads_the_focus_through_all_of_a_page(page_as, admin, addresses, width):
    """By Tab alone: to everything, visibly, hidden by nothing, and out of the page again."""
    page = page_as(admin, width=width)

    def walk() -> list[object]:
        page.route("**/*", _without_polls)  # what is replaced was never visited
        try:
            return walk_on()
        finally:
            page.unroute("**/*")

    def walk_on() -> list[object]:
        wrong: list[object] = page.evaluate(FORMLESS)
        page.locator(".skip").focus()  # some pages begin in a field
        page.locator(".skip").evaluate("link => { link.dataset.visited = 'yes'; }")
        for _ in range(400):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus is None:
                return wrong + page.evaluate(REACHABLE)
            if focus:
                wrong.append(focus)
        return [*wrong, "a trap"]

    # One has no frame; the explorer's rows hide their columns' heads where they are cards.
    framed = [each for each in addresses if not each.startswith(("/nothing-here", "/findings"))]
    assert checked(page, framed, walk) == {}


def _without_polls(route: Route) -> None:
    if "hx-request" in route.request.headers:
        route.fulfill(status=204)
    else:
        route.continue_()


def test_it_keeps_its_marks_in_forced_colours(page_as, admin, addresses):
    page = page_as(admin)
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    page.goto(RULES)
    bolt = page.locator(".nav .bolt").first
    expect(bolt).to_have_css("background-color", "rgb(255, 201, 31)")
    marks = ".limit progress", "[role=switch]", ".broken-mark", ".pill", ".node.volt", ".rl-head"
    for mark in marks:
        assert page.locator(mark).locator("visible=true").count(), mark
    chosen, other = page.locator("#rule-states [aria-current]"), page.locator("#rule-states a").last
    colour = "e => getComputedStyle(e).backgroundColor"
    assert chosen.evaluate(colour) != other.evaluate(colour)
    card = page.locator("#rules-ticket_creation")
    assert card.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
