"""Tickets in a Jira that answers, in a real browser."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory, ProjectFactory
from tests.jira_places import destination_at
from ticketing import services
from ticketing.delivery import deliver_due
from ticketing.models import Case, ExternalIssue, JiraUser, TimelineEntry
from ticketing.outbox import Promise

pytestmark = pytest.mark.django_db(transaction=True)
REFUSAL = {"errorMessages": ["The workflow says no."], "errors": {}}
CREATE = r"POST .*/issue$"


@pytest.fixture
def jira(live_server, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(jira):
    return destination_at(jira)


@pytest.fixture
def cases(place, jira, analyst) -> None:
    """In step, being created, refused, gone, and a case only."""
    for title in ("In step", "Gone", "Refused"):
        finding = FindingFactory(title=title, severity="high")
        services.open_manual_case(
            [finding.pk], project=place.project, actor=analyst, promise=Promise({})
        )
        if title == "Refused":
            jira.faults.answer(CREATE, 400, REFUSAL)
        deliver_due()
    first = Case.objects.get(number=1)
    priya = JiraUser.objects.create(account=place.account, user_id="priya", name="Priya Platform")
    Case.objects.filter(pk=first.pk).update(jira_assignee=priya)
    TimelineEntry.objects.create(case=first, kind="comment", after="On it.", author="Dana")
    shown = {
        "remote_status": "To Do",
        "remote_assignee": "Priya Platform",
        "synced_at": timezone.now(),
    }
    ExternalIssue.objects.update(**shown, sync_due_at=None)
    ExternalIssue.objects.filter(case__number=2).update(gone_at=timezone.now())
    finding = FindingFactory(title="On its way")
    services.open_manual_case(
        [finding.pk], project=place.project, actor=analyst, promise=Promise({})
    )
    services.open_manual_case([], project=ProjectFactory(key="OPS"), title="Case", actor=analyst)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
@pytest.mark.parametrize(
    "path",
    ["/cases", "/cases?view=failed", *(f"/cases/RISK-{n}" for n in range(1, 5)), "/findings"],
)
def test_it_shows_every_page_to_everyone(page_as, analyst, cases, path, theme, width):
    page = page_as(analyst, theme=theme, width=width)
    page.goto(path)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def choose(page: Page, *titles: str) -> None:
    page.goto("/findings")
    for title in titles:
        page.get_by_role("checkbox", name=f"Select {title}", exact=True).check()


def test_it_creates_a_ticket_and_says_its_key(page_as, analyst, place):
    FindingFactory(title="Leaked key")
    page = page_as(analyst)
    choose(page, "Leaked key")
    page.get_by_role("button", name="Create ticket").click()
    page.get_by_role("menuitem", name="One ticket for all").click()
    page.get_by_label("Create a ticket in").select_option(f"jira:{place.project_id}")
    assert_accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Create ticket").click()
    expect(page.get_by_text("Creating the ticket in Jira")).to_be_visible()
    expect(page.locator("[data-ticket] .note")).to_be_visible()
    assert_accessible(page)

    deliver_due()

    expect(page.get_by_text("Ticket SEC-1 created")).to_be_visible()
    expect(page.locator("[data-ticket]")).to_have_text("By a person:SEC-1")
    assert_accessible(page)


def test_it_tries_again_what_jira_refused(page_as, analyst, place, jira):
    for number in range(3):
        FindingFactory(title=f"Key {number}")
    jira.faults.answer(CREATE, 400, REFUSAL)
    page = page_as(analyst, theme="dark")
    choose(page, *(f"Key {number}" for number in range(3)))
    page.get_by_role("button", name="Create ticket").click()
    page.get_by_role("menuitem", name="One ticket per finding").click()
    page.get_by_label("Create a ticket in").select_option(f"jira:{place.project_id}")
    page.get_by_role("dialog").get_by_role("button", name="Create ticket").click()
    expect(page.get_by_text("Creating 3 tickets in Jira")).to_be_visible()
    deliver_due()
    expect(page.get_by_text("2 of 3 tickets created")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Creating the ticket in Jira")).to_be_visible()
    deliver_due()
    expect(page.get_by_text("created", exact=False).first).to_be_visible()
    assert len(jira.issues("SEC")) == 3


def test_it_attaches_to_an_issue_by_its_address(page_as, analyst, place, jira):
    FindingFactory(title="Leaked key")
    there = jira.create_issue("SEC", "Rotate the keys")
    page = page_as(analyst)
    choose(page, "Leaked key")
    page.get_by_role("button", name="Attach to existing").click()
    field = page.get_by_role("textbox", name="Jira key or URL, or a case key")
    field.fill("SEC-99999")
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.get_by_text("SEC-99999 was not found in")).to_be_visible()
    assert_accessible(page)
    field.fill(f"{jira.url}/browse/{there.key}")
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.get_by_text(f"1 finding attached to {there.key}")).to_be_visible()


def test_it_creates_tickets_without_scripts(page_as, analyst, place, jira):
    FindingFactory(title="Leaked key")
    page = page_as(analyst, scripts=False)
    choose(page, "Leaked key")
    page.get_by_role("button", name="Create ticket").click()
    page.get_by_role("menuitem", name="One ticket for all").click()
    page.get_by_label("Create a ticket in").select_option(f"jira:{place.project_id}")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_text("Creating the ticket in Jira")).to_be_visible()
    deliver_due()
    page.goto("/cases/RISK-1")
    expect(page.get_by_role("link", name="SEC-1")).to_be_visible()
    page.get_by_role("button", name="Unlink").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Create in Jira")).to_be_visible()


def test_it_recreates_a_deleted_issue(page_as, analyst, cases, jira):
    page = page_as(analyst)
    page.goto("/cases/RISK-2")
    page.get_by_role("button", name="Recreate").first.click()
    deliver_due()
    page.reload()
    made = ExternalIssue.objects.get(case__number=2, detached_at=None)
    expect(page.get_by_role("link", name=made.issue_key, exact=True)).to_be_visible()
