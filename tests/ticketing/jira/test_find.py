"""Was it created? Looked for by index and by number, in a Jira that makes it hard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.ticketing.jira.conftest import SEC_TASK, draft, failure
from ticketing.trackers.base import Destination, Fault, Lookup
from ticketing.trackers.jira import finding

SINCE = datetime(2026, 11, 23, tzinfo=UTC)


def find(tracker, key="fa-abc", *, floor=0, ceiling=0):
    return tracker.find([Lookup(key, SEC_TASK, SINCE, floor, ceiling)])[key]


def create(tracker, key="fa-abc"):
    return tracker.create(draft(), key=key, attempt="a-1")


def hide(sandbox, ref):
    sandbox.hide_from_search(ref.key, datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture(params=["cloud", "data_center"])
def both(request):
    """The sandbox and the tracker, of each deployment."""
    if request.param == "cloud":
        return request.getfixturevalue("sandbox_jira"), request.getfixturevalue("tracker")
    names = ("sandbox_data_center", "dc_tracker")
    return tuple(request.getfixturevalue(name) for name in names)


def test_it_finds_what_the_index_does_not_know(both):
    sandbox, tracker = both
    ref = create(tracker)
    hide(sandbox, ref)
    assert find(tracker).refs == (ref,)


def test_it_finds_an_answer_that_was_lost(both):
    sandbox, tracker = both
    sandbox.faults.reset("POST /issue$", stage="after")
    assert failure(lambda: create(tracker)).fault is Fault.UNSURE
    (issue,) = sandbox.issues()
    hide(sandbox, finding.IssueRef(str(issue.id), issue.key))
    assert [ref.key for ref in find(tracker).refs] == [issue.key]


def test_it_finds_an_issue_whose_label_somebody_took_off(both):
    sandbox, tracker = both
    ref = create(tracker)
    sandbox.edit(ref.key, labels=[])
    assert find(tracker).refs == (ref,)


def test_it_finds_an_issue_that_was_moved(both):
    sandbox, tracker = both
    ref = create(tracker)
    moved = sandbox.move(ref.key, "PLAT")
    hide(sandbox, finding.IssueRef(ref.id, moved.key))
    assert find(tracker).refs == ((ref.id, "PLAT-1"),)
    sandbox.index_now()
    assert find(tracker).refs == ((ref.id, "PLAT-1"),)


def test_it_does_not_take_a_copy_for_a_second_one(both):
    sandbox, tracker = both
    ref = create(tracker)
    sandbox.create_issue("SEC", "A copy", labels=["fa-abc"])
    assert find(tracker).refs == (ref,)


def test_it_takes_a_label_for_proof_where_there_is_no_better(both):
    sandbox, tracker = both
    sandbox.create_issue("SEC", "No property", labels=["fa-abc"])
    assert [ref.key for ref in find(tracker).refs] == ["SEC-1"]


def test_it_proves_absence_in_a_busy_space(both):
    sandbox, tracker = both
    refs = [create(tracker, key=f"fa-{number}") for number in range(30)]
    for ref in refs[10:]:
        hide(sandbox, ref)
    assert find(tracker, floor=5) == ((), True)


def test_it_looks_on_beyond_what_the_index_knows(sandbox_jira, tracker, monkeypatch):
    monkeypatch.setattr(finding, "_MARGIN", 20)
    for number in range(25):
        hide(sandbox_jira, create(tracker, key=f"fa-{number}"))
    assert find(tracker, key="fa-24").refs[0].key == "SEC-25"
    assert find(tracker) == ((), True)


def test_it_looks_up_to_the_number_that_it_is_told(sandbox_jira, tracker, monkeypatch):
    monkeypatch.setattr(finding, "_MARGIN", 0)
    ref = create(tracker)
    hide(sandbox_jira, ref)
    assert find(tracker) == ((), True)
    assert find(tracker, ceiling=1).refs == (ref,)


def test_it_sees_past_numbers_that_refused_creates_have_used_up(sandbox_jira, tracker):
    sandbox_jira.project("SEC").last_number = 90
    ref = create(tracker)
    hide(sandbox_jira, ref)
    assert find(tracker).refs == (ref,)


def test_it_asks_for_a_hundred_at_a_time(sandbox_jira, tracker):
    create(tracker, key="fa-other")
    sandbox_jira.project("SEC").last_number = 150
    create(tracker, key="fa-another")
    sandbox_jira.log.clear()
    assert find(tracker) == ((), True)
    sizes = [
        len(one.json["issueIdsOrKeys"]) for one in sandbox_jira.log.matching("POST /bulkfetch")
    ]
    assert sizes == [100, 100, 51]


@pytest.mark.parametrize("last", [2500])
def test_it_proves_nothing_in_a_window_that_is_too_wide(both, last):
    sandbox, tracker = both
    sandbox.project("SEC").last_number = last
    create(tracker, key="fa-other")
    assert find(tracker) == ((), False)
    assert find(tracker, floor=last - 10) == ((), True)


def test_it_proves_nothing_where_it_may_not_look(both):
    sandbox, tracker = both
    sandbox.deny("BROWSE_PROJECTS", "SEC")
    assert find(tracker) == ((), False)


def test_it_proves_nothing_where_the_space_is_gone(both):
    sandbox, tracker = both
    sandbox.delete_project("SEC")
    assert find(tracker) == ((), False)


def test_it_proves_nothing_while_an_issue_cannot_be_read(sandbox_jira, tracker):
    body = {"issues": [], "issueErrors": [{"id": "1", "errorMessage": "later"}]}
    sandbox_jira.faults.answer("POST /bulkfetch$", 200, body)
    assert find(tracker) == ((), False)


def test_one_number_that_cannot_be_read_is_its_own_problem(sandbox_jira, tracker):
    """It leaves room for a doubt about those whose numbers are above what was known before."""
    for key in ("fa-1", "fa-2", "fa-3"):
        hide(sandbox_jira, create(tracker, key=key))
    issue = {"id": "10003", "key": "SEC-3", "fields": {"labels": ["fa-3"]}}
    body = {"issues": [issue], "issueErrors": [{"id": "SEC-2", "errorMessage": "later"}]}
    sandbox_jira.faults.answer("POST /bulkfetch$", 200, body, times=None)
    sandbox_jira.faults.answer("GET /issue/SEC-2$", 500, {"errorMessages": ["later"]}, times=None)
    floors = {"fa-3": 0, "fa-below": 1, "fa-above": 2}
    found = tracker.find([Lookup(key, SEC_TASK, SINCE, floor) for key, floor in floors.items()])
    assert [ref.key for ref in found["fa-3"].refs] == ["SEC-3"]
    assert (found["fa-below"], found["fa-above"]) == (((), False), ((), True))


def test_it_reads_by_itself_what_a_bulk_fetch_could_not(sandbox_jira, tracker):
    ref = create(tracker)
    hide(sandbox_jira, ref)
    body = {"issues": [], "issueErrors": [{"id": "SEC-1", "errorMessage": "later"}]}
    sandbox_jira.faults.answer("POST /bulkfetch$", 200, body, times=None)
    assert find(tracker).refs == (ref,)
    assert find(tracker, key="fa-none") == ((), True)


def test_it_finds_a_new_one_by_one_strong_read(sandbox_jira, tracker):
    refs = {key: create(tracker, key=key) for key in ("fa-1", "fa-2")}
    for ref in refs.values():
        hide(sandbox_jira, ref)
    sandbox_jira.log.clear()
    lookups = [Lookup(key, SEC_TASK, SINCE, 0) for key in (*refs, "fa-none")]
    assert tracker.find_new(lookups) == {key: (ref,) for key, ref in refs.items()}
    paths = {exchange.path.rpartition("/")[2] for exchange in sandbox_jira.log.matching("* /rest/")}
    assert paths == {"bulkfetch"}


@pytest.mark.parametrize("status", [429, 502])
@pytest.mark.parametrize("match", ["GET /myself$", "GET /search", "POST /bulkfetch$", "GET /proj"])
def test_it_proves_nothing_where_jira_fails(sandbox_jira, tracker, match, status):
    sandbox_jira.faults.answer(match, status, "<html>busy")
    assert failure(lambda: find(tracker)).fault is Fault.TRANSIENT


def test_it_proves_nothing_as_a_stranger(both):
    sandbox, tracker = both
    create(tracker)
    sandbox.expire_token()
    assert failure(lambda: find(tracker)).fault is Fault.AUTH


def test_it_proves_nothing_when_it_became_a_stranger_meanwhile(sandbox_jira, tracker):
    """Each answer is a success, and empty, and says nothing of who asked."""
    create(tracker)
    sandbox_jira.faults.answer("GET /search", 200, {"issues": []}, times=None)
    sandbox_jira.faults.answer("POST /bulkfetch$", 200, {"issues": []}, times=None)
    sandbox_jira.faults.answer("GET /myself$", 401, {}, skip=1)
    assert failure(lambda: find(tracker)).fault is Fault.AUTH


def test_it_tells_the_highest_number_in_the_order_of_numbers(both):
    sandbox, tracker = both
    assert tracker.floor(SEC_TASK) == 0
    sandbox.project("SEC").last_number = 8
    for _ in range(3):
        create(tracker)
    assert tracker.floor(SEC_TASK) == 11


def test_it_tells_why_there_is_no_highest_number(sandbox_jira, tracker):
    sandbox_jira.delete_project("SEC")
    said = {"errorMessages": ["The value '10000' does not exist for the field 'project'."]}
    sandbox_jira.faults.answer("GET /search", 400, said)
    error = failure(lambda: tracker.floor(SEC_TASK))
    assert (error.fault, error.field) == (Fault.CONFIG, "project")


def test_it_lets_no_one_write_into_its_search(sandbox_jira, tracker):
    space = Destination('1" OR key > "A-1', "SEC", "10001")
    failure(lambda: tracker.floor(space))
    (asked,) = sandbox_jira.log.matching("GET /search")
    assert "%22project%22" not in asked.query
    assert "1%5C%22+OR+key+%3E+%5C%22A-1%22+ORDER" in asked.query


@pytest.mark.parametrize("body", [[], {}, {"issues": None}, {"issues": [{}]}])
def test_it_survives_answers_of_any_shape(sandbox_jira, tracker, body):
    sandbox_jira.faults.answer("GET /search", 200, body, times=None)
    assert failure(lambda: find(tracker)).fault is Fault.TRANSIENT
