"""The audit log in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.rules import services as rules
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import JiraAccountFactory, ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db(transaction=True)
LOG = "/settings/audit"


@pytest.fixture
def changes(live_server, editor):
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    said = {"finding_types": ["secret"], "query": "", "project_id": project.pk}
    data = ticket_rule(name="Exposed secrets", max_tickets_per_day=5, **said)
    rule = rules.create_rule(data, actor=editor)
    rules.break_rule(rule.pk, reason="Space OPS is gone. " + "long " * 40)
    JiraAccountFactory(name="Acme")


@pytest.mark.usefixtures("changes")
@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_changes_to_everyone(page_as, admin, width):
    page = page_as(admin, theme=BOTH, width=width)
    page.goto(LOG)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.usefixtures("changes")
def test_it_filters_by_keyboard(page_as, admin):
    page = page_as(admin)
    page.goto(LOG)
    kind = page.get_by_label("Kind")
    kind.focus()
    kind.press_sequentially("Rule")
    expect(page.get_by_text("Project created")).to_be_visible()  # nothing is asked for yet
    kind.press("Enter")
    page.wait_for_url("**/settings/audit?*kind=rule*")
    expect(page.get_by_text("Project created")).to_have_count(0)
    page.get_by_label("Time range").select_option("Past 24 hours")
    page.wait_for_url("**from=24h*")
    expect(page.get_by_text("Rule changed")).to_be_visible()
