"""The case of a group in a real browser: its findings, chosen with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from automation.rules.services import create_rule
from findings.models import Finding
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import ProjectFactory, ticket_rule
from tests.pages.groups import GRPC, found
from ticketing import services
from ticketing.models import Case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def group(live_server, analyst) -> None:
    """RISK-2 stands for 55 findings, and follows RISK-1."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    data = {"finding_types": ["secret"], "project_id": project.pk, "max_tickets_per_day": 10}
    create_rule(ticket_rule(name="Libraries", group_by=["package"], **data), actor=analyst)
    said = {"attributes": {"package": GRPC, "advisory": {"cve": "CVE-2023-4785"}}}
    found(1, severity="low", **said)
    services.change_case(Case.objects.get(), actor=analyst, status="CLOSED")
    found(5, prefix="api/requirements.lock", tags=("repo:github.com/acme/api",), **said)
    found(50, prefix="requirements.lock", severity="medium", **said)


def choose(page: Page, number: int) -> None:
    for nth in range(number):
        page.locator("input[name=finding]").nth(nth).check()


@pytest.mark.parametrize("width", [1440, 420])
def test_it_shows_a_group_to_everyone(page_as, editor, group, width):
    page = page_as(editor, theme=BOTH, width=width)
    page.goto("/cases/RISK-2")
    choose(page, 2)
    expect(page.get_by_role("button", name="Split 2")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Split 2").click()
    assert_accessible(page)
    finding = Finding.objects.latest("pk").finding_id
    for path in (f"/findings/{finding}?tab=why", f"/tickets/{finding}/detach"):
        page.goto(path)
        assert_accessible(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_it_splits_what_is_chosen(page_as, editor, group, scripts):
    page = page_as(editor, scripts=scripts)
    page.goto("/cases/RISK-2")
    if scripts:
        expect(page.get_by_role("button", name="Split")).to_be_hidden()
    choose(page, 3)
    page.get_by_role("button", name="Split").click()
    expect(page.get_by_role("heading")).to_have_text("Split 3 findings into a ticket of their own?")
    page.get_by_role("button", name="Split").click()
    expect(page.locator(".happenings li").first).to_contain_text("3 findings split into RISK-3")
    assert Case.objects.get(key="RISK-3").attachments.count() == 3


def test_the_bolt_says_for_how_many_it_stands(page_as, editor, group):
    page = page_as(editor)
    page.goto("/findings")
    page.locator("a.tk[data-popover]").first.hover()
    expect(page.locator(".pop:popover-open, .pop[open]").first).to_contain_text("and 54 more")
    assert_accessible(page)
