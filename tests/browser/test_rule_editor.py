"""The rule editor in a real browser, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.models import Rule
from automation.rules import services
from automation.rules.data import action_of
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, ticket_rule

LIST = "/settings/findings-automation"
NEW = f"{LIST}/create_ticket/new"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server) -> None:
    ProjectFactory(key="RISK", name="Cloud Risk")
    FindingFactory.create_batch(
        3, finding_type="secret", tags=["env:prod", "team:payments"], title="Key in code"
    )


@pytest.fixture
def rule(world) -> Rule:
    project = ProjectFactory(key="SEC", name="Security")
    data = ticket_rule(
        name="Prod secrets",
        finding_types=["secret"],
        query="@severity:high (env:prod OR env:dev)",
        project_id=project.pk,
        max_tickets_per_day=2,
    )
    return services.create_rule(data, actor=None)


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_a_rule_to_everyone(page_as, editor, rule, width):
    page = page_as(editor, theme=BOTH, width=width)
    page.goto(f"{LIST}/{rule.pk}/edit")
    expect(page.locator(".preview-number")).to_have_text("3")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_it_shows_errors_to_everyone(page_as, editor, world):
    page = page_as(editor, theme=BOTH)
    page.goto(NEW)
    page.get_by_role("button", name="Save").click()

    summary = page.get_by_text("Fix 3 fields to save this rule.")
    expect(page.get_by_role("alert").first).to_be_focused()
    expect(summary).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Any of these types").click()
    expect(page.get_by_role("combobox", name="Any of these types")).to_be_focused()


def test_it_creates_a_rule_by_keyboard(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.get_by_role("textbox", name="Rule name").fill("Prod secrets")
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secr")
    expect(page.locator("[role=option]")).to_have_text(["Secret3 seen in 30 d"])
    types.press("Enter")
    types.press("Escape")
    terms = page.get_by_role("combobox", name="Any of these tags or attributes")
    terms.press_sequentially("env:p")
    expect(page.get_by_role("option", name="env:prod")).to_be_visible()
    assert_accessible(page)
    terms.press("Enter")
    terms.press_sequentially("-team:infra,")
    page.get_by_role("button", name="Add Severity").press("Enter")
    page.get_by_role("checkbox", name="High").press("Space")
    page.get_by_label("Case Management Project").select_option("RISK Cloud Risk")
    page.get_by_label("Rate limit").fill("7")
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()
    made = Rule.objects.get()
    assert made.finding_types == ["secret"]
    assert made.query == "@severity:high env:prod -team:infra"
    assert action_of(made).max_tickets_per_day == 7


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_creates_a_rule_without_scripts(page_as, editor, world, theme, width):
    page = page_as(editor, scripts=False, theme=theme, width=width)
    page.goto(NEW)
    page.get_by_label("Rule name").fill("Prod secrets")
    page.get_by_role("checkbox", name="Secret").check()
    page.get_by_label("Any of these tags or attributes").fill("env:prod OR team:x")
    page.get_by_role("checkbox", name="High").check()
    page.get_by_role("button", name="Update preview").click()
    expect(page.get_by_text("of the findings seen in the last 30 days match")).to_be_visible()
    page.get_by_label("Case Management Project").select_option("RISK Cloud Risk")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()
    assert Rule.objects.get().query == "@severity:high (env:prod OR team:x)"


def test_it_follows_the_form_with_the_preview(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    expect(page.get_by_text("Nothing to preview yet")).to_be_visible()
    types = page.get_by_role("combobox", name="Any of these types")
    types.press_sequentially("secret")
    types.press("ArrowDown")
    types.press("Enter")

    expect(page.locator(".preview-number")).to_have_text("3")
    expect(page.locator("#announcer")).to_contain_text("3 of the findings")
    page.get_by_label("Rate limit").fill("1")
    expect(page.get_by_text("2 over the daily limit")).to_be_visible()


def test_it_lets_people_save_when_there_is_no_preview(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.route("**/rules/preview", lambda route: route.fulfill(status=503))
    page.get_by_label("Rate limit").fill("1")

    expect(page.get_by_text("Preview is not available right now.")).to_be_visible()
    expect(page.locator("[data-toast]")).to_have_count(0)


def test_it_takes_tokens_away_by_keyboard(page_as, editor, rule):
    page = page_as(editor)
    page.goto(f"{LIST}/{rule.pk}/edit")
    terms = page.get_by_role("combobox", name="Any of these tags or attributes")
    terms.press("Backspace")
    expect(page.get_by_role("button", name="Remove env:dev")).to_be_focused()
    page.keyboard.press("Backspace")
    expect(page.get_by_role("button", name="Remove env:dev")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove env:prod")).to_be_focused()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Rule Prod secrets saved")).to_be_visible()
    rule.refresh_from_db()
    assert rule.query == "@severity:high env:prod"


def test_it_refuses_a_word_among_the_tags(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.get_by_role("combobox", name="Any of these tags or attributes").fill("foo")
    page.keyboard.press("Enter")

    expect(page.get_by_text("“foo” is not a tag or attribute. Use key:value.")).to_be_visible()


def test_it_edits_the_query_as_text_and_back(page_as, editor, rule):
    page = page_as(editor)
    page.goto(f"{LIST}/{rule.pk}/edit")
    page.get_by_role("button", name="Edit as query").click()
    text = page.get_by_role("textbox", name="Any of these tags or attributes")
    expect(text).to_have_value("env:prod OR env:dev")
    assert_accessible(page)
    text.fill("env:prod team:x")
    page.get_by_role("button", name="Edit as list").click()
    expect(page.get_by_text("This query can't be shown as a list")).to_be_visible()
    text.fill("team:x")
    page.get_by_role("button", name="Edit as list").click()

    expect(page.get_by_role("button", name="Remove team:x")).to_be_visible()


def test_it_asks_before_it_loses_changes(page_as, editor, rule):
    page = page_as(editor)
    page.goto(f"{LIST}/{rule.pk}/edit")
    page.get_by_role("textbox", name="Rule name").fill("Renamed")
    page.get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Discard changes to this rule?")
    dialog.get_by_role("button", name="Keep editing").click()
    expect(page.get_by_role("textbox", name="Rule name")).to_have_value("Renamed")
    page.get_by_role("link", name="Cancel").click()
    dialog.get_by_role("button", name="Discard").click()

    expect(page.get_by_role("heading", name="Create Ticket")).to_be_visible()
    assert Rule.objects.get().name == "Prod secrets"


def test_it_leaves_an_untouched_form_without_asking(page_as, editor, rule):
    page = page_as(editor)
    page.goto(f"{LIST}/{rule.pk}/edit")
    page.get_by_role("link", name="Cancel").click()

    expect(page.get_by_role("heading", name="Create Ticket")).to_be_visible()


def test_it_creates_a_project_on_the_way(page_as, editor, world):
    page = page_as(editor)
    page.goto(NEW)
    page.get_by_role("textbox", name="Rule name").fill("Prod secrets")
    page.get_by_text("Create a project").click()
    page.get_by_label("Project name").fill("Cloud Risk")
    page.get_by_role("textbox", name="Key").fill("NEW")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_text("Project with this Name already exists.")).to_be_visible()
    page.get_by_label("Project name").fill("Brand new")
    page.get_by_role("button", name="Create project").click()

    expect(page.get_by_text("Project Brand new created")).to_be_visible()
    expect(page.get_by_label("Case Management Project").locator(":checked")).to_have_text(
        "NEW Brand new"
    )
    expect(page.get_by_role("textbox", name="Rule name")).to_have_value("Prod secrets")


def test_it_shows_a_viewer_the_rule_alone(page_as, viewer, rule):
    page = page_as(viewer)
    page.goto(f"{LIST}/{rule.pk}/edit")
    expect(page.locator(".preview-number")).to_have_text("3")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert_accessible(page)
