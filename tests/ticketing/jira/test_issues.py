"""Issues that are there: read, changed, commented, linked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.ticketing.jira.conftest import draft, failure
from ticketing.trackers.base import Category, Change, Edit, Fault, IssueRef
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.conversation import Conversation
from ticketing.trackers.jira.sandbox.defaults import DANA, SAM
from ticketing.trackers.jira.tracker import _key_at

SITE = "https://acme.atlassian.net"


def create(tracker):
    return tracker.create(draft(), key="fa-abc", attempt="a-1")


# --- Read ---------------------------------------------------------------------------------


def test_it_reads_many_issues_in_few_requests(sandbox_jira, tracker):
    ids = [str(sandbox_jira.create_issue("SEC", f"No. {number}").id) for number in range(101)]
    assert set(tracker.fetch([*ids, ids[0]])) == set(ids)
    assert len(sandbox_jira.log.all()) == 2


def test_it_takes_nothing_for_deleted_as_a_stranger(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.faults.answer("POST /bulkfetch$", 200, {"issues": []})
    sandbox_jira.faults.answer("GET /myself$", 401, {})
    assert failure(lambda: tracker.fetch([ref.id])).fault is Fault.AUTH


def test_it_reads_comments_again_only_where_one_may_be_ours(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.comment(ref.key, "From Dana")
    sandbox_jira.log.clear()
    tracker.fetch([ref.id])
    assert len(sandbox_jira.log.all()) == 1
    tracker.comment(ref, "From us", key="c1")
    sandbox_jira.log.clear()
    tracker.fetch([ref.id])
    assert [one.path.rpartition("/")[2] for one in sandbox_jira.log.all()] == [
        "bulkfetch",
        "comment",
    ]


def test_it_leaves_the_text_of_restricted_comments_in_jira(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.comment(ref.key, "For all", by=DANA)
    sandbox_jira.comment(ref.key, "For admins", by=DANA).visibility = {
        "type": "role",
        "value": "Administrators",
    }
    for_the_team = sandbox_jira.comment(ref.key, "For the team", by=DANA)
    for_the_team.properties["sd.public.comment"] = {"internal": True}
    tracker.comment(ref, "From us", key="c1")
    texts = [one.text for one in tracker.fetch([ref.id])[ref.id].comments]
    hidden = reading.RESTRICTED_COMMENT
    assert texts == ["For all", hidden, hidden, "From us"]


def test_it_keeps_its_comments_from_the_customers_of_a_service_project(sandbox_jira, tracker):
    ref = create(tracker)
    tracker.comment(ref, "CVE-2026-1 is open on web-1", key="c1")
    (there,) = sandbox_jira.issue(ref.key).comments
    assert there.properties["sd.public.comment"] == {"internal": True}


def test_it_reads_on_where_not_all_comments_are_shown(sandbox_jira, jira):
    issue = sandbox_jira.create_issue("SEC", "Much talk")
    for number in range(3):
        sandbox_jira.comment(issue.key, f"No. {number}")
    talk = Conversation(jira, str(issue.id))
    assert len(talk.comments({"comments": [], "total": 3})) == 3


def test_it_follows_an_issue_that_was_moved(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.move(ref.key, "PLAT")
    state = tracker.fetch([ref.id])[ref.id]
    assert (state.ref.key, state.space_key, state.space_id) == ("PLAT-1", "PLAT", "10001")


def test_it_knows_when_and_by_whom_a_field_was_changed_last():
    histories = [
        history("2026-11-23T10:00:00.000+0100", "dana", "status", "summary"),
        history("2026-11-23T08:00:00.000+0000", "sam", "status", "Sprint"),
        history("2026-11-23T09:30:00.000+0000", "sam", "assignee"),
    ]
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    expected = {
        "status": Edit(at, "dana", "dana"),
        "title": Edit(at, "dana", "dana"),
        "assignee": Edit(at.replace(minute=30), "sam", "sam"),
    }
    assert reading.edits(histories) == expected
    assert reading.edits(reversed(histories)) == expected


def history(created, author, *fields):
    items = [{"field": name} for name in fields]
    return {"created": created, "author": {"accountId": author}, "items": items}


def test_it_takes_a_status_that_nobody_has_sorted_for_new():
    for category in ({"key": "undefined"}, {}, None):
        assert reading.category({"statusCategory": category}) is Category.NEW


# --- Change -------------------------------------------------------------------------------


def test_it_asks_the_workflow_for_the_way(sandbox_jira, tracker):
    ref = create(tracker)
    tracker.push(ref, Change(category=Category.IN_PROGRESS, status_id="10001"))
    assert sandbox_jira.status_of(ref.key) == "In Review"
    tracker.push(ref, Change(category=Category.DONE, status_id="no such status"))
    assert sandbox_jira.status_of(ref.key) == "Done"


def test_it_leaves_a_status_of_the_category_as_it_is(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.set_status(ref.key, "Won't Do")
    tracker.push(ref, Change(category=Category.DONE, status_id="10002"))
    assert sandbox_jira.status_of(ref.key) == "Won't Do"
    assert sandbox_jira.log.matching("POST /transitions") == []


def test_it_says_where_no_step_leads(sandbox_jira, tracker):
    issue = sandbox_jira.create_issue("OPS", "One way")
    ref = IssueRef(str(issue.id), issue.key)
    tracker.push(ref, Change(category=Category.DONE))
    error = failure(lambda: tracker.push(ref, Change(category=Category.NEW, title="New")))
    assert (error.fault, error.field) == (Fault.REJECTED, "status")
    assert error.reason == (
        "The workflow of OPS-1 has no step from Done to a status that is to do."
    )


def test_it_closes_last_and_opens_first(sandbox_jira, tracker):
    ref = create(tracker)
    for category in (Category.DONE, Category.NEW):
        sandbox_jira.log.clear()
        tracker.push(ref, Change(category=category, title=category.value, assignee=None))
        written = [one.path for one in sandbox_jira.log.all() if one.method != "GET"]
        place = [path.endswith("/transitions") for path in written].index(True)
        assert place == (2 if category is Category.DONE else 0)


def test_it_tries_again_where_two_change_at_once(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.faults.answer("POST /transitions$", 409, {"errorMessages": ["busy"]})
    error = failure(lambda: tracker.push(ref, Change(category=Category.DONE)))
    assert error.fault is Fault.TRANSIENT


@pytest.mark.parametrize("right", ["EDIT_ISSUES", "ASSIGN_ISSUES"])
def test_it_blames_the_issue_for_a_right_that_is_missing(sandbox_jira, tracker, right):
    ref = create(tracker)
    sandbox_jira.deny(right, "SEC")
    error = failure(lambda: tracker.push(ref, Change(title="New", assignee=SAM.account_id)))
    assert (error.fault, error.whole_account) == (Fault.REJECTED, False)


# --- Comments and links ---------------------------------------------------------------------


def test_it_writes_no_comment_twice_though_the_answer_was_lost(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.faults.reset("POST /comment$", stage="after")
    error = failure(lambda: tracker.comment(ref, "Hello", key="c1"))
    assert error.fault is Fault.TRANSIENT
    (there,) = sandbox_jira.issue(ref.key).comments
    assert tracker.comment(ref, "Hello", key="c1") == str(there.id)


def test_it_does_not_take_the_comment_of_another_for_its_own(sandbox_jira, tracker):
    ref = create(tracker)
    theirs = sandbox_jira.comment(ref.key, "Hello")
    theirs.properties[reading.COMMENT_PROPERTY] = {"key": "c1"}
    tracker.comment(ref, "Hello", key="c1")
    assert len(sandbox_jira.issue(ref.key).comments) == 2


def test_it_asks_for_the_key_of_a_comment_where_it_is_not_shown(sandbox_jira, tracker):
    ref = create(tracker)
    first = tracker.comment(ref, "Hello", key="c1")
    raw = {"comments": [{"id": first, "author": {"accountId": sandbox_jira.bot_id}}], "total": 1}
    sandbox_jira.faults.answer("GET /comment$", 200, raw)
    assert tracker.comment(ref, "Hello", key="c1") == first


def test_it_looks_through_all_comments(sandbox_jira, tracker):
    ref = create(tracker)
    first = tracker.comment(ref, "Hello", key="c1")
    for number in range(120):
        sandbox_jira.comment(ref.key, f"No. {number}", by=DANA)
    assert tracker.comment(ref, "Hello", key="c1") == first
    assert len(tracker.fetch([ref.id])[ref.id].comments) == 121


def test_it_links_once_for_each_key(sandbox_jira, tracker):
    ref = create(tracker)
    for title in ("First", "x" * 300):
        tracker.link(ref, url="https://us.example/f/1", title=title, key="finding-1")
    (link,) = sandbox_jira.issue(ref.key).links.values()
    assert link["globalId"] == "finding-1"
    assert link["object"] == {"url": "https://us.example/f/1", "title": "x" * 255}


# --- Addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "SEC-12",
        " sec-12 ",
        f"{SITE}/browse/SEC-12",
        f"{SITE}/browse/sec-12?focusedCommentId=1",
        "acme.atlassian.net/browse/SEC-12",
        "HTTPS://ACME.atlassian.net/browse/SEC-12",
        f"{SITE}/jira/software/projects/SEC/boards/1?selectedIssue=SEC-12",
        f"{SITE}/jira/core/projects/A-1/issues/SEC-12",
        f"{SITE}/servicedesk/customer/portal/3/SEC-12",
    ],
)
def test_it_reads_the_key_from_an_address(address):
    assert _key_at(address, SITE) == "SEC-12"


@pytest.mark.parametrize(
    "address",
    [
        "https://other.atlassian.net/browse/SEC-12",
        "https://acme.atlassian.net.evil.example/browse/SEC-12",
        "https://acme.atlassian.net:444/browse/SEC-12",
        f"https://evil.example/?{SITE}/browse/SEC-12",
        f"{SITE}/jira/dashboards/12",
        "SEC",
        "12",
        "SEC-12/../SEC-13",
        "https://[::1",
        "SEC-" + "9" * 40,
        "",
    ],
)
def test_it_reads_no_key_from_anything_else(address):
    assert _key_at(address, SITE) == ""


def test_it_says_what_was_not_found_and_where(tracker):
    error = failure(lambda: tracker.resolve("sec-99999"))
    assert error.reason == "SEC-99999 was not found in 127.0.0.1."
    assert failure(lambda: tracker.resolve("https://x.example/a\nb")).reason == (
        "https://x.example/a b was not found in 127.0.0.1."
    )


def test_it_does_not_call_an_issue_missing_as_a_stranger(sandbox_jira, tracker):
    ref = create(tracker)
    sandbox_jira.faults.answer("GET /issue/", 404, {"errorMessages": ["No issue"]}, times=None)
    sandbox_jira.faults.answer("GET /myself$", 401, {})
    assert failure(lambda: tracker.resolve(ref.key)).fault is Fault.AUTH
