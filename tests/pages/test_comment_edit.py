"""Comments are edited and deleted by who wrote them; nothing that somebody typed is lost."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from tests.jira_places import destination_at
from ticketing import commenting, services
from ticketing.delivery import deliver_due
from ticketing.models import CommentLink, ExternalIssue, TimelineEntry
from ticketing.outbox import Promise
from ticketing.sync import sync_due


@pytest.fixture
def case(project, analyst):
    return services.open_manual_case([], project=project, title="One", actor=analyst)


@pytest.fixture
def entry(case, analyst):
    return services.comment(case, "Frist", actor=analyst)


def address(entry, act="edit") -> str:
    return f"/cases/RISK-1/comments/{entry.pk}/{act}"


def seen_in(body: str) -> str:
    return re.search(r'name="seen" value="([^"]+)"', body)[1]


def test_its_writer_edits_it(as_user, analyst, entry):
    client = as_user(analyst)
    page = client.get(address(entry)).text
    assert "Frist</textarea>" in page

    answer = client.post(address(entry), {"text": "First", "seen": seen_in(page)})

    assert answer.url == f"/cases/RISK-1#comment-{entry.pk}"
    shown = client.get("/cases/RISK-1").text
    assert "<p>First</p>" in shown
    assert ">edited</span>" in shown
    assert entry.revisions.get().before == "Frist"


def test_its_writer_deletes_it(as_user, analyst, entry):
    client = as_user(analyst)
    page = client.get(address(entry, "delete")).text
    assert "Delete this comment?" in page
    client.post(address(entry, "delete"), {"seen": seen_in(page), "confirmed": "yes"})
    shown = client.get("/cases/RISK-1").text
    assert "This comment was deleted." in shown
    assert "Frist" not in shown


def test_others_are_offered_nothing_and_told_why(as_user, editor, entry):
    client = as_user(editor)
    assert "/edit" not in client.get("/cases/RISK-1?activity=comments").text.partition("happe")[2]
    for act in ("edit", "delete"):
        assert client.get(address(entry, act)).url == "/cases/RISK-1#activity"
        assert "Only who wrote a comment may change it" in client.get("/cases/RISK-1").text
    answer = client.post(address(entry), {"text": "Mine now"})
    assert answer.status_code == 409
    assert "Mine now</textarea>" in answer.text
    entry.refresh_from_db()
    assert entry.after == "Frist"


def test_an_admin_may_and_it_says_so(as_user, admin, entry):
    client = as_user(admin)
    client.post(address(entry), {"text": "First", "seen": timezone.now().isoformat()})
    assert "edited by Ada Admin" in client.get("/cases/RISK-1").text


def test_the_second_of_two_keeps_what_they_typed(as_user, analyst, admin, entry):
    client = as_user(analyst)
    seen = seen_in(client.get(address(entry)).text)
    commenting.edit_comment(entry, "Theirs", actor=admin)

    answer = client.post(address(entry), {"text": "Mine", "seen": seen})

    assert answer.status_code == 409
    assert "Ada Admin changed this comment at" in answer.text
    assert "<p>Theirs</p>" in answer.text
    assert "Mine</textarea>" in answer.text
    client.post(address(entry), {"text": "Mine", "seen": seen_in(answer.text)})
    assert TimelineEntry.objects.get(pk=entry.pk).after == "Mine"
    assert [each.before for each in entry.revisions.all()] == ["Theirs", "Frist"]


def test_what_was_changed_meanwhile_is_not_deleted(as_user, analyst, admin, entry):
    client = as_user(analyst)
    seen = seen_in(client.get(address(entry, "delete")).text)
    commenting.edit_comment(entry, "Theirs", actor=admin)
    client.post(f"{address(entry, 'delete')}?seen={seen.replace('+', '%2B')}", {"confirmed": "yes"})
    assert TimelineEntry.objects.get(pk=entry.pk).after == "Theirs"


def test_saving_the_same_twice_is_no_conflict(as_user, analyst, entry):
    client = as_user(analyst)
    seen = seen_in(client.get(address(entry)).text)
    for _ in range(2):
        assert client.post(address(entry), {"text": "First", "seen": seen}).status_code == 302
    assert entry.revisions.count() == 1


@pytest.mark.parametrize(
    ("text", "status"), [("", 422), (" ", 422), ("x" * 20_001, 422), ("a\0b", 422)]
)
def test_it_refuses_a_text_that_is_none(as_user, analyst, entry, text, status):
    assert as_user(analyst).post(address(entry), {"text": text}).status_code == status


def test_one_that_was_deleted_meanwhile_keeps_what_was_typed(as_user, analyst, admin, entry):
    commenting.delete_comment(entry, actor=admin)
    answer = as_user(analyst).post(address(entry), {"text": "Typed long"})
    assert answer.status_code == 409
    assert "This comment was deleted." in answer.text
    assert "Typed long</textarea>" in answer.text


@pytest.mark.parametrize("number", ["0", "99999999999999999999"])
def test_it_finds_no_comment_that_is_none(as_user, analyst, case, number):
    assert as_user(analyst).get(f"/cases/RISK-1/comments/{number}/edit").status_code == 404


def test_one_from_jira_is_edited_there(as_user, analyst, entry):
    TimelineEntry.objects.filter(pk=entry.pk).update(author="Jo in Jira", actor=None)
    client = as_user(analyst)
    assert client.get(address(entry)).status_code == 302
    assert "This comment was written in Jira. Change it there." in client.get("/cases/RISK-1").text


def test_an_edit_waits_for_jira_and_is_made_there(
    as_user, analyst, project, sandbox_jira, settings
):
    settings.ALLOW_PRIVATE_NETWORKS = True
    destination_at(sandbox_jira, project=project)
    case = services.open_manual_case(
        [], project=project, title="One", actor=analyst, promise=Promise({})
    )
    deliver_due()
    entry = services.comment(case, "Frist", actor=analyst)
    sync_due()
    link = CommentLink.objects.get(entry=entry)
    client = as_user(analyst)
    assert "It is changed in SEC-1, too" in client.get(address(entry)).text

    client.post(address(entry), {"text": "First", "seen": timezone.now().isoformat()})

    link.refresh_from_db()
    assert link.told_at is None
    assert ExternalIssue.objects.get().sync_due_at <= timezone.now()
    sync_due()
    link.refresh_from_db()
    assert link.told_at is not None
