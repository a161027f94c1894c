"""The list of cases."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.numbered_pages import ROWS
from tests.factories import FindingFactory, ProjectFactory
from ticketing import services

LIST = "/cases"


@pytest.fixture
def make_case(project):
    def make(title="Leaked key", *, findings=0, **said):
        pks = [FindingFactory().pk for _ in range(findings)]
        said = {"project": project, "actor": None, **said}
        return services.open_manual_case(pks, title=title, **said)

    return make


def page(browser, query=""):
    return browser.get(f"{LIST}{query}").content.decode()


def test_it_lists_cases_with_what_matters(as_user, viewer, analyst, make_case):
    make_case("Public bucket", findings=3, priority="P1", assignee=analyst)

    shown = page(as_user(viewer))

    assert "RISK-1" in shown
    assert ">Public bucket</a>" in shown
    assert 'class="prio p1"' in shown
    assert "Alan Analyst" in shown
    assert '3<span class="vh"> findings</span>' in shown
    assert "1–1 of 1" in shown


def test_it_says_when_there_are_no_cases(as_user, viewer, db):
    shown = page(as_user(viewer))

    assert "No cases yet" in shown
    assert "Cases appear when a rule or a person creates one." in shown
    assert "Create case" not in shown


def test_it_finds_by_title_and_key(as_user, viewer, make_case):
    make_case("Public bucket")
    make_case("Leaked key")

    assert "Leaked key" not in page(as_user(viewer), "?q=BUCKET")
    assert "Public bucket" not in page(as_user(viewer), "?q=risk-2")
    assert "No cases match this search" in page(as_user(viewer), "?q=nothing+like+it")


def test_it_shows_the_cases_assigned_to_me(as_user, analyst, make_case):
    make_case("Mine", assignee=analyst)
    make_case("Somebody's")

    shown = page(as_user(analyst), "?view=mine")

    assert "Mine" in shown
    assert "Somebody" not in shown
    assert 'Assigned to me <span class="num">1</span>' in shown


def test_it_filters_by_status_and_counts_each(as_user, viewer, make_case):
    make_case("Still open")
    services.change_case(make_case("Done"), status="CLOSED", actor=None)

    shown = page(as_user(viewer), "?status=CLOSED")

    assert "Still open" not in shown
    assert 'Open <span class="num">1</span>' in shown
    assert 'Closed <span class="num">1</span>' in shown


def test_it_filters_by_project(as_user, viewer, make_case):
    make_case("Here")
    make_case("There", project=ProjectFactory(key="OPS"))

    assert "Here" not in page(as_user(viewer), "?project=OPS")


def test_it_hides_archived_cases_until_asked(as_user, viewer, make_case):
    services.archive(make_case("Old story"), actor=None)

    assert "Old story" not in page(as_user(viewer))
    assert "Old story" in page(as_user(viewer), "?view=archived")


def test_it_explains_a_value_that_a_field_does_not_have(as_user, viewer, make_case):
    make_case()

    shown = page(as_user(viewer), "?q=status:lost")

    assert "“lost” is not a status. Use open, in_progress, closed (at character 1)." in shown
    assert 'aria-invalid="true"' in shown


def test_it_escapes_what_scanners_and_people_wrote(as_user, viewer, make_case):
    make_case("<script>alert(1)</script>")

    shown = page(as_user(viewer), "?q=%22%3E%3Cscript%3E")
    assert '"><script>' not in shown
    assert "&lt;script&gt;alert(1)" in page(as_user(viewer))


@pytest.mark.parametrize("number", ["0", "-1", "999999999999999999999", "x", "²", "2"])
def test_it_answers_pages_that_do_not_exist(as_user, viewer, make_case, number):
    make_case()
    assert "RISK-1" in page(as_user(viewer), f"?page={number}")


@pytest.mark.parametrize("query", ["view=x", "status=DONE", "sort=secret", "q=%00", "project=%00"])
def test_it_survives_nonsense_in_its_address(as_user, viewer, make_case, query):
    make_case()
    assert as_user(viewer).get(f"{LIST}?{query}").status_code == 200


def test_it_pages(as_user, viewer, project):
    pks = [FindingFactory().pk for _ in range(ROWS + 1)]
    for part in (pks[:ROWS], pks[ROWS:]):
        services.open_case_each(part, project=project, actor=None)

    first, second = page(as_user(viewer)), page(as_user(viewer), "?page=2")
    assert [rel in each for each in (first, second) for rel in ('rel="prev"', 'rel="next"')] == [
        *(False, True),
        *(True, False),
    ]

    assert "1–50 of 51" in first
    assert "51–51 of 51" in second
    assert [shown.count("data-row>") for shown in (first, second)] == [ROWS, 1]


@pytest.mark.parametrize("sort", ["updated", "created", "priority", "key"])
def test_it_costs_the_same_for_five_cases_as_for_fifty(as_user, analyst, project, sort):
    browser, costs = as_user(analyst), []
    for number in (5, 45):
        pks = [FindingFactory().pk for _ in range(number)]
        services.open_case_each(pks, project=project, actor=analyst, assignee=analyst)
        with CaptureQueriesContext(connection) as statements:
            page(browser, f"?sort={sort}")
        costs.append(len(statements))

    assert costs[0] == costs[1] <= 12


def test_it_offers_nothing_to_a_viewer(as_user, viewer, make_case):
    make_case()
    assert "/cases/new" not in page(as_user(viewer))


def test_it_sends_strangers_to_the_login(client, db):
    assert client.get(LIST).url.startswith("/login")


def test_it_reads_only(as_user, analyst):
    assert as_user(analyst).post(LIST).status_code == 405
