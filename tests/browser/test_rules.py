"""The rules in a real browser: their order by mouse, keys and buttons; the editor with and
without scripts."""

from __future__ import annotations

import re
import uuid

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Rule
from automation.rules import services
from automation.rules.data import action_of, data_of
from config.accounts.roles import Role
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import ProjectFactory, ticket_rule

LIST = "/settings/findings-automation"
NAMES = ["First", "Second", "Third"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rules(live_server) -> list[Rule]:
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    said = {"project_id": project.pk, "max_tickets_per_day": 10, "query": ""}
    types = (["attack_path"], ["secret", "api_security", "identity_risk"], ["misconfiguration"])
    return [
        services.create_rule(ticket_rule(name=name, finding_types=wire, **said), actor=None)
        for name, wire in zip(NAMES, types, strict=True)
    ]


@pytest.fixture
def every_state(rules) -> None:
    """Full, broken, shadowed, disabled, searching for more than tags."""
    day = timezone.now().date()
    DailyUsage.objects.create(rule_id=rules[0].pk, day=day, ticketed=10, over_limit=3)
    services.break_rule(rules[1].pk, reason="Case project Cloud Risk was deleted.")
    services.disable_rule(rules[2].pk, actor=None)
    for name, query in (("Wide", "env:(prod OR dev) -team:x"), ("Narrow", "env:prod -team:x")):
        services.create_rule(
            ticket_rule(
                name=name,
                finding_types=["secret"],
                query=f"@severity:(critical OR low) {query}",
                project_id=action_of(rules[0]).project_id,
                max_tickets_per_day=5,
            ),
            actor=None,
        )


def shown(page: Page) -> list[str]:
    return page.locator("#rule-list-ticket_creation h3").all_inner_texts()


def stored() -> list[str]:
    return list(Rule.objects.values_list("name", flat=True))


def grip(page: Page, name: str):
    return page.get_by_role("button", name=re.compile(rf"Reorder rule \d+, {name}"))


@pytest.mark.parametrize("width", [1440, 1000, 420])
def test_it_shows_every_rule_to_everyone(page_as, editor, every_state, width):
    page = page_as(editor, theme=BOTH, width=width)
    page.goto(LIST)
    expect(page.get_by_text("Shadowed:")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_invites_to_the_first_rule(page_as, editor):
    page = page_as(editor)
    page.goto(LIST)
    assert_accessible(page)
    page.get_by_role("link", name="Exposed secrets").click()
    expect(page.get_by_role("textbox", name="Rule name")).to_have_value("Exposed secrets")
    expect(page.get_by_role("button", name="Remove Secret")).to_be_visible()


def test_it_moves_a_rule_by_mouse(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    start, end = grip(page, "Third").bounding_box(), grip(page, "First").bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, end["y"] + 20, steps=12)
    page.mouse.move(start["x"] + 8, end["y"] - 12, steps=6)
    page.mouse.up()

    expect(page.get_by_text("Third moved to position 1")).to_be_visible()
    assert stored() == shown(page) == ["Third", "First", "Second"]


def test_it_moves_a_rule_by_keys_and_says_where_it_is(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    said = page.locator("#announcer-now")
    third = grip(page, "Third")
    third.press("Space")
    expect(said).to_have_text("Third grabbed, position 3 of 3.")
    third.press("ArrowUp")
    expect(said).to_have_text("Moved to position 2 of 3.")
    third.press("Home")
    expect(said).to_have_text("Moved to position 1 of 3.")
    third.press("Space")
    expect(said).to_have_text("Dropped. Order saved.")

    assert stored() == ["Third", "First", "Second"]
    expect(third).to_be_focused()


def test_it_gives_a_grabbed_rule_back(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    first = grip(page, "First")
    first.press("Space")
    first.press("End")
    assert shown(page) == ["Second", "Third", "First"]
    first.press("Escape")

    expect(page.locator("#announcer-now")).to_have_text("Move cancelled, back at position 1.")
    assert shown(page) == stored() == NAMES


def test_it_saves_quick_moves_together(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    first = grip(page, "First")
    for _ in range(2):
        first.press("Alt+ArrowDown")

    expect(page.get_by_text("First moved to position 3")).to_be_visible()
    assert stored() == ["Second", "Third", "First"]


def test_it_moves_a_rule_by_buttons_and_undoes_it(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.get_by_role("button", name="Move rule 1 down").click()
    expect(page.get_by_text("First moved to position 2")).to_be_visible()
    assert stored() == ["Second", "First", "Third"]

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Order restored")).to_be_visible()
    assert stored() == shown(page) == NAMES


def test_it_moves_a_rule_from_its_menu(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.get_by_role("button", name="More for Third").click()
    assert_accessible(page)
    page.get_by_role("menuitem", name="Move to top").click()

    expect(page.get_by_text("Third moved to position 1")).to_be_visible()
    assert stored() == ["Third", "First", "Second"]


def test_it_shows_the_order_that_somebody_else_made(page_as, editor, admin, rules):
    page = page_as(editor)
    page.goto(LIST)
    services.move_rule(rules[0].pk, to=2, actor=admin)
    grip(page, "Second").press("Alt+ArrowUp")

    expect(page.get_by_text("Ada Admin changed the order a moment ago.")).to_be_visible()
    expect(page.locator("#announcer-now")).to_have_text("Order not saved, back at position 2.")
    assert shown(page) == stored() == ["Second", "Third", "First"]
    grip(page, "Third").press("Alt+ArrowUp")  # and the new list can be ordered
    expect(page.get_by_text("Third moved to position 1")).to_be_visible()


def test_it_takes_a_move_back_without_a_network(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.route("**/rules/reorder*", lambda route: route.abort())
    page.get_by_role("button", name="Move rule 1 down").click()

    expect(page.get_by_text("Check your connection and try again.")).to_be_visible()
    assert shown(page) == stored() == NAMES


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_moves_a_rule_without_scripts(page_as, editor, rules, theme, width):
    page = page_as(editor, scripts=False, theme=theme, width=width)
    page.goto(LIST)
    page.get_by_role("button", name="Move rule 1 down").click()

    expect(page.get_by_text("First moved to position 2")).to_be_visible()
    assert stored() == ["Second", "First", "Third"]


def test_it_switches_a_rule_off_and_on_again(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    switch = page.get_by_role("switch", name="Enable Second")
    switch.click()
    expect(page.get_by_text("Second disabled", exact=True)).to_be_visible()
    expect(switch).not_to_be_checked()
    expect(switch).to_be_focused()
    assert not Rule.objects.get(name="Second").enabled

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Second enabled", exact=True)).to_be_visible()
    assert Rule.objects.get(name="Second").enabled


def test_it_turns_a_switch_back_that_was_refused(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.route("**/toggle*", lambda route: route.fulfill(status=503))
    page.get_by_role("switch", name="Enable Second").click()

    expect(page.get_by_text("Something broke on our side")).to_be_visible()
    expect(page.get_by_role("switch", name="Enable Second")).to_be_checked()


def test_it_asks_before_it_deletes(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.get_by_role("button", name="More for Second").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("It has created no tickets.")
    assert_accessible(page)
    dialog.get_by_role("button", name="Delete rule").click()

    expect(page.get_by_text("Second deleted")).to_be_visible()
    assert stored() == ["First", "Third"]


def test_it_shows_by_itself_what_others_changed(page_as, editor, admin, rules):
    page = page_as(editor, clock=True)
    page.goto(LIST)
    DailyUsage.objects.create(rule_id=rules[0].pk, day=timezone.now().date(), ticketed=4)
    page.clock.run_for(31_000)
    expect(page.get_by_text("4 / 10 today")).to_be_visible()
    services.delete_rule(rules[1].pk, actor=admin)
    page.clock.run_for(31_000)
    expect(page.get_by_role("link", name="Second")).to_have_count(0)

    page.get_by_role("button", name="Move rule 2 up").click()
    expect(page.get_by_text("Third moved to position 1")).to_be_visible()


def test_it_switches_a_rule_in_a_filtered_list(page_as, editor, every_state):
    page = page_as(editor)
    page.goto(f"{LIST}?state=enabled")
    page.get_by_role("switch", name="Enable Wide").click()

    expect(page.get_by_text("Wide disabled", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Enabled 2")).to_be_visible()


def test_it_folds_the_step_by_keys_and_keeps_it_folded(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    toggle = page.get_by_role("button", name="Create Ticket", exact=True)
    toggle.press("Enter")
    expect(page.locator("#rules-ticket_creation")).to_be_hidden()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    page.reload()
    expect(page.locator("#rules-ticket_creation")).to_be_hidden()
    toggle.press("Space")
    expect(page.locator("#rules-ticket_creation")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_folds_the_step_without_scripts(page_as, viewer, rules, theme, width):
    page = page_as(viewer, scripts=False, theme=theme, width=width)
    page.goto(f"{LIST}?state=enabled")
    page.get_by_role("button", name="Create Ticket", exact=True).click()
    expect(page.locator("#rules-ticket_creation")).to_be_hidden()
    page.get_by_role("button", name="Create Ticket", exact=True).click()
    expect(page.locator("#rules-ticket_creation")).to_be_visible()
    assert "state=enabled" in page.url


def test_it_opens_the_test_of_a_rule_from_its_menu(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.get_by_role("button", name="More for Second").click()
    page.get_by_role("menuitem", name="Test Rule").click()
    expect(page.get_by_role("dialog", name="Test Rule")).to_be_visible()


def test_it_lets_two_people_order_the_rules_at_once(page_as, editor, admin, rules):
    """The second to save sees the first one's order and who made it; nothing is lost silently."""
    one, other = page_as(editor), page_as(admin)
    for page in (one, other):
        page.goto(LIST)
    grip(one, "Third").press("Alt+ArrowUp")
    expect(one.get_by_text("Third moved to position 2")).to_be_visible()

    grip(other, "First").press("Alt+ArrowDown")
    expect(other.get_by_text("Edith Editor changed the order a moment ago.")).to_be_visible()
    assert shown(other) == stored() == ["First", "Third", "Second"]
    expect(grip(other, "First")).to_be_focused()
    grip(other, "First").press("Alt+ArrowDown")
    expect(other.get_by_text("First moved to position 2")).to_be_visible()

    one.get_by_role("button", name="Undo").click()  # of an order that is no longer the last
    expect(one.get_by_text("Ada Admin changed the order a moment ago.")).to_be_visible()
    assert shown(one) == stored() == ["Third", "First", "Second"]


def test_it_moves_a_rule_in_the_admin(page_as, admin, rules):
    page = page_as(admin)
    page.goto("/admin/automation/rule/")
    handles = page.get_by_text("drag_indicator")
    handles.nth(2).drag_to(handles.nth(0), target_position={"x": 8, "y": 2})
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".data-row").first).to_contain_text("Third")
    assert stored() == ["Third", "First", "Second"]


def test_it_saves_no_order_once_the_session_is_over(page_as, editor, rules):
    page = page_as(editor)
    page.goto(LIST)
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Move rule 1 down").click()

    page.wait_for_url("**/login?next=%2Fsettings%2Ffindings-automation")
    assert stored() == NAMES


def test_it_says_why_an_order_is_refused(page_as, editor, admin, rules):
    page = page_as(editor)
    page.goto(LIST)
    editor.role = Role.VIEWER
    editor.save(update_fields=["role"])
    page.get_by_role("button", name="Move rule 1 down").click()

    expect(page.locator("#toasts")).to_contain_text("You need the Automation editor role")
    assert shown(page) == stored() == NAMES


@pytest.fixture
def thousand(rules) -> None:
    said = {"project_id": action_of(rules[0]).project_id, "max_tickets_per_day": 10, "query": ""}
    more = [
        (uuid.UUID(int=n), ticket_rule(name=f"Rule {n}", finding_types=["secret"], **said))
        for n in range(4, 1001)
    ]
    kept = [(rule.pk, data_of(rule)) for rule in rules]
    services.replace_rules(NAME, [*kept, *more], version=3, actor=None)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_a_thousand_rules_are_moved_within_what_is_loaded_and_beyond(
    page_as, editor, thousand, theme, width
):
    page = page_as(editor, theme=theme, width=width)
    page.goto(LIST)
    assert len(shown(page)) == 25
    page.get_by_role("link", name="Show 25 more").click()
    expect(page.get_by_text("1–50 of 1,000")).to_be_visible()
    assert shown(page)[-1] == "Rule 50"
    assert_accessible(page)
    assert_no_sideways_scroll(page)

    last = grip(page, "Rule 50")
    last.press("Space")
    expect(page.locator("#announcer-now")).to_have_text("Rule 50 grabbed, position 50 of 1000.")
    for _ in range(2):
        last.press("ArrowUp")
    last.press("Space")
    expect(page.get_by_text("Rule 50 moved to position 48")).to_be_visible()
    grip(page, "Rule 29").scroll_into_view_if_needed()
    start, end = grip(page, "Rule 30").bounding_box(), grip(page, "Rule 28").bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, end["y"] + 20, steps=12)
    page.mouse.move(start["x"] + 8, end["y"] - 12, steps=6)
    page.mouse.up()
    expect(page.get_by_text("Rule 30 moved to position 28")).to_be_visible()
    assert stored()[26:30] == ["Rule 27", "Rule 30", "Rule 28", "Rule 29"]
    page.get_by_role("link", name="Show 25 more").click()  # of the order that was made here
    expect(page.get_by_text("1–75 of 1,000")).to_be_visible()
    assert shown(page) == stored()[:75]

    page.get_by_role("button", name="More for Rule 49").click()
    page.get_by_role("menuitem", name="Move to bottom").click()
    expect(page.get_by_text("Rule 49 moved to position 1000")).to_be_visible()
    assert shown(page)[-1] == stored()[-1] == "Rule 49"
    expect(grip(page, "Rule 49")).to_be_in_viewport()


def test_a_thousand_rules_are_found_and_moved_without_scripts(page_as, editor, thousand):
    page = page_as(editor, scripts=False)
    page.goto(f"{LIST}#rule-{uuid.UUID(int=700)}")
    page.get_by_role("link", name="Last", exact=True).click()
    last = page.locator("#rule-list-ticket_creation h3").last
    expect(last).to_have_text("Rule 1000")
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("button", name="Move rule 951 up").click()
    expect(page.get_by_text("Rule 951 moved to position 950")).to_be_visible()
    expect(last).to_have_text("Rule 951")
    page.get_by_role("searchbox", name="Search rules").fill("#700")
    page.get_by_role("searchbox", name="Search rules").press("Enter")
    page.get_by_role("link", name="More for Rule 700").click()
    page.get_by_role("menuitem", name="Move to position…").click()
    page.get_by_label("Position, 1 to 1,000").fill("2")
    page.get_by_role("button", name="Move rule").click()
    expect(page.get_by_text("Rule 700 moved to position 2")).to_be_visible()
    expect(page.locator("#rule-list-ticket_creation h3").nth(1)).to_have_text("Rule 700")
    assert stored()[1] == "Rule 700"


def test_a_link_to_a_rule_far_below_shows_it(page_as, editor, thousand):
    page = page_as(editor)
    page.goto(f"{LIST}#rule-{uuid.UUID(int=700)}")
    expect(grip(page, "Rule 700")).to_be_in_viewport()
