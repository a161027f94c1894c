"""The board of cases: a column for each status, and cards that move between them."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import FindingFactory, ProjectFactory
from ticketing import services
from ticketing.case_lists import CARDS
from ticketing.models import Case

BOARD = "/cases?layout=board"


@pytest.fixture
def make_case(project):
    def make(title="Leaked key", **said):
        return services.open_manual_case(
            [], title=title, **{"project": project, "actor": None} | said
        )

    return make


def send(browser, case, status, *, script=False, seen=None):
    said = {"status": status, "seen": seen or case.modified_at.isoformat()}
    headers = {"HX-Request": "true"} if script else {}
    return browser.post(f"/cases/{case.key}/column?layout=board", said, headers=headers)


def columns(response) -> dict[str, list[str]]:
    return {
        column.status: [row.case.title for row in column.rows]
        for column in response.context["columns"]
    }


def test_it_shows_a_column_for_each_status(as_user, viewer, make_case):
    make_case("Still open")
    services.change_case(make_case("Done"), status="CLOSED", actor=None)

    shown = as_user(viewer).get(BOARD)

    assert columns(shown) == {"OPEN": ["Still open"], "IN_PROGRESS": [], "CLOSED": ["Done"]}
    assert "No cases" in shown.text
    board = re.search(r'aria-current="true">(?:<svg.*?</svg>)?Board</a>', shown.text)
    assert board


def test_it_shows_what_the_search_finds_whatever_status_is_asked_for(as_user, viewer, make_case):
    make_case("Public bucket")
    make_case("Leaked key", project=ProjectFactory(key="OPS"))

    shown = as_user(viewer).get(f"{BOARD}&q=leaked&project=ops&status=CLOSED&sort=key")

    assert columns(shown)["OPEN"] == ["Leaked key"]


@pytest.mark.parametrize("query", ["q=status:lost", "q=nothing", "view=mine"])
def test_it_says_why_a_board_is_empty(as_user, viewer, make_case, query):
    make_case()
    shown = as_user(viewer).get(f"{BOARD}&{query}").text
    assert ("No cases" in shown) or ("is not a status" in shown)
    assert "Leaked key" not in shown


def test_it_says_when_there_are_no_cases(as_user, viewer, db):
    assert "No cases yet" in as_user(viewer).get(BOARD).text


def test_it_leads_to_the_list_for_cards_that_do_not_fit(as_user, viewer, project):
    pks = [FindingFactory().pk for _ in range(CARDS + 1)]
    services.open_case_each(pks, project=project, actor=None)

    shown = as_user(viewer).get(f"{BOARD}&sort=key")

    assert len(columns(shown)["OPEN"]) == CARDS
    assert f">All {CARDS + 1} in the list</a>" in shown.text
    assert 'href="/cases?sort=key&amp;status=OPEN"' in shown.text


def test_it_moves_a_card_and_offers_to_undo_it(as_user, analyst, make_case):
    case = make_case()
    browser = as_user(analyst)

    answer = send(browser, case, "IN_PROGRESS")
    board = browser.get(answer.url).text

    assert answer.url == BOARD
    assert "RISK-1 is In Progress" in board
    assert 'name="status" value="OPEN"' in board
    case.refresh_from_db()
    assert case.status == "IN_PROGRESS"
    assert send(browser, case, "OPEN").status_code == 302  # what Undo sends
    assert Case.objects.get().status == "OPEN"


def test_it_answers_a_script_with_the_board_as_it_is_then(as_user, analyst, make_case):
    answer = send(as_user(analyst), make_case(), "CLOSED", script=True)

    assert answer.status_code == 200
    assert columns(answer)["CLOSED"] == ["Leaked key"]
    assert "<html" not in answer.text
    assert "RISK-1 is Closed" in answer.text


def test_it_does_not_overwrite_what_somebody_else_did_meanwhile(
    as_user, analyst, editor, make_case
):
    case = make_case()
    services.change_case(case, status="CLOSED", actor=editor)

    answer = send(as_user(analyst), case, "IN_PROGRESS", script=True)

    assert answer.status_code == 409
    assert columns(answer)["CLOSED"] == ["Leaked key"]
    assert "Edith Editor changed the status of this case" in answer.text


def test_it_does_the_same_twice_without_saying_it_twice(as_user, analyst, make_case):
    case, browser = make_case(), as_user(analyst)
    send(browser, case, "CLOSED", script=True)
    entries = case.timeline.count()

    answer = send(browser, case, "CLOSED", script=True)

    assert answer.status_code == 200
    assert case.timeline.count() == entries


@pytest.mark.parametrize(("status", "seen"), [("LOST", None), ("", None), ("\0", "x")])
def test_it_refuses_columns_there_are_not(as_user, analyst, make_case, status, seen):
    answer = send(as_user(analyst), make_case(), status, script=True, seen=seen)

    assert answer.status_code == 422
    assert "There is no such column." in answer.text


def test_it_warns_that_findings_stay_open(as_user, analyst, project):
    pks = [FindingFactory().pk for _ in range(2)]
    case = services.open_manual_case(pks, project=project, actor=None)

    assert "2 findings are still open." in send(as_user(analyst), case, "CLOSED", script=True).text


def test_it_lets_viewers_look_only(as_user, viewer, make_case):
    case = make_case()
    assert "data-moves" not in as_user(viewer).get(BOARD).text
    assert send(as_user(viewer), case, "CLOSED").status_code == 403
    assert as_user(viewer).get(f"/cases/{case.key}/column").status_code == 403


def test_it_moves_by_post_and_only_cases_there_are(as_user, analyst, make_case):
    case, browser = make_case(), as_user(analyst)
    assert browser.get(f"/cases/{case.key}/column").status_code == 405
    case.key = "RISK-99"
    assert send(browser, case, "CLOSED").status_code == 404


def test_it_costs_the_same_for_five_cards_as_for_fifty(as_user, analyst, project):
    browser, costs = as_user(analyst), []
    for number in (5, 45):
        pks = [FindingFactory().pk for _ in range(number)]
        for nth, case in enumerate(services.open_case_each(pks, project=project, actor=analyst)):
            status = Case.Status.values[nth % 3]
            services.change_case(case, status=status, assignee=analyst, actor=None)
        with CaptureQueriesContext(connection) as statements:
            browser.get(BOARD)
        costs.append(len(statements))

    assert costs[0] == costs[1] <= 13
