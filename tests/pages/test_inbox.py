"""The Security Inbox: its panels are filters, and every number is that of the rows behind it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from findings.facts import Status, Ticket
from tests.factories import FindingFactory

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULE = "6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10"
AIKO = {"triage": {"assignee": {"id": "1", "name": "Aiko Sato"}}}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(frozen):
    return frozen


@pytest.fixture
def inbox(as_user, analyst):
    return lambda query="": as_user(analyst).get(f"/inbox?{query}")


def put_in(title: str, *, days: int | None = None, workflow=None, **fields):
    due_at = NOON.replace(hour=0) + timedelta(days=days) if days is not None else None
    entry = {"security_inbox": {"added_at": 1_795_262_400_000, "added_by": None}}
    rule = {"rule_id": "x", "rule_name": "Secrets", "rule_type": "security_inbox"}
    said = entry | {"automations": [rule]} | (workflow or {})
    return FindingFactory(title=title, is_in_inbox=True, due_at=due_at, workflow=said, **fields)


@pytest.fixture
def filled():
    put_in("Late", days=-1371, severity="critical", inbox_rule_id="secret_default_rule")
    put_in("Today", days=0, severity="critical", ticket=Ticket.AUTOMATED, ticket_key="SEC-1")
    put_in("Seventh", days=7, severity="high", workflow=AIKO)
    put_in("Eighth", days=8, severity="low")
    put_in("Undated", severity="low", workflow=AIKO)
    put_in("Resolved", status=Status.RESOLVED)
    put_in("Muted", status=Status.MUTED)
    FindingFactory(title="Elsewhere")


def titles(answer) -> list[str]:
    return [row.finding.title for row in answer.context["page"].rows]


def test_it_shows_what_is_due_first_and_what_is_never_due_last(inbox, filled):
    answer = inbox()
    assert titles(answer) == ["Late", "Today", "Seventh", "Eighth", "Undated"]
    page = answer.content.decode()
    for said in ("Overdue 1,371 d", ">Today<", "in 7 d", "oldest by 1,371 days", "1 of them today"):
        assert said in page
    for said in ("next on 1 Dec 2026", "Aiko Sato", "Unassigned", "Default · ", ">Secrets<"):
        assert said in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("due=overdue", ["Late"]),
        ("due=soon", ["Today", "Seventh"]),
        ("due=", ["Undated"]),
        ("severity=critical", ["Late", "Today"]),
        ("status=pending", ["Late", "Eighth"]),
        ("status=in_flight", ["Today", "Seventh", "Undated"]),
        ("status=in_flight&status=pending&severity=low", ["Eighth", "Undated"]),
        ("status=nonsense&due=soon&severity=high", ["Seventh"]),
        ("q=@severity:low&sort=-due", ["Undated", "Eighth"]),
    ],
)
def test_it_filters(query, found, inbox, filled):
    answer = inbox(query)
    assert titles(answer) == found
    assert answer.context["total"] == len(found)
    assert f"of {len(found)}</span>" in answer.content.decode()


@pytest.mark.parametrize("query", ["", "severity=low", "status=in_flight&due=soon", "q=Late"])
def test_each_number_is_that_of_the_rows_behind_its_link(query, inbox, filled):
    panels = inbox(query).content.decode().split('<div id="results">')[0]
    links = re.findall(r'<a href="([^"]+)" ( ?aria-current="true")?>.*?<b[^>]*>(\d+)</b>', panels)
    assert len(links) >= 6
    for href, is_chosen, number in links:
        if not is_chosen:
            assert len(titles(inbox(unescape(href).partition("?")[2]))) == int(number), href


def test_all_that_it_finds_is_found_by_the_explorer_alike(inbox, filled, as_user, analyst):
    answer = inbox("status=pending&due=overdue&due=later")
    same = as_user(analyst).get(f"/findings?{answer.context['inbox'].state}")
    assert titles(same) == titles(answer) == ["Late", "Eighth"]


def test_the_navigation_counts_what_is_pending(as_user, analyst, filled):
    assert as_user(analyst).get("/counts").json()["inbox"] == {"open": 2, "label": "2"}


def test_it_says_when_it_is_empty(inbox, filled):
    assert "No findings match" in inbox("q=nothing").content.decode()
    refused = inbox("q=(a")
    assert (refused.status_code, "Unclosed parenthesis" in refused.content.decode()) == (422, True)


def test_it_says_when_nothing_waits(inbox):
    page = inbox().content.decode()
    assert "The inbox is empty" in page
    assert "Nothing needs your attention." in page


def test_a_viewer_selects_nothing(as_user, viewer, filled):
    page = as_user(viewer).get("/inbox").content.decode()
    assert "Late" in page
    assert 'name="finding"' not in page


def test_it_costs_the_same_statements_for_any_number(as_user, analyst):
    browser, counts = as_user(analyst), []
    for size in (1, 30):
        for number in range(size):
            put_in(f"Finding {number}", days=number, ticket=Ticket.MANUAL, ticket_key=f"S-{number}")
        with CaptureQueriesContext(connection) as captured:
            browser.get("/inbox")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 11


def test_it_pages_from_a_place_on(inbox):
    for number in range(60):
        put_in(f"{number:02}", days=number if number < 30 else None)
    answer = inbox()
    rest = inbox(f"page={answer.context['page'].next}")
    assert titles(answer)[:30] == [f"{number:02}" for number in range(30)]
    assert sorted(titles(answer) + titles(rest)) == [f"{number:02}" for number in range(60)]
