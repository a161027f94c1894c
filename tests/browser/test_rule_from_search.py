"""From a search to a rule above the second one, with the keyboard alone; and what it looks like."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from automation.models import Rule
from automation.rules import services
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, ticket_rule

LIST = "/settings/findings-automation"
SEARCH = (
    "/findings?q=%40finding_type%3Asecret+team%3Apayments+%40status%3Aopen&severity=high&from=30d"
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server) -> None:
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    for name, query in (("First", "team:x"), ("All of them", ""), ("Third", "team:y")):
        said = {"finding_types": ["secret"], "query": query, "max_tickets_per_day": 5}
        data = ticket_rule(name=name, project_id=project.pk, **said)
        services.create_rule(data, actor=None)
    FindingFactory.create_batch(
        3, finding_type="secret", tags=["env:prod", "team:payments"], title="Key in code"
    )
    FindingFactory(severity="low")


def names():
    return list(Rule.objects.values_list("name", flat=True))


def test_a_search_becomes_a_rule_above_another_by_keyboard(page_as, editor, world):
    page = page_as(editor)
    page.goto("/findings")
    page.keyboard.press("/")
    page.keyboard.type("@finding_type:secret team:payments")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Create rule from this")
    expect(link).to_have_attribute("href", re.compile("payments"))
    link.press("Enter")
    expect(page.get_by_role("textbox", name="Rule name")).to_have_value("Secret, team:payments")
    advice = page.get_by_role("button", name="Move this rule above it")
    advice.press("Enter")
    place = page.get_by_role("combobox", name="Position")
    expect(place).to_be_focused()
    expect(page.locator("#save-place")).to_have_text("Saves it above rule 2")
    expect(page.get_by_text("would be ticketed")).to_contain_text("3")
    page.get_by_role("combobox", name="Case Management Project").press("ArrowDown")
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_url(re.compile(rf"{LIST}\?rule=.+#rule-"))
    assert names() == ["First", "Secret, team:payments", "All of them", "Third"]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 420)])
def test_everyone_can_read_it(page_as, editor, world, theme, width):
    page = page_as(editor, theme=theme, width=width)
    page.goto(SEARCH)
    page.get_by_role("button", name="Create rule from this: kinds of rules").click()
    expect(page.get_by_role("menuitem", name="Mute")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("menuitem", name="Create Ticket").click()
    expect(page.get_by_text("Filled in from your search")).to_be_visible()
    expect(page.get_by_text("@status:open", exact=True)).to_be_visible()
    expect(page.locator(".preview-number")).to_have_text("3")
    page.get_by_role("checkbox", name="Low").check()
    page.get_by_role("checkbox", name="High").uncheck()
    expect(page.get_by_text("Without Severity 3 would match.")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_without_scripts_a_rule_takes_its_place(page_as, editor, world):
    page = page_as(editor, scripts=False)
    page.goto(SEARCH)
    page.get_by_role("link", name="Create rule from this").click()
    page.get_by_role("button", name="Update preview").click()
    page.get_by_role("button", name="Move this rule above it").click()
    place = page.get_by_label("Position")
    expect(place.locator("option:checked")).to_have_text("Above rule 2: All of them")
    page.get_by_label("Case Management Project").select_option(index=1)
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_url(re.compile(rf"{LIST}\?rule="))
    assert names()[1] == "High Secret, team:payments"
