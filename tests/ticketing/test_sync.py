"""Issues and cases are kept in step, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import FindingFactory
from tests.fakes.tracker import (
    BOT,
    PEOPLE,
    misconfigured,
    refused,
    transient,
    unauthorized,
    unsure,
)
from ticketing import services
from ticketing.account_probe import probe_due
from ticketing.models import ExternalIssue, SpacePoll
from ticketing.sync import sync_due
from ticketing.trackers.base import Category, IssueRef, RemoteUser

pytestmark = pytest.mark.django_db
RESTS = (15, 30, 60, 120, 240, 300, 300)  # seconds


def ref(issue):
    return IssueRef(issue.issue_id, issue.issue_key)


def there(remote, issue):
    return remote.issues[issue.issue_id].state


def told(issue, kind):
    return [(e.before, e.after) for e in issue.case.timeline.filter(kind=kind)]


def reload(issue):
    issue.refresh_from_db()
    issue.case.refresh_from_db()
    return issue


def test_it_pulls_a_status_and_says_who(issue, remote, look, dana):
    remote.change(ref(issue), status="In Review", category=Category.IN_PROGRESS)
    look()
    assert reload(issue).case.status == "IN_PROGRESS"
    entry = issue.case.timeline.get(kind="status")
    assert (entry.before, entry.after, entry.author) == ("OPEN", "IN_PROGRESS", "Dana Developer")
    assert (issue.remote_status, issue.remote_category) == ("In Review", "indeterminate")
    assert remote.called("push") == []


def test_it_pushes_a_status_by_its_category(issue, remote, frozen, analyst):
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    assert sync_due() == 1
    assert there(remote, issue).category is Category.DONE
    assert issue.tries.get().outcome == "synced"
    assert issue.case.timeline.get(kind="issue").reason == "Status synced to Jira: Closed"
    frozen.shift(60)
    services.change_case(issue.case, status="IN_PROGRESS", actor=analyst)
    sync_due()
    assert there(remote, issue).category is Category.IN_PROGRESS


def test_it_prefers_the_status_of_the_mapping(issue, remote, destination, analyst):
    destination.status_mapping = {"IN_PROGRESS": "3"}
    destination.save(update_fields=["status_mapping"])
    services.change_case(issue.case, status="IN_PROGRESS", actor=analyst)
    sync_due()
    assert there(remote, issue).status == "In Review"


def test_looking_again_does_nothing(issue, remote, look, analyst):
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    sync_due()
    entries = issue.case.timeline.count()
    look()
    look()
    assert len(remote.called("push")) == 1
    assert issue.case.timeline.count() == entries


def test_it_finds_people_by_their_address(issue, remote, look, dana):
    remote.change(ref(issue), assignee=PEOPLE["dana"])
    look()
    assert reload(issue).case.assignee == dana
    assert told(issue, "assignee") == [("", "Dana Developer")]
    services.change_case(issue.case, assignee=None, actor=dana)
    sync_due()
    assert there(remote, issue).assignee is None
    services.change_case(issue.case, assignee=dana, actor=dana)
    sync_due()
    assert there(remote, issue).assignee == PEOPLE["dana"]


def test_a_stranger_is_shown_by_name_and_left_alone(issue, remote, look, frozen, dana):
    remote.change(ref(issue), assignee=RemoteUser("eve", "Eve Else"))
    look()
    assert reload(issue).case.assignee is None
    assert issue.remote_assignee == "Eve Else"
    frozen.shift(60)
    services.change_case(issue.case, status="IN_PROGRESS", actor=dana)
    sync_due()
    look()
    assert there(remote, issue).assignee.name == "Eve Else"


def test_a_person_jira_does_not_know_is_said_once(issue, remote, look, analyst):
    services.change_case(issue.case, assignee=analyst, actor=analyst)
    sync_due()
    look()
    [entry] = issue.case.timeline.filter(kind="issue")
    assert entry.reason == "Assignee not synced: no Jira user with the e-mail of Alan Analyst"
    assert remote.called("push") == []


def test_it_asks_jira_for_a_person_it_has_not_met(issue, remote, look, dana):
    services.change_case(issue.case, assignee=dana, actor=dana)
    sync_due()
    look()
    assert there(remote, issue).assignee == PEOPLE["dana"]
    assert remote.called("person") == ["dana@example.com"]


def test_title_description_and_priority_follow_if_they_shall(make_issue, remote, destination, look):
    destination.sync_title = destination.sync_description = destination.sync_priority = "two_way"
    destination.priority_mapping = {"P1": "1", "P2": "2", "P3": "3"}
    destination.save()
    issue = make_issue()
    words = {"title": "A\nbetter title", "description": "*More*", "priority": "P1"}
    services.change_case(issue.case, **words, actor=None)
    sync_due()
    state = there(remote, issue)
    assert (state.title, state.description, state.priority_id) == ("A better title", "*More*", "1")
    look()
    remote.change(ref(issue), title="Theirs", description="Also theirs", priority_id="2")
    look()
    case = reload(issue).case
    assert (case.title, case.description, case.priority) == ("Theirs", "Also theirs", "P2")
    assert len(remote.called("push")) == 3


@pytest.mark.parametrize("mode", ["once", "off"])
def test_it_leaves_alone_what_is_not_two_way(issue, remote, destination, look, analyst, mode):
    destination.sync_status = destination.sync_assignee = mode
    destination.save()
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    remote.change(ref(issue), category=Category.IN_PROGRESS, status="In Progress")
    look()
    assert reload(issue).case.status == "CLOSED"
    assert remote.called("push") == []


def test_the_later_action_wins_and_the_other_is_told(issue, remote, frozen, look, analyst):
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    frozen.shift(5)
    remote.change(ref(issue), category=Category.IN_PROGRESS, status="In Progress")
    look()
    assert reload(issue).case.status == "IN_PROGRESS"
    assert told(issue, "conflict") == [("Closed", "In Progress")]
    look()
    assert len(told(issue, "conflict")) == 1


def test_a_case_closed_by_its_findings_closes_the_issue(make_issue, remote, destination, analyst):
    issue = make_issue()
    finding = FindingFactory()
    services.attach(issue.case, [finding.pk], actor=analyst)
    services.detach([finding.pk], actor=analyst)
    sync_due()
    assert there(remote, issue).category is Category.DONE


# --- Failures -------------------------------------------------------------------------


def test_refused_credentials_pause_the_account(issue, remote, look, destination, analyst):
    remote.fail("fetch", unauthorized())
    remote.fail("identify", unauthorized())
    look()
    probe_due()
    destination.account.refresh_from_db()
    assert destination.account.state == "auth_failed"
    assert destination.account.synced_at < timezone.now() - timedelta(seconds=90)
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    assert sync_due() == 0
    assert reload(issue).sync_problem == ""


def test_a_refused_push_is_said_and_tried_again_later(issue, remote, frozen, analyst):
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    remote.fail("push", misconfigured("Jira says no.", field="resolution"))
    sync_due()
    assert reload(issue).sync_problem == "Jira says no."
    assert sync_due() == 0
    frozen.shift(20)
    assert sync_due() == 1
    assert reload(issue).sync_problem == ""
    assert there(remote, issue).category is Category.DONE


def test_it_waits_longer_after_each_failure(issue, remote, frozen, look):
    waits = []
    remote.unreadable = {issue.issue_id: transient("Jira could not read the issue.")}
    for _ in range(4):
        look()
        waits.append((reload(issue).sync_due_at - timezone.now()).total_seconds())
    assert waits == [15, 30, 60, 120]
    assert issue.sync_problem == "Jira could not read the issue."
    remote.unreadable = {}
    look()
    assert (reload(issue).sync_problem, issue.sync_failures) == ("", 0)


def test_one_issue_that_cannot_be_read_stops_no_other(make_issue, remote, look):
    issues = [make_issue() for _ in range(13)]
    remote.unreadable = {issues[5].issue_id: refused("The issue cannot be read.")}
    for issue in issues:
        remote.change(ref(issue), status="Done", category=Category.DONE)
    look()
    closed = [reload(issue).case.status == "CLOSED" for issue in issues]
    assert closed.count(True) == 12
    assert not closed[5]
    assert issues[5].sync_problem == "The issue cannot be read."


def test_a_jira_that_fails_is_left_alone_for_longer_each_time(issue, remote, frozen, destination):
    waits = []
    remote.fail("fetch", unsure(), times=7)
    for _ in range(7):
        frozen.shift(3600)
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        assert sync_due() == 0
        destination.account.refresh_from_db()
        waits.append((destination.account.sync_paused_until - timezone.now()).total_seconds())
    assert all(0.9 * most <= wait <= most for wait, most in zip(waits, RESTS, strict=True))
    assert destination.account.sync_problem
    assert (reload(issue).sync_problem, issue.sync_failures) == ("", 0)
    frozen.shift(301)
    assert sync_due() == 1
    destination.account.refresh_from_db()
    assert (destination.account.sync_failures, destination.account.sync_problem) == (0, "")


def test_it_waits_as_long_as_jira_asks(issue, remote, look, frozen):
    remote.fail("fetch", transient(retry_after=7))
    look()
    assert (reload(issue).sync_problem, issue.sync_failures) == ("", 0)
    frozen.shift(6)
    assert sync_due() == 0
    frozen.shift(3)
    assert sync_due() == 1


def test_a_push_without_an_answer_is_not_read_as_a_person(issue, remote, frozen, look, analyst):
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    remote.fail("push", unsure(), after=True)
    sync_due()
    frozen.shift(5)
    services.change_case(issue.case, status="OPEN", actor=analyst)
    look()
    assert reload(issue).case.status == "OPEN"
    assert there(remote, issue).category is Category.NEW


def test_an_older_state_is_not_believed_at_once(issue, remote, look):
    old = there(remote, issue)
    remote.change(ref(issue), category=Category.DONE, status="Done")
    look()
    remote.issues[issue.issue_id].state = old
    look()
    look()
    assert reload(issue).case.status == "CLOSED"
    look()  # a Jira that was restored from a backup
    assert reload(issue).case.status == "OPEN"
    assert (issue.sync_problem, issue.sync_failures) == ("", 0)


# --- Gone, moved, no way back ---------------------------------------------------------


def test_an_issue_counts_as_gone_after_two_looks(issue, remote, frozen, look):
    kept = remote.issues.pop(issue.issue_id)
    sync_due()
    look()
    assert reload(issue).gone_at is None
    frozen.shift(5)
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    sync_due()
    assert reload(issue).gone_at is None
    look()
    assert reload(issue).gone_at
    assert issue.case.status == "OPEN"
    assert "deleted in Jira" in issue.case.timeline.get(kind="issue").reason
    remote.issues[issue.issue_id] = kept
    look()
    assert reload(issue).gone_at is None


def test_a_moved_issue_is_followed(issue, remote, look):
    state = there(remote, issue)
    moved = IssueRef(issue.issue_id, "OPS-9")
    remote.issues[issue.issue_id].state = replace(
        state, ref=moved, space_id="20000", space_key="OPS", updated_at=timezone.now()
    )
    look()
    assert (reload(issue).issue_key, issue.space_id) == ("OPS-9", "20000")
    assert told(issue, "issue") == [(state.ref.key, "OPS-9")]


def reopened_by_its_findings(issue, analyst, frozen):
    finding = FindingFactory()
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    sync_due()
    frozen.shift(60)
    services.attach(issue.case, [finding.pk], actor=analyst)


def test_it_opens_the_issue_again(issue, remote, frozen, analyst):
    reopened_by_its_findings(issue, analyst, frozen)
    sync_due()
    assert there(remote, issue).category is Category.NEW


def test_a_new_ticket_takes_the_place_of_one_without_a_way_back(issue, remote, frozen, analyst):
    remote.dead_ends = {Category.NEW}
    reopened_by_its_findings(issue, analyst, frozen)
    sync_due()
    assert reload(issue).detached_at
    again = ExternalIssue.objects.get(case=issue.case, detached_at=None)
    assert again.state == "pending"
    assert any("A new ticket" in e.reason for e in issue.case.timeline.filter(kind="issue"))


def test_it_may_stay_closed_instead(issue, remote, frozen, look, destination, analyst):
    destination.no_way_back = "leave"
    destination.save()
    remote.dead_ends = {Category.NEW}
    reopened_by_its_findings(issue, analyst, frozen)
    sync_due()
    look()
    assert reload(issue).case.status == "OPEN"
    assert (issue.detached_at, issue.sync_problem) == (None, "")
    assert len(remote.called("push")) == 2
    assert any("stays closed" in e.reason for e in issue.case.timeline.filter(kind="issue"))


# --- The queue ------------------------------------------------------------------------


def test_it_looks_at_what_is_open_more_often(issue, look, analyst):
    minutes = (reload(issue).sync_due_at - issue.synced_at).total_seconds() / 60
    assert 108 <= minutes <= 120  # polls tell of changes before
    SpacePoll.objects.update(failures=3, due_at=timezone.now() + timedelta(days=1))
    look()
    minutes = (reload(issue).sync_due_at - issue.synced_at).total_seconds() / 60
    assert 8 <= minutes <= 10
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    sync_due()
    minutes = (reload(issue).sync_due_at - issue.synced_at).total_seconds() / 60
    assert 5 * 60 <= minutes <= 6 * 60


def test_a_change_while_it_is_looked_at_makes_it_due_again(
    issue, remote, monkeypatch, look, analyst
):
    fetch = remote.fetch

    def fetch_slowly(ids):
        states = fetch(ids)
        monkeypatch.setattr(remote, "fetch", fetch)
        services.comment(issue.case, "Meanwhile", actor=analyst)
        return states

    monkeypatch.setattr(remote, "fetch", fetch_slowly)
    look()
    assert [c.text for c in remote.issues[issue.issue_id].comments] == [
        "**Alan Analyst:** Meanwhile"
    ]


def test_a_second_worker_leaves_it_alone_until_the_lease_ends(issue, frozen):
    now = timezone.now()
    ExternalIssue.objects.update(sync_due_at=now, sync_lease_until=now + timedelta(minutes=5))
    assert sync_due() == 0
    frozen.shift(301)
    assert sync_due() == 1


def test_issues_in_step_cost_the_same_however_many_they_are(
    make_issue, remote, frozen, django_assert_num_queries
):
    for _ in range(3):
        make_issue()
    SpacePoll.objects.update(due_at=timezone.now() + timedelta(days=1))
    with django_assert_num_queries(23):
        assert due_again(frozen) == 3
    for _ in range(7):
        make_issue()
    with django_assert_num_queries(22):
        assert due_again(frozen) == 10
    assert remote.called("fetch")[-1].count(",") == 9


def due_again(frozen):
    frozen.shift(3600)
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    return sync_due()


def test_our_account_is_not_a_person(issue, remote, look):
    remote.change(ref(issue), by=BOT.id, category=Category.DONE, status="Done")
    look()  # a rule in Jira that runs as us: nothing we sent
    assert reload(issue).case.status == "CLOSED"
