"""What the editor says of open findings while a rule of an effect kind is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.models import Rule
from automation.recheck import recheck
from findings.facts import Severity
from tests.factories import FindingFactory
from tests.pages.test_editor_kinds import LIST, SLUGS, filled, make

HTMX = {"HX-Request": "true"}
MUTE = MuteFinding(reason=Reason.OTHER)
CRITICAL = SetSeverity(severity=Level.CRITICAL)


def found(number=1, *, days_ago=0, **said) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    for _ in range(number):
        FindingFactory(**{"first_seen_at": at, **said})


def due(**days) -> SetDueDate:
    return SetDueDate(
        due_from=DueFrom.FIRST_SEEN,
        due_days_per_severity=[
            DueDays(severity=Severity(k), due_in_days=v) for k, v in days.items()
        ],
    )


def preview(browser, slug, **said) -> str:
    response = browser.post(f"/rules/{slug}/preview", filled(slug, **said), headers=HTMX)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def shows(page, *parts):
    missing = [part for part in parts if part not in page]
    assert not missing, (missing, page)


def test_of_severities(as_user, editor):
    first = make(ShiftSeverity(severity_delta=Delta.UP_ONE), query="env:dev")
    address = f"{LIST}?rule={first.pk}#rule-{first.pk}"
    found(3, severity="high", tags=["env:dev"])
    found(2, severity="medium")
    found(4, severity="critical")
    found(1, severity="low", base_severity="high", person_severity="low")
    found(1, severity="unknown")
    assert recheck()

    page = preview(as_user(editor), "modify_severity")

    shows(
        page,
        '<b class="preview-number">2</b> open findings would change',
        "<b>2</b> would become Critical",
        f'<b>3</b> <span>changed by <a class="link" href="{address}">rule 1</a> first',
        "<b>1</b> keep a severity set by a person",
        "<b>4</b> have that severity already",
        "<b>1</b> have an unknown severity and keep it",
        "Before and after",
        "No tickets: only new findings are ticketed",
        "was Medium",
        "View all 11",
    )


def test_of_what_rules_of_later_kinds_make_of_it(as_user, editor):
    make(due(high=30, critical=7), "Due")
    make(AddToInbox(), "Inbox", query="@severity:critical")
    found(2, days_ago=1)
    found(1, days_ago=20)
    assert recheck()

    page = preview(as_user(editor), "modify_severity")

    shows(
        page,
        "<b>3</b> get an earlier due date, <b>1</b> of them overdue at once",
        "<b>3</b> enter the Security Inbox",
    )


def test_of_mutes(as_user, editor):
    make(MUTE, query="env:dev")
    make(due(high=30), "Due")
    found(2, tags=["env:dev"])
    found(3)
    found(1, is_mute_lifted=True)
    found(1, status="muted")
    found(2, ticket="manual", ticket_key="SEC-1", ticket_status="open")
    found(1, ticket="manual", ticket_key="SEC-2", ticket_status="closed")
    assert recheck()

    page = preview(as_user(editor), "mute")

    shows(
        page,
        '<b class="preview-number">6</b> open findings would be muted',
        "<b>6</b> would be muted",
        "<b>2</b> <span>already muted by",
        "<b>1</b> unmuted by a person, stay open",
        "<b>1</b> already muted by a person",
        "2 of them have an open ticket.",
        "Look at these 2",
        "<b>6</b> lose their due date",
        "<b>2</b> cases and tickets follow, as for any muted finding",
        "All of it goes back when the rule is disabled, deleted or expires",
        "Mutes 6 open findings after you save",
        "By severity",
        "SEC-2",
        "No ticket",
    )


def test_the_tickets_in_its_way_are_those_it_names(as_user, editor):
    found(2, ticket="manual", ticket_key="SEC-1", ticket_status="open")
    found(3)
    browser = as_user(editor)
    page = browser.post("/rules/mute/preview", filled("mute")).context

    shown = browser.get(f"/findings?{page['tickets_query']}").content.decode()

    assert "SEC-1" in shown
    assert shown.count("/findings/ZmluZGluZw") >= 2
    assert page["breakdown"]["ticketed"] == 2


def test_of_the_inbox(as_user, editor):
    found(2)
    found(1, is_in_inbox=True, inbox_choice="added")
    found(1, inbox_choice="removed")

    shows(
        preview(as_user(editor), "add_to_inbox"),
        '<b class="preview-number">2</b> open findings would enter the inbox',
        "<b>2</b> would enter the inbox",
        "<b>1</b> added by a person",
        "<b>1</b> removed by a person, stay out",
        "By severity",
    )


def test_of_due_dates(as_user, editor):
    make(due(high=3), query="env:dev")
    found(2, days_ago=40)
    found(4, days_ago=1)
    found(2, tags=["env:dev"])
    found(5, severity="low")
    found(1, status="muted")
    found(3, days_ago=28)
    assert recheck()
    said = {"days_critical": "7", "days_high": "30", "days_medium": "9", "due_from": "first_seen"}

    page = preview(as_user(editor), "set_due_date", **said, days_unknown="")

    shows(
        page,
        '<b class="preview-number">9</b> open findings would get a due date',
        "<b>2</b> overdue at once",
        "<b>3</b> due within 7 days",
        "<b>4</b> due later",
        "<b>2</b> <span>dated by",
        "<b>5</b> no date: Low and Info have no days",
        "2 already past",
        "<b>1</b> muted finding gets no date",
        '<span id="matches-high" hx-swap-oob="true">9</span>',
        '<span id="overdue-high" hx-swap-oob="true"><b>2</b> </span>',
        '<span id="overdue-medium" hx-swap-oob="true">0 </span>',
        '<span id="overdue-low" hx-swap-oob="true">– </span>',
        "in 2 d",
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_of_a_rule_that_is_there_it_says_what_is_so_already(as_user, editor, slug):
    browser = as_user(editor)
    found(2, severity="critical" if slug == "set_due_date" else "high")
    browser.post(f"{LIST}/{slug}/new", filled(slug))
    assert recheck()
    rule = Rule.objects.get()

    page = preview(browser, slug, rule=str(rule.pk))

    shows(page, '<b class="preview-number">0</b>', "<b>2</b> ", " already")
    assert "first</span>" not in page


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"types": []}, "Select at least one finding type to see which open findings would change"),
        ({"query": "(env:prod"}, "is never closed"),
        ({}, "</b> open findings match. The rule will wait for new ones."),
        ({"name": ""}, "</b> open findings match. The rule will wait for new ones."),
    ],
)
def test_it_says_what_there_is_to_do(as_user, editor, slug, said, sentence):
    shows(preview(as_user(editor), slug, **said), sentence)


@pytest.mark.parametrize("slug", SLUGS)
def test_without_scripts_it_is_the_editor_as_typed(as_user, editor, slug):
    found(2, severity="critical" if slug == "set_due_date" else "high")
    said = filled(slug, name="", query="-a:b")

    page = as_user(editor).post(f"/rules/{slug}/preview", said).content.decode()

    shows(page, '<b class="preview-number">2</b>', "-a:b</textarea>")
    assert "Enter a rule name." not in page
    assert not Rule.objects.exists()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_asks_as_often_however_much_there_is(
    as_user, editor, slug, django_assert_max_num_queries
):
    make(CRITICAL, "S", query="@severity_details.adjusted.value:low")
    make(MUTE, "M", query="a:b")
    browser = as_user(editor)
    found(40)
    preview(browser, slug)
    with django_assert_max_num_queries(16):
        preview(browser, slug)


def test_it_says_what_is_still_to_be_chosen(as_user, editor):
    shows(preview(as_user(editor), "modify_severity", level=""), "<p>Select a severity.</p>")
    shows(preview(as_user(editor), "mute", reason=""), "<p>Select a reason.</p>")
