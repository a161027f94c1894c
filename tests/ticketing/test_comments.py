"""Comments of both sides, each on the other side once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.accounts.api_keys import KeyActor
from tests.fakes.tracker import refused, transient, unsure
from ticketing import commenting, comments, services
from ticketing.models import CommentLink
from ticketing.sync import sync_due
from ticketing.trackers.base import Fault, IssueRef, RemoteUser, TrackerError

pytestmark = pytest.mark.django_db


def ref(issue):
    return IssueRef(issue.issue_id, issue.issue_key)


def here(issue):
    entries = issue.case.timeline.filter(kind="comment").order_by("created_at", "pk")
    return [(entry.author, entry.after) for entry in entries]


def there(remote, issue):
    return [comment.text for comment in remote.issues[issue.issue_id].comments]


def edit(remote, issue, number, text):
    found = remote.issues[issue.issue_id].comments
    found[number] = found[number]._replace(text=text, updated_at=timezone.now())


def test_ours_is_posted_once_and_says_who_wrote_it(issue, remote, look, analyst):
    services.comment(issue.case, "Please *patch*.", actor=analyst)
    sync_due()
    look()
    look()
    assert there(remote, issue) == ["**Alan Analyst:** Please *patch*."]
    assert here(issue) == [("", "Please *patch*.")]


def test_theirs_is_taken_once_and_says_who_wrote_it(issue, remote, look, dana):
    remote.write(ref(issue), "On it.")
    look()
    look()
    assert here(issue) == [("Dana Developer", "On it.")]
    assert issue.case.timeline.get(kind="comment").actor == dana
    assert there(remote, issue) == ["On it."]


def test_a_stranger_is_named(issue, remote, look):
    comment = remote.write(ref(issue), "Who am I?")
    stranger = RemoteUser("eve", "")
    remote.issues[issue.issue_id].comments[0] = comment._replace(author=stranger)
    look()
    assert here(issue) == [("Somebody in Jira", "Who am I?")]


def test_a_lost_answer_is_no_second_comment(issue, remote, look, analyst):
    services.comment(issue.case, "Once", actor=analyst)
    remote.fail("comment", unsure(), after=True)
    sync_due()
    assert not CommentLink.objects.exists()
    look()
    look()
    assert there(remote, issue) == ["**Alan Analyst:** Once"]
    assert here(issue) == [("", "Once")]
    assert CommentLink.objects.count() == 1


def test_an_edit_there_changes_the_text_here(issue, remote, look, analyst):
    services.comment(issue.case, "Ours", actor=analyst)
    sync_due()
    remote.write(ref(issue), "Theirs")
    look()
    edit(remote, issue, 0, "**Alan Analyst:** Ours, corrected")
    edit(remote, issue, 1, "Theirs, corrected")
    look()
    assert here(issue) == [("", "Ours, corrected"), ("Dana Developer", "Theirs, corrected")]
    look()
    assert len(there(remote, issue)) == 2


def test_a_comment_deleted_there_stays_here(issue, remote, look):
    remote.write(ref(issue), "Gone soon")
    look()
    remote.issues[issue.issue_id].comments.clear()
    look()
    assert here(issue) == [("Dana Developer", "Gone soon")]


@pytest.mark.parametrize("mode", ["once", "off"])
def test_it_keeps_them_apart_where_they_are_not_two_way(
    issue, remote, destination, look, analyst, mode
):
    destination.sync_comments = mode
    destination.save()
    services.comment(issue.case, "Ours", actor=analyst)
    remote.write(ref(issue), "Theirs")
    look()
    assert (here(issue), there(remote, issue)) == ([("", "Ours")], ["Theirs"])
    issue.refresh_from_db()
    assert issue.sync_problem == ""


def test_a_comment_older_than_the_issue_stays_here(issue, remote, frozen, look, analyst):
    entry = services.comment(issue.case, "Before", actor=analyst)
    type(entry).objects.filter(pk=entry.pk).update(created_at=issue.created_at - timedelta(days=1))
    look()
    assert there(remote, issue) == []


def test_it_stops_where_jira_takes_no_more(issue, remote, look, analyst, monkeypatch):
    monkeypatch.setattr(comments, "PER_ISSUE", 2)
    remote.write(ref(issue), "1")
    remote.write(ref(issue), "2")
    services.comment(issue.case, "3", actor=analyst)
    look()
    issue.refresh_from_db()
    assert issue.sync_problem == "SEC-1 has 2 comments. Jira takes no more."
    assert there(remote, issue) == ["1", "2"]


def test_many_are_posted_in_turns(issue, remote, look, analyst, monkeypatch):
    monkeypatch.setattr(comments, "AT_ONCE", 2)
    for number in range(3):
        services.comment(issue.case, str(number), actor=None)
    sync_due()
    assert there(remote, issue) == ["0", "1", "2"]
    assert len(remote.called("comment")) == 3


def test_a_hundred_of_theirs_cost_the_same_as_one(
    issue, remote, look, django_assert_max_num_queries
):
    remote.write(ref(issue), "1")
    with django_assert_max_num_queries(50):
        look()
    for number in range(100):
        remote.write(ref(issue), str(number))
    with django_assert_max_num_queries(50):
        look()
    assert len(here(issue)) == 101


def test_nothing_that_a_database_refuses_is_stored(issue, remote, look):
    remote.write(ref(issue), "a\0b")
    look()
    assert here(issue) == [("Dana Developer", "ab")]


ITS_OWN = {
    "refused": refused("It is too long."),
    "passing": transient("Jira failed to answer (HTTP 500).", whole_account=False),
    "a firewall's": TrackerError(Fault.TRANSIENT, "Something refused it.", suspicious=True),
}


@pytest.mark.parametrize("why", ITS_OWN)
def test_it_posts_what_is_behind_a_comment_that_fails(issue, remote, frozen, analyst, why):
    for text in ("1", "2"):
        services.comment(issue.case, text, actor=None)
    services.change_case(issue.case, status="CLOSED", actor=analyst)
    remote.fail("comment", ITS_OWN[why])
    sync_due()
    assert there(remote, issue) == ["2"]
    assert remote.issues[issue.issue_id].state.category == "done"
    issue.refresh_from_db()
    assert issue.sync_failures == 1
    frozen.shift(60)
    sync_due()
    assert there(remote, issue) == ["2", "1"]


@pytest.mark.parametrize("why", [name for name in ITS_OWN if name != "refused"])
def test_it_tells_of_changes_behind_one_that_fails(issue, remote, frozen, analyst, why):
    entries = [services.comment(issue.case, text, actor=None) for text in ("1", "2")]
    sync_due()
    for entry in entries:
        commenting.delete_comment(entry, actor=None)
    remote.fail("delete_comment", ITS_OWN[why])
    sync_due()
    assert there(remote, issue) == ["1"]
    frozen.shift(60)
    sync_due()
    assert there(remote, issue) == []


# --- Edited and deleted here --------------------------------------------------------------


@pytest.fixture
def posted(issue, remote, analyst):
    """A comment of ours that is there."""
    entry = services.comment(issue.case, "Frist", actor=analyst)
    sync_due()
    assert there(remote, issue) == ["**Alan Analyst:** Frist"]
    return entry


def test_an_edit_here_changes_the_text_there_and_is_no_echo(issue, remote, look, posted, analyst):
    commenting.edit_comment(posted, "First", actor=analyst)
    sync_due()
    look()
    look()
    assert there(remote, issue) == ["**Alan Analyst:** First"]
    assert here(issue) == [("", "First")]
    assert len(remote.called("edit_comment")) == 1


def test_a_deletion_here_deletes_it_there_and_stays(issue, remote, look, posted, analyst):
    commenting.delete_comment(posted, actor=analyst)
    sync_due()
    look()
    look()
    assert (there(remote, issue), here(issue)) == ([], [("", "")])
    assert len(remote.called("delete_comment")) == 1


def test_what_was_changed_before_it_was_posted_is_posted_as_it_is(issue, remote, look, analyst):
    edited = services.comment(issue.case, "Frist", actor=analyst)
    deleted = services.comment(issue.case, "Never", actor=analyst)
    commenting.edit_comment(edited, "First", actor=analyst)
    commenting.delete_comment(deleted, actor=analyst)
    sync_due()
    look()
    assert there(remote, issue) == ["**Alan Analyst:** First"]
    assert remote.called("edit_comment") == remote.called("delete_comment") == []


@pytest.mark.parametrize("error", [transient(), unsure()])
@pytest.mark.parametrize("after", [False, True])
def test_an_edit_whose_answer_is_lost_is_told_again(
    issue, remote, look, posted, analyst, error, after
):
    commenting.edit_comment(posted, "First", actor=analyst)
    remote.fail("edit_comment", error, after=after)
    sync_due()
    look()
    look()
    assert there(remote, issue) == ["**Alan Analyst:** First"]
    assert here(issue) == [("", "First")]


def test_a_comment_deleted_while_its_answer_was_lost_is_deleted_there(issue, remote, look, analyst):
    entry = services.comment(issue.case, "Oops", actor=analyst)
    remote.fail("comment", unsure(), after=True)
    sync_due()
    commenting.delete_comment(entry, actor=analyst)
    look()
    look()
    assert (there(remote, issue), here(issue)) == ([], [("", "")])


@pytest.mark.parametrize("theirs_is_later", [False, True])
def test_of_two_edits_the_later_one_stays(
    issue, remote, look, posted, analyst, frozen, theirs_is_later
):
    def ours():
        commenting.edit_comment(posted, "Ours", actor=analyst)

    def theirs():
        edit(remote, issue, 0, "**Alan Analyst:** Theirs")

    for deed in (ours, theirs) if theirs_is_later else (theirs, ours):
        frozen.shift(timedelta(seconds=5))
        deed()
    look()
    look()
    stays = "Theirs" if theirs_is_later else "Ours"
    assert here(issue) == [("", stays)]
    assert there(remote, issue) == [f"**Alan Analyst:** {stays}"]


def test_what_jira_refuses_is_said_once(issue, remote, look, posted, analyst):
    commenting.delete_comment(posted, actor=analyst)
    remote.fail("delete_comment", refused("You may not."))
    sync_due()
    look()
    told = issue.case.timeline.filter(kind="issue").exclude(reason="").get()
    assert told.reason == "A comment on SEC-1 could not be deleted in Jira. You may not."
    assert len(remote.called("delete_comment")) == 1
    issue.refresh_from_db()
    assert issue.sync_problem == ""


def test_an_edit_of_what_was_deleted_there_is_said(issue, remote, look, posted, analyst):
    remote.issues[issue.issue_id].comments.clear()
    commenting.edit_comment(posted, "First", actor=analyst)
    look()
    assert here(issue) == [("", "First")]
    assert issue.case.timeline.filter(kind="issue", reason__contains="could not be changed")


def test_a_key_signs_with_its_name(issue, remote, look):
    key = KeyActor(id=uuid4(), name="ci", permissions=frozenset())
    services.comment(issue.case, "Deployed", actor=key)
    sync_due()
    assert there(remote, issue) == ["**ci:** Deployed"]


def test_an_edit_by_a_clock_that_is_behind_is_told_too(
    issue, remote, look, posted, analyst, frozen
):
    commenting.edit_comment(posted, "First", actor=analyst)
    look()
    frozen.shift(timedelta(seconds=-30))
    commenting.edit_comment(posted, "Second", actor=analyst)
    frozen.shift(timedelta(seconds=60))
    look()
    assert there(remote, issue) == ["**Alan Analyst:** Second"]
    assert here(issue) == [("", "Second")]


def test_the_same_text_is_no_edit(issue, posted, analyst):
    assert commenting.edit_comment(posted, " Frist ", actor=analyst).edited_at is None


def test_nobody_edits_what_was_deleted_or_what_is_theirs(issue, remote, look, posted, analyst):
    remote.write(ref(issue), "Theirs")
    look()
    theirs = issue.case.timeline.get(author="Dana Developer")
    commenting.delete_comment(posted, actor=analyst)
    for entry, refusal in ((posted, commenting.Gone), (theirs, commenting.NotOurs)):
        with pytest.raises(refusal):
            commenting.edit_comment(entry, "x", actor=analyst)
        with pytest.raises(refusal):
            commenting.delete_comment(entry, actor=analyst)


@pytest.mark.parametrize(
    "said",
    [
        {"deleted_at": timezone.now()},
        {"deleted_at": timezone.now(), "edited_at": timezone.now()},
        {"kind": "status", "edited_at": timezone.now()},
    ],
)
def test_the_database_refuses_what_cannot_be(posted, said):
    rows = type(posted).objects.filter(pk=posted.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**said)
