"""The page of a case that stands for a group, and of one with many findings."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec import structs

from automation.rules import services as rules
from automation.rules.data import data_of
from config.lib.numbered_pages import ROWS
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from tests.factories import FindingFactory
from tests.html_tree import tree
from tests.pages.groups import GRPC, found
from ticketing import services
from ticketing.models import Case
from ticketing.templatetags.cases import direction_in_words

GROUP = ["automation.kinds.ticket_creation.groups", "ticketing.groups", "ticketing.case_groups"]


@pytest.fixture
def rule(make_rule):
    return make_rule("Libraries", group_by=["package"])


@pytest.fixture
def show(as_user, analyst):
    def get(key="RISK-1", query="") -> str:
        return as_user(analyst).get(f"/cases/{key}{query}").content.decode()

    return get


def happenings(page: str) -> list[str]:
    (shown,) = tree(page).all("ol", class_="happenings")
    return [each.text for each in shown.all("li")]


def card(page: str) -> dict[str, str]:
    """What the card of the group says."""
    (aside,) = tree(page).all("aside", **{"aria-labelledby": "group"})
    terms = ([each.text for each in aside.all(tag)] for tag in ("dt", "dd"))
    return dict(zip(*terms, strict=True))


def table(page: str) -> list[list[str]]:
    (shown,) = tree(page).all("table", class_="linked-rows")
    return [[cell.text for cell in row.all("td")[1:]] for row in shown.all("tr")[1:]]


def test_it_says_what_the_ticket_is_for(rule, show, frozen):
    found(2, tags=("repo:acme/a",))
    frozen.shift(timedelta(hours=2))
    found(1, prefix="later", tags=("repo:acme/b",))
    frozen.shift(timedelta(minutes=38))
    page = show()
    assert "One ticket per package</span>" in page
    assert "last finding added <time" in page
    assert "38 min ago" in page
    assert card(page) == {
        "One ticket per": "package",
        "Package": "pypi/grpcio",
        "Fix": "1.53.2",
        "Takes more": "Yes, while it is open",
        "Room": "997 of 1,000",
    }
    assert "<b>1 finding added</b>, in acme/b" in page


def test_the_worst_come_first_and_those_that_are_gone_last(rule, show):
    found(1, prefix="low", severity="low")
    found(1, prefix="gone", severity="critical")
    found(1, prefix="high", severity="high", tags=("repo:github.com/acme/api",))
    gone = Finding.objects.filter(severity="critical").values_list("pk", flat=True)
    change_status(gone, status=Status.RESOLVED, actor=None)
    page = show()
    rows = table(page)
    assert [(row[0], row[3]) for row in rows] == [
        ("High", "Open"),
        ("Low", "Open"),
        ("Critical", "Resolved"),
    ]
    assert rows[0][1:3] == ["acme/api : Outdated library high-0", "1.50.0"]
    assert "<b>1.53.2</b> fixes all 3" in page
    assert "<b>2</b> open" in page
    assert "<b>1</b> resolved" in page
    assert "/findings?q=%40ticket.key%3ARISK-1" in page


def test_a_fix_that_is_not_known_for_all_says_for_how_many(rule, show):
    found(2)
    unfixed = {name: GRPC[name] for name in ("name", "ecosystem", "version")}
    found(1, prefix="more", attributes={"package": unfixed})
    assert "<b>1.53.2</b> fixes 2 of 3" in show()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("closed", "No: closed"),
        ("archived", "No: archived"),
        ("detached", "No: detached by hand"),
        ("deleted", "No: the rule was deleted"),
        ("disabled", "No: the rule is disabled"),
        ("regrouped", "No: the rule groups otherwise now"),
    ],
)
def test_it_says_why_it_takes_no_more(rule, show, editor, end, said):
    found(2)
    case = Case.objects.get()
    if end == "closed":
        services.change_case(case, actor=editor, status="CLOSED")
    elif end == "archived":
        services.archive(case, actor=editor)
    elif end == "detached":
        services.detach([each.pk for each in Finding.objects.all()], actor=editor)
    elif end == "regrouped":
        data = data_of(rule)
        action = structs.replace(data.action, group_by=["package", "team"])
        rules.edit_rule(rule.pk, replace(data, action=action), actor=editor)
    else:
        {"deleted": rules.delete_rule, "disabled": rules.disable_rule}[end](rule.pk, actor=editor)
    assert card(show())["Takes more"] == said


def test_a_closed_one_that_opens_again_says_so(make_rule, show, editor):
    make_rule(group_by=["package"], reopens_closed=True)
    found(1)
    services.change_case(Case.objects.get(), actor=editor, status="CLOSED")
    assert card(show())["Takes more"] == "Yes, and it opens again"


def test_the_tickets_of_a_group_lead_to_each_other(rule, show, editor, frozen):
    found(2)
    services.change_case(Case.objects.get(), actor=editor, status="CLOSED")
    found(1, prefix="later")
    first, second = card(show()), card(show("RISK-2"))
    assert (first["Takes more"], first["Later"]) == ("No: closed", "RISK-2")
    assert second["Earlier"] == "RISK-1 closed 23 Nov 2026"
    created = happenings(show("RISK-2"))[-1]
    assert "It follows RISK-1 , the earlier ticket for grpcio, closed 23 Nov." in created


def test_one_that_is_full_says_what_continues_it(rule, show, monkeypatch):
    for module in GROUP:
        monkeypatch.setattr(f"{module}.MAX_FINDINGS_OF_GROUP", 2)
    found(3)
    assert card(show())["Takes more"] == "No: continued by RISK-2"
    assert card(show())["Room"] == "0 of 2"
    page = show("RISK-2")
    assert card(page)["Earlier"] == "RISK-1 full"
    assert "It continues RISK-1 , which was full." in happenings(page)[-1]


def test_other_cases_show_titles_and_no_group(show, project, analyst):
    pks = [FindingFactory(title=f"Leak {n}").pk for n in range(2)]
    services.open_manual_case(pks, project=project, actor=analyst)
    page = show()
    assert "Leak 0" in table(page)[0][1]
    assert 'aria-labelledby="group"' not in page


@pytest.mark.parametrize(
    ("query", "shown", "rows"),
    [
        ("", "1–50 of 60, worst first", ROWS),
        ("?page=2", "51–60 of 60, worst first", 10),
        ("?page=99", "51–60 of 60, worst first", 10),
        ("?page=-1", "1–50 of 60, worst first", ROWS),
        ("?page=x", "1–50 of 60, worst first", ROWS),
    ],
)
def test_findings_come_in_pages(rule, show, query, shown, rows):
    found(60)
    page = show(query=query)
    assert shown in page
    assert len(table(page)) == rows


def test_the_link_in_its_text_lists_its_findings(rule, as_user, analyst):
    found(2)
    found(1, prefix="other", attributes={})
    text = Case.objects.get(number=1).description
    (link,) = re.findall(r"\[All 2 in Findings\]\(https?://[^/]+(.+?)\)", text)
    assert as_user(analyst).get(link).context["total"] == 2


def test_it_takes_as_few_statements_for_any_number(rule, as_user, analyst):
    browser = as_user(analyst)

    def cost() -> int:
        with CaptureQueriesContext(connection) as statements:
            browser.get("/cases/RISK-1")
        return len(statements)

    found(2)
    first = cost()
    found(40, prefix="more")
    assert cost() == first <= 20


@pytest.mark.parametrize(
    ("mode", "group", "words"),
    [
        ("once", None, "at creation"),
        ("once", "a group", "with its findings"),
        ("two_way", "a group", "both ways"),
        ("off", "a group", "not synced"),
    ],
)
def test_the_card_of_the_sync_says_what_follows_the_findings(mode, group, words):
    assert words in direction_in_words(mode, group)
