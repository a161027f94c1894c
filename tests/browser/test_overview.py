"""Where one starts, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.rules import services as rules
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory, ticket_rule
from ticketing import services

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def content(live_server):
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    for severity in ("critical", "high", "medium", "low", "info"):
        FindingFactory.create_batch(3, severity=severity)
        FindingFactory(severity=severity, ticket="automated", ticket_key="RISK-1")
    for name in ("Host patching backlog", "Exposed secrets", "Shadowed " + 9 * "long "):
        said = {"finding_types": ["secret"], "query": "", "max_tickets_per_day": 10}
        data = ticket_rule(name=name, project_id=project.pk, **said)
        rule = rules.create_rule(data, actor=None)
        if name.startswith("Host"):
            rules.break_rule(rule.pk, reason="Space OPS is gone.")
    services.open_manual_case([], project=project, title="x", actor=None)


@pytest.mark.usefixtures("content")
@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_all_of_it_to_everyone(page_as, editor, width):
    page = page_as(editor, theme=BOTH, width=width)
    for chosen in ("7d", "30d"):
        page.goto(f"/overview?range={chosen}")
        assert_accessible(page)
        assert_no_sideways_scroll(page)


def test_it_invites_on_a_fresh_installation(page_as, viewer):
    page = page_as(viewer)
    page.goto("/")
    expect(page.get_by_role("heading", name="No findings yet")).to_be_visible()
    assert_accessible(page)


@pytest.mark.usefixtures("content")
def test_it_leads_to_the_repair_by_keyboard(page_as, editor):
    page = page_as(editor)
    page.goto("/findings")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.get_by_role("link", name="30 d").press("Enter")
    page.wait_for_url("**/overview?range=30d")
    page.get_by_role("link", name="Fix configuration").press("Enter")
    expect(page.get_by_label("Rule name")).to_have_value("Host patching backlog")
