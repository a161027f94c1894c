"""Deeds on groups of the explorer: from the boxes of its rows to the run's own page."""

from __future__ import annotations

from uuid import UUID

import pytest

from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory
from tests.html_tree import tree
from ticketing import bulk
from ticketing.models import BulkRun, Case

ID = UUID("5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f")
SEARCH = "q=env%3Aprod&group=team"


@pytest.fixture
def findings(db):
    ProjectFactory(key="RISK")
    for team, number in (("a", 3), ("b", 2), ("", 2)):
        tags = ["env:prod", *([f"team:{team}"] if team else [])]
        FindingFactory.create_batch(number, tags=tags)
    FindingFactory(tags=["team:a"])


@pytest.fixture
def ask(as_user, analyst):
    """`ask("mute", within=["in=a"], save="yes", …)`: what the bar of the groups sends."""

    def post(deed, *, user=analyst, **said):
        said = {"of": "groups", "search": SEARCH, "run": str(ID)} | said
        return as_user(user).post(f"/bulk/new/{deed}", said)

    return post


def boxes(body: str) -> list[str]:
    return [each.attributes["value"] for each in tree(body).all("input", name="within")]


@pytest.mark.parametrize(
    ("chosen", "number"),
    [
        ({"within": ["in=a"]}, 3),
        ({"within": ["in=a", "in=b"]}, 5),
        ({"within": ["in=b", "in_none=yes"]}, 4),
        ({"within": ["in=a"], "whole": "yes"}, 5),
    ],
)
def test_a_deed_is_done_to_the_findings_of_the_chosen_groups(ask, findings, chosen, number):
    asked = ask("mute", **chosen)
    assert f"Mute {number} findings" in asked.content.decode()
    hidden = {
        each.attributes["name"]: each.attributes["value"]
        for each in tree(asked.content.decode()).all("input", type="hidden")
    }

    ask("mute", reason="OTHER", days="0", **hidden | {"of": ""})
    bulk.work_due()

    assert Finding.objects.filter(status="muted").count() == number


@pytest.mark.parametrize("within", [[], ["in=nobody"], ["nonsense"], ["in="]])
def test_nothing_chosen_is_nothing_done(ask, findings, within):
    assert ask("mute", within=within, save="yes", reason="OTHER", days="0").status_code == 302
    assert not BulkRun.objects.exists()


def test_its_boxes_say_what_the_bar_sends(as_user, analyst, viewer, findings):
    body = as_user(analyst).get(f"/findings?{SEARCH}").content.decode()

    assert boxes(body) == ["in=a", "in=b", "in_none=yes"]
    assert 'name="search" value="q=env%3Aprod&amp;group=team"' in body
    assert "Select all 2 groups" in body
    assert boxes(as_user(viewer).get(f"/findings?{SEARCH}").content.decode()) == []


@pytest.mark.parametrize(
    ("per", "tickets", "says"),
    [("team", 4, "4 tickets created for 7 findings"), ("", 7, "7 tickets created")],
)
def test_it_creates_a_ticket_for_each_group(as_user, analyst, ask, findings, per, tickets, says):
    project = {"project": str(ProjectFactory(key="CLOUD").pk), "mode": "each"}
    within = ["in=a", "in=b", "in_none=yes"]

    asked = ask("tickets", within=within, per=per)
    assert 'name="per"' in asked.content.decode()
    ask("tickets", save="yes", within=within, number=7, per=per, **project)
    bulk.work_due()

    assert Case.objects.count() == tickets
    assert says in as_user(analyst).get(f"/bulk/{BulkRun.objects.get().pk}").content.decode()


@pytest.mark.parametrize(
    ("per", "chosen"),
    [
        ("choose", "team"),
        ("team,@severity", "team,@severity"),
        ("nonsense", ""),
        ("package", "package"),
    ],
)
def test_it_asks_what_a_ticket_is_for(ask, findings, per, chosen):
    body = tree(ask("tickets", within=["in=a"], per=per).content.decode())

    [select] = body.all("select", name="per")
    values = [
        each.attributes["value"] for each in select.all("option") if "selected" in each.attributes
    ]
    assert (values or [""]) == [chosen]


def test_a_search_is_ticketed_per_package_without_being_grouped(as_user, analyst, findings):
    project = {"project": str(ProjectFactory(key="CLOUD").pk), "mode": "each"}
    said = {"search": "q=env%3Aprod", "number": 7, "run": str(ID), "save": "yes", "per": "team"}

    as_user(analyst).post("/bulk/new/tickets", said | project)
    bulk.work_due()

    assert Case.objects.count() == 4
