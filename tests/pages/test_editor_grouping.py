"""The editor's "One ticket for": what it says, what it counts, what it saves."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from automation.models import Rule
from automation.rules.data import action_of
from findings.models import Source
from findings.services import record
from tests.factories import ProjectFactory, SourceFactory, reported
from tests.html_tree import tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return ProjectFactory(key="SEC", name="Security")


@pytest.fixture
def sent(project):
    return {
        "name": "Libraries",
        "types": ["library_vulnerability"],
        "target": "case_management",
        "project": str(project.pk),
        "limit": "2",
        "one_ticket_for": "finding",
    }


def found() -> None:
    source: Source = SourceFactory()
    for package, number in (("grpcio", 4), ("requests", 3), ("", 1)):
        about = {"package": {"name": package, "version": "1.0"}} if package else {}
        record(reported(number, prefix=f"p{package}", attributes=about), source=source)


def preview(client, said) -> str:
    answer = client.post(reverse("automation:rule-preview"), said, headers={"HX-Request": "true"})
    return " ".join(answer.content.decode().split())


def counts(page: str) -> dict[str, str]:
    """What stands beside each choice."""
    found = re.findall(r'id="grouping-count-(\w+)"[^>]*>(.*?)</div>', page)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for name, text in found}


def test_it_compares_the_choices_over_the_last_30_days(as_user, editor, sent):
    found()
    page = preview(as_user(editor), sent)
    assert counts(page) == {
        "finding": "2 tickets 6 over your limit",
        "package": "2 tickets 1 over your limit",
        "vulnerability": "2 tickets 6 over your limit",
        "resource": "2 tickets 6 over your limit",
        "other": "Pick up to 3 fields",
    }
    assert "8 matches of the last 30 days, at 2 tickets a day" in page
    assert "Largest: grpcio, 4 findings" in page


def test_it_previews_tickets_where_the_rule_groups(as_user, editor, sent):
    found()
    page = preview(as_user(editor), sent | {"one_ticket_for": "package"})
    for text in (
        '<b class="preview-number">2</b> tickets for',
        "<b>2</b> would open a ticket",
        "<b>5</b> would be added to an open ticket, no slot",
        '<b>1</b> over the daily limit <span class="sub">(6 with one ticket each)</span>',
        "Vulnerable package grpcio 1.0: 4 findings in 4 resources",
        "1 of the 8 lacks a package: it gets a ticket of its own.",
    ):
        assert text in page


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"one_ticket_for": "finding"}, None),
        ({"one_ticket_for": "vulnerability"}, ["vulnerability"]),
        (
            {
                "one_ticket_for": "other",
                "group_field_1": "Team",
                "group_field_3": "tag:cost-center",
            },
            ["team", "tag:cost-center"],
        ),
        ({"one_ticket_for": "other", "group_field_1": "scanner rule"}, ["rule"]),
        ({"one_ticket_for": "finding", "group_field_1": "nonsense"}, None),
    ],
)
def test_it_saves_and_shows_what_was_chosen(as_user, editor, sent, typed, stored):
    browser = as_user(editor)
    browser.post(reverse("automation:rule-create"), sent | typed)
    rule = Rule.objects.get()
    assert action_of(rule).group_by == stored
    page = tree(browser.get(reverse("automation:rule-edit", args=[rule.pk])).content.decode())
    chosen = [
        each.attributes["value"]
        for each in page.elements
        if each.attributes.get("name") == "one_ticket_for" and "checked" in each.attributes
    ]
    assert chosen == [typed["one_ticket_for"]]


def test_it_saves_whether_a_closed_ticket_is_opened_again(as_user, editor, sent):
    said = sent | {"one_ticket_for": "package", "when_closed": "reopen"}
    as_user(editor).post(reverse("automation:rule-create"), said)
    assert action_of(Rule.objects.get()).reopens_closed is True


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((), "Pick at least one field."),
        (("Team", "team"), "The same field stands twice."),
        (("", "color"), "Findings cannot be grouped by “color”."),
        (("@status",), "it changes or is a time."),
    ],
)
def test_it_refuses_what_cannot_be_grouped_by(as_user, editor, sent, fields, sentence):
    typed = {f"group_field_{n}": text for n, text in enumerate(fields, 1)}
    answer = as_user(editor).post(
        reverse("automation:rule-create"), sent | {"one_ticket_for": "other"} | typed
    )
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Rule.objects.exists()
