"""Every combobox of the product, each asked the same questions."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll, settle
from tests.browser.test_rule_editor_jira import account  # noqa: F401  a fixture
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "/settings/findings-automation/create_ticket/new"


class Field(NamedTuple):
    """`typed` finds `option` first; `takes` is what stands in the field, or on a chip, then."""

    name: str
    typed: str
    option: str
    takes: str = ""
    wrong: str = ""  # what it refuses
    because: str = ""
    is_many: bool = False
    leads_on: bool = False  # Tab goes to the next field


TYPES = Field(
    *("Any of these types", "secr", "Secret", "Secret"),
    *("nonsense", "is not a finding type"),
    is_many=True,
)
TERMS = Field(
    *("Any of these tags or attributes", "env:p", "env:prod", "env:prod"),
    *("foo", "“foo” is not a tag or attribute. Use key:value."),
    is_many=True,
)
GROUPING = Field(
    *("Fields to group by", "repo", "Repository", "Repository"),
    *("foo", "“foo” is not a field."),
    is_many=True,
)
NONE = "No values match “zzz”"
SPACE = Field("Space", "secur", "SEC Security Engineering", "SEC Security Engineering", "zzz", NONE)
PERSON = Field("Assignee", "dana", "Dana", "Dana", "zzz", NONE, leads_on=True)
PROJECT = Field("Project", "07", "P07 Project 07", "P07 Project 07", "zzz", NONE, leads_on=True)
TICKET_IN = PROJECT._replace(name="Create a ticket in")
OWNER = Field("Assignee", "per", "Person 0", "Person 0", "zzz", NONE, leads_on=True)
SEARCH = Field("Search findings", "env:p", "env:prod", "")
JUMP = Field("Jump to", "overv", "Overview")


@pytest.fixture
def world(live_server) -> None:
    for n in range(14):
        ProjectFactory(key=f"P{n:02}", name=f"Project {n:02}")
        UserFactory(name=f"Person {n}")
    FindingFactory.create_batch(3, title="Bucket", tags=["env:prod", "team:web"])
    FindingFactory(title="Host", tags=["env:dev"])


def open_editor(page: Page) -> None:
    page.goto(NEW)
    expect(page.locator("#destination[aria-busy]")).to_have_count(0)
    page.get_by_role("radio", name="other fields…").check()


def open_cases(page: Page) -> None:
    page.goto("/cases/new")


def open_ticket_dialog(page: Page) -> None:
    page.goto("/findings")
    page.get_by_role("checkbox", name="Select Host").check()
    page.get_by_role("button", name="Create ticket").click()
    page.get_by_role("menuitem", name="One ticket for all").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def open_explorer(page: Page) -> None:
    page.goto("/findings")


def open_palette(page: Page) -> None:
    page.goto("/styleguide")
    page.keyboard.press("Control+k")


Opener = Callable[[Page], None]
PLACES: dict[str, tuple[Opener, tuple[Field, ...]]] = {
    "editor": (open_editor, (TYPES, TERMS, SPACE, PERSON, GROUPING)),
    "case": (open_cases, (PROJECT, OWNER)),
    "dialog": (open_ticket_dialog, (TICKET_IN, OWNER)),
    "explorer": (open_explorer, (SEARCH,)),
    "palette": (open_palette, (JUMP,)),
}


def box(page: Page, field: Field) -> Locator:
    named = page.get_by_role("combobox", name=field.name, exact=True)
    return named.and_(page.locator("input"))


def options(page: Page) -> Locator:
    return page.locator("[role=option]:visible")


def active(page: Page, field: Field) -> Locator:
    identity = box(page, field).get_attribute("aria-activedescendant")
    assert identity, f"{field.name}: nothing is active"
    return page.locator(f"[id='{identity}']")


def write(page: Page, field: Field, text: str) -> None:
    """Typed over what is there, and answered."""
    box(page, field).fill(text)
    expect(box(page, field)).to_have_attribute("aria-expanded", "true")
    expect(box(page, field)).not_to_have_attribute("aria-activedescendant", "")


def the_first_match_is_active(page: Page, field: Field) -> None:
    write(page, field, field.typed)
    expect(active(page, field)).to_contain_text(field.option)
    expect(active(page, field)).to_have_attribute("id", re.compile("-0$"))
    controlled = box(page, field).get_attribute("aria-controls")
    expect(page.locator(f"[id='{controlled}']")).to_have_attribute("role", "listbox")


def its_arrows_go_round(page: Page, field: Field) -> None:
    number = options(page).count()
    first = active(page, field).get_attribute("id")
    for key, at in (("ArrowUp", number - 1), ("ArrowDown", 0), ("PageDown", min(8, number - 1))):
        page.keyboard.press(key)
        expect(active(page, field)).to_have_attribute("id", re.compile(f"-{at}$"))
    page.keyboard.press("PageUp")
    expect(active(page, field)).to_have_attribute("id", first)


IN_VIEW = """list => {
  const { top, bottom, left, right } = list.getBoundingClientRect();
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth && bottom - top > 30;
}"""
OVER = """([list, field]) => {
  const [a, b] = [list.getBoundingClientRect(), field.getBoundingClientRect()];
  return a.top < b.bottom - 1 && a.bottom > b.top + 1;
}"""


def its_list_stays_in_view(page: Page, field: Field) -> None:
    for width, height in ((1440, 900), (420, 700), (320, 500)):
        page.set_viewport_size({"width": width, "height": height})
        for edge in ("start", "end"):
            box(page, field).evaluate(f"field => field.scrollIntoView({{ block: '{edge}' }})")
            write(page, field, field.typed)
            popup = page.locator(".listbox:popover-open, dialog[open] .palette-list").last
            assert popup.evaluate(IN_VIEW), (field.name, width, edge)
            covers = page.evaluate(OVER, [h.element_handle() for h in (popup, box(page, field))])
            assert not covers, (field.name, width, edge)
            assert_no_sideways_scroll(page)
    page.set_viewport_size({"width": 1440, "height": 900})


def escape_closes_and_then_undoes(page: Page, field: Field, before: str) -> None:
    write(page, field, field.typed)
    box(page, field).press("Escape")
    expect(box(page, field)).to_have_attribute("aria-expanded", "false")
    expect(box(page, field)).to_have_value(field.typed)
    box(page, field).press("Escape")
    expect(box(page, field)).to_have_value(before)


def it_says_why_not(page: Page, field: Field) -> None:
    box(page, field).fill(field.wrong)
    box(page, field).press("Enter")
    expect(box(page, field)).to_have_attribute("aria-invalid", "true")
    described = box(page, field).get_attribute("aria-describedby").split()[-1]
    expect(page.locator(f"[id='{described}']")).to_contain_text(field.because)
    box(page, field).fill("")
    expect(page.locator(f"[id='{described}']")).to_be_hidden()
    expect(box(page, field)).not_to_have_attribute("aria-invalid", "true")


def removed(page: Page, field: Field) -> Locator:
    return page.get_by_role("button", name=f"Remove {field.takes}")


def enter_and_tab_commit(page: Page, field: Field) -> None:
    for key in ("Enter", "Tab"):
        write(page, field, field.typed)
        box(page, field).press(key)
        if field.is_many:
            expect(removed(page, field)).to_be_visible()
            expect(box(page, field)).to_be_focused()
            box(page, field).press("Escape")
            box(page, field).press("ArrowLeft")
            expect(removed(page, field)).to_be_focused()
            page.keyboard.press("Delete")
            expect(removed(page, field)).to_have_count(0)
            expect(page.locator("#announcer")).to_have_text(f"Removed {field.takes}")
            expect(box(page, field)).to_be_focused()
        else:
            expect(box(page, field)).to_have_value(re.compile(f"^{field.takes}"))
        settle(page)
    if field.leads_on:
        expect(box(page, field)).not_to_be_focused()


def a_long_value_leaves_its_card_alone(page: Page, field: Field) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    inside = """field => field.getBoundingClientRect().right
      <= field.closest(".card, dialog").getBoundingClientRect().right"""
    assert box(page, field).evaluate(inside), field.name
    assert_no_sideways_scroll(page)
    page.set_viewport_size({"width": 1440, "height": 900})


def it_is_for_everyone(page: Page, field: Field) -> None:
    for theme, width in (("light", 1440), ("dark", 420)):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        write(page, field, field.typed)
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/{field.name}-{theme}.png")
        assert_accessible(page)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", PLACES)
def test_each_follows_the_pattern(page_as, admin, world, account, place):  # noqa: F811
    page = page_as(admin)
    go, fields = PLACES[place]
    go(page)
    for field in fields:
        before = box(page, field).input_value()
        the_first_match_is_active(page, field)
        its_arrows_go_round(page, field)
        its_list_stays_in_view(page, field)
        if field is fields[0] or os.environ.get("SHOTS"):
            it_is_for_everyone(page, field)
        if field is JUMP:
            continue
        escape_closes_and_then_undoes(page, field, before)
        if field.wrong:
            it_says_why_not(page, field)
            enter_and_tab_commit(page, field)
            a_long_value_leaves_its_card_alone(page, field)


SUGGEST = re.compile(r"/rules/suggest")


def test_it_takes_back_what_the_server_said_of_another_value(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.get_by_role("button", name="Save").click()
    said = page.locator("#id_types_error")
    expect(said).to_have_text("Select at least one finding type.")
    write(page, TYPES, TYPES.typed)
    expect(said).to_be_visible()  # nothing is chosen yet
    box(page, TYPES).press("Enter")
    expect(said).to_have_count(0)
    expect(box(page, TYPES)).not_to_have_attribute("aria-invalid", "true")


LATE = {"suggestions": [{"text": "env:late", "hint": "", "note": ""}]}


def test_it_shows_no_answer_to_an_older_text(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    waiting: list[Route] = []

    def answer(route: Route) -> None:
        waiting.append(route) if "env" in route.request.url else route.continue_()

    page.route(SUGGEST, answer)
    box(page, TERMS).fill("env:")
    expect(page.get_by_text("Loading…")).to_be_visible()
    write(page, TERMS, "team:")
    expect(options(page).first).to_contain_text("team:web")
    with suppress(Error):  # nobody may want it any more
        waiting[0].fulfill(json=LATE)
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    expect(options(page).first).to_contain_text("team:web")


def test_it_says_that_a_list_could_not_be_loaded_and_tries_again(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.route(SUGGEST, lambda route: route.fulfill(status=500))
    box(page, TERMS).fill("env:")
    expect(page.get_by_text("The list could not be loaded.")).to_be_visible()
    assert_accessible(page)
    page.unroute(SUGGEST)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(options(page).first).to_contain_text("env:prod")
    expect(box(page, TERMS)).to_be_focused()
    box(page, TERMS).fill("zone")
    expect(page.get_by_text("No values match “zone”")).to_be_visible()


PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  const how = { clipboardData, bubbles: true, cancelable: true };
  field.dispatchEvent(new ClipboardEvent("paste", how));
}"""
COMPOSED = """field => field.dispatchEvent(new KeyboardEvent(
  "keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""


def chips(page: Page) -> list[str]:
    return page.locator("#field-query .token").all_inner_texts()


def test_it_takes_what_is_typed_and_pasted_by_hands_of_all_kinds(page_as, editor, world):
    page = page_as(editor, width=420)
    page.goto(NEW)
    terms = box(page, TERMS)
    write(page, TERMS, "env:p")
    terms.evaluate(COMPOSED)
    assert chips(page) == []
    page.keyboard.press("ArrowUp")
    expect(active(page, TERMS)).to_have_text("Add env:p")
    page.keyboard.press("Enter")
    terms.press_sequentially("CIDR(@ip, 10.0.0.0/8),")  # a comma of its own
    terms.evaluate(PASTE, "team:web, foo, env:dev")
    assert chips(page) == ["env:p", "CIDR(@ip, 10.0.0.0/8)", "team:web", "env:dev"]
    expect(terms).to_have_value("foo")
    expect(page.get_by_text("“foo” is not a tag or attribute.")).to_be_visible()
    terms.fill("")
    terms.press("ArrowLeft")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")  # and on to the one before
    expect(page.get_by_role("button", name="Remove env:p", exact=True)).to_be_focused()
    page.keyboard.press("x")  # letters go to the field
    expect(terms).to_have_value("x")
    page.get_by_role("button", name="Remove team:web").click()
    assert chips(page) == ["env:p", "env:dev"]


def test_it_is_large_enough_for_a_thumb_and_keeps_the_focus(page_as, editor, world):
    page = page_as(editor, width=420)
    page.goto(NEW)
    box(page, TYPES).click()
    row = page.get_by_role("option", name="Secret")
    assert row.bounding_box()["height"] >= 40
    row.click()
    expect(box(page, TYPES)).to_be_focused()
    expect(row).to_have_attribute("aria-selected", "true")
    row.click()
    expect(row).to_have_attribute("aria-selected", "false")
    box(page, TYPES).press("Tab")  # nothing was typed: it changes nothing
    expect(page.locator("#field-types .token")).to_have_count(0)
    assert page.locator("#field-types .tokens").bounding_box()["height"] >= 40


def test_it_proposes_names_and_takes_any(page_as, admin, world):
    """Words of one's own: what one types stands, until one goes to a name of the list."""
    for name in ("trivy", "trivy-operator"):
        SourceFactory(name=name)
    page = page_as(admin)
    page.goto("/settings/importers/upload")
    source = page.locator("[role=combobox][aria-label=Source]")
    source.fill("triv")
    expect(options(page)).to_have_count(2)
    expect(source).to_have_attribute("aria-activedescendant", "")
    source.press("Tab")
    expect(source).to_have_value("triv")
    source.fill("trivy")
    expect(options(page)).to_have_count(2)
    source.press("ArrowUp")
    source.press("Tab")
    expect(source).to_have_value("trivy-operator")
    expect(page.locator("input[name=source]")).to_have_value("trivy-operator")
