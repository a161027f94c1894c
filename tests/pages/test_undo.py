"""Undo as a person meets it: in the toast, and in the answer to it."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from config.accounts.models import Act
from config.accounts.roles import Role
from config.accounts.views import undo as view
from config.lib.statement_timeout import QueryTimeout
from findings import services
from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory, UserFactory
from ticketing import bulk
from ticketing.models import Attachment
from ticketing.services import open_manual_case

MUTE = {"reason": "OTHER", "days": "7", "save": "yes"}


@pytest.fixture
def findings(db):
    return [FindingFactory(title=f"Finding {number}") for number in range(3)]


def toasts(answer) -> list[dict[str, str]]:
    """The last, as no page has shown those before it."""
    found = []
    for message in get_messages(answer.wsgi_request):
        content = json.loads(message.message)
        kept = ("title", "text", "undo_url", "link_url", "link_label")
        found.append({name: content[name] for name in kept if content.get(name)})
    return found[-1:]


@pytest.fixture
def mute(as_user, analyst, findings):
    """Where the toast's Undo leads to, after muting these findings."""

    def post(some=findings):
        ids = [finding.finding_id for finding in some]
        answer = as_user(analyst).post("/triage/mute", {"finding": ids, **MUTE})
        return toasts(answer)[0]["undo_url"]

    return post


def test_its_toast_undoes_what_it_tells_of(as_user, analyst, findings, mute):
    body = as_user(analyst).get("/findings").content.decode()
    assert "data-undo" not in body
    address = mute()
    body = as_user(analyst).get("/findings").content.decode()
    assert f'action="{address}"' in body
    assert "data-undo" in body

    answer = as_user(analyst).post(address, headers={"Referer": "http://testserver/findings?q=a"})

    assert (answer.status_code, answer.url) == (302, "/findings?q=a")
    assert toasts(answer) == [
        {"title": "Mute undone", "text": "3 findings are as they were: 3 open."}
    ]
    assert set(Finding.objects.values_list("status", flat=True)) == {"open"}


@pytest.mark.parametrize(
    ("address", "fields", "title"),
    [
        ("mute", MUTE, "Mute undone"),
        ("assign", {"assignee": "", "save": "yes"}, None),
        ("status", {"status": "resolved", "save": "yes"}, "Status change undone"),
        ("severity", {"severity": "low", "save": "yes"}, "Severity change undone"),
        ("inbox", {"inbox": "added"}, "Security Inbox change undone"),
    ],
)
def test_every_action_on_a_finding_can_be_undone(as_user, editor, findings, address, fields, title):
    services.assign([findings[0].pk], assignee=editor, actor=editor)
    client, data = as_user(editor), {"finding": findings[0].finding_id, **fields}

    [said] = toasts(client.post(f"/triage/{address}", data))
    [told] = toasts(client.post(said["undo_url"]))

    assert told["title"] == (title or "Assignment undone")
    assert told["text"].startswith("The finding is as it was")


def test_it_says_who_changed_it_since(as_user, analyst, findings, mute):
    address = mute(findings[:1])
    services.unmute([findings[0].pk], actor=UserFactory(name="Lena Brandt"))

    [told] = toasts(as_user(analyst).post(address))

    assert told == {
        "title": "Not undone",
        "text": "Lena Brandt unmuted it just now. Nothing was changed.",
    }


def test_it_lists_those_that_it_leaves(as_user, analyst, findings, mute):
    address = mute()
    services.unmute([each.pk for each in findings[:2]], actor=UserFactory(name="Lena Brandt"))

    [told] = toasts(as_user(analyst).post(address))
    page = as_user(analyst).get(told["link_url"]).content.decode()

    assert told["title"] == "1 of 3 undone"
    assert told["text"] == "2 are left as they are: Lena Brandt changed 2."
    assert told["link_label"] == "Show the 2"
    assert "2 of 3 not undone" in page
    assert page.count("Lena Brandt unmuted it on") == 2
    assert page.count(">Finding ") == 2
    assert as_user(UserFactory(role=Role.EDITOR)).get(told["link_url"]).status_code == 404


def test_it_says_that_it_was_undone_or_that_the_hour_is_over(as_user, analyst, mute):
    address = mute()
    client = as_user(analyst)
    client.post(address)

    [told] = toasts(client.post(address))
    assert told["title"] == "Already undone"
    assert told["text"].startswith("Alan Analyst undid it at ")

    Act.objects.update(undone_at=None, undone_by=None, expires_at=timezone.now())
    assert toasts(client.post(address)) == [
        {"title": "Undo is no longer offered", "text": "An hour has passed."}
    ]


def test_it_says_whose_act_it_is_and_who_may(as_user, analyst, editor, mute):
    address = mute()
    [told] = toasts(as_user(editor).post(address))
    assert told["text"] == "Only Alan Analyst or an admin can undo this. Nothing was changed."

    type(analyst).objects.filter(pk=analyst.pk).update(role=Role.VIEWER)
    answer = as_user(analyst).post(address)
    assert answer.status_code == 403
    assert "You need the Analyst role" in answer.content.decode()
    assert set(Finding.objects.values_list("status", flat=True)) == {"muted"}


def test_it_offers_to_try_again_where_the_database_does_not_answer(
    as_user, analyst, mute, monkeypatch
):
    def too_long(*_, **__):
        raise QueryTimeout

    address = mute()
    monkeypatch.setattr(view, "undo", too_long)

    [told] = toasts(as_user(analyst).post(address))

    assert told["text"] == "The server did not answer in 5 s. Nothing was changed."
    assert told["undo_url"] == address


def test_it_wants_a_post_of_an_act_by_who_is_signed_in(client, as_user, analyst, mute):
    address = mute()
    assert as_user(analyst).get(address).status_code == 405
    assert as_user(analyst).post(f"/undo/{uuid4()}").status_code == 404
    assert as_user(analyst).post("/undo/nothing").status_code == 404
    client.logout()
    assert client.post(address).url.startswith("/login")
    assert set(Finding.objects.values_list("status", flat=True)) == {"muted"}


def test_it_goes_nowhere_else(as_user, analyst, mute):
    answer = as_user(analyst).post(mute(), {"next": "https://evil.example/"})
    assert answer.url == "/overview"


@pytest.fixture
def run(findings, analyst):
    """A bulk run over all three that has ended."""
    said = {"reason": "OTHER", "description": "", "until": ""}
    pks = [finding.pk for finding in findings]
    run = bulk.start(uuid4(), deed="mute", said=said, finding_pks=pks, search="q=x", actor=analyst)
    bulk.work_due()
    return run


def test_a_bulk_run_is_undone_from_its_page_and_from_the_strip(as_user, analyst, viewer, run):
    offered = f'action="/undo/{run.pk}"'
    client = as_user(analyst)
    assert offered in client.get(f"/bulk/{run.pk}").content.decode()
    assert offered in client.get("/findings").content.decode()
    assert offered not in as_user(viewer).get(f"/bulk/{run.pk}").content.decode()

    answer = as_user(analyst).post(f"/undo/{run.pk}")
    [told] = toasts(answer)
    assert told["title"] == "Undoing: 0 of 3"
    toast = client.get(told["link_url"] + "/toast").content.decode()
    assert "data-waits" in toast
    assert '<progress value="0" max="3"' in toast

    bulk.work_due()
    toast = client.get(told["link_url"] + "/toast").content.decode()
    assert "<b>Mute undone</b>" in toast
    assert "3 findings are as they were." in toast
    assert "data-waits" not in toast
    body = client.get(f"/bulk/{run.pk}").content.decode()
    assert offered not in body
    assert told["link_url"] in body
    assert "bulk-strip" not in client.get("/findings").content.decode()


def test_undoing_a_bulk_run_lists_what_it_leaves(as_user, analyst, findings, run):
    services.unmute([findings[1].pk], actor=UserFactory(name="Lena Brandt"))
    client = as_user(analyst)
    [told] = toasts(client.post(f"/undo/{run.pk}"))
    bulk.work_due()

    toast = client.get(told["link_url"] + "/toast").content.decode()
    body = client.get(told["link_url"]).content.decode()

    assert "<b>2 of 3 undone</b>" in toast
    assert "Show the 1" in toast
    assert "Left as they are" in body
    assert "Lena Brandt unmuted it on" in body
    assert ">Finding 1</a>" in body


def test_the_timeline_of_a_finding_offers_it_for_an_hour(as_user, analyst, editor, findings, mute):
    address = mute()
    [line] = [line for line in timeline(as_user(analyst), findings[0]) if "/undo/" in line]
    assert "Muted:" in line
    assert f'action="{address}"' in line
    assert not any("/undo/" in line for line in timeline(as_user(editor), findings[0]))

    Act.objects.update(expires_at=timezone.now())
    assert not any("/undo/" in line for line in timeline(as_user(analyst), findings[0]))


def test_the_timeline_says_that_it_was_undone(as_user, analyst, findings, mute):
    as_user(analyst).post(mute())
    told = timeline(as_user(analyst), findings[0])
    assert "Unmuted" in told[0]
    assert "Undo" in told[0]
    assert not any("/undo/" in line for line in told)


def test_a_ticket_that_was_taken_off_is_attached_again(as_user, analyst, findings):
    case = open_manual_case(
        [each.pk for each in findings], project=ProjectFactory(key="RISK"), actor=analyst
    )
    client, finding = as_user(analyst), findings[0]
    [told] = toasts(client.post(f"/tickets/{finding.finding_id}/detach"))
    assert (told["title"], told["text"]) == (
        "Detached from RISK-1",
        "The other 2 stay in RISK-1.",
    )
    [line] = [line for line in timeline(client, finding) if told["undo_url"] in line]
    assert "Detached from ticket" in line

    [back] = toasts(client.post(told["undo_url"]))

    assert back["title"] == "Attached to RISK-1 again"
    assert back["text"] == "Added by Alan Analyst, as before."
    assert case.attachments.count() == 3
    body = client.get("/cases/RISK-1").content.decode()
    assert '<span class="sub">. Undo</span>' in body


@pytest.mark.parametrize("door", ["ticket", "case", "split", "one by one"])
def test_each_door_to_tickets_offers_it(as_user, analyst, findings, door):
    project = ProjectFactory(key="RISK")
    client, ids = as_user(analyst), [each.finding_id for each in findings]
    open_manual_case([each.pk for each in findings[:2]], project=project, actor=analyst)
    address, data = {
        "ticket": ("/tickets/attach", {"finding": ids[2], "key": "RISK-1", "save": "yes"}),
        "case": ("/cases/RISK-1/attach", {"findings": ids[2]}),
        "split": ("/cases/RISK-1/split", {"finding": ids[0], "confirmed": "yes"}),
        "one by one": ("/cases/RISK-1/detach", {"finding": ids[:2], "confirmed": "yes"}),
    }[door]
    before = attached()

    [told] = toasts(client.post(address, data))
    after = attached()
    client.post(told["undo_url"])

    assert after != before
    assert attached() == before


def attached() -> list[tuple[object, ...]]:
    rows = Attachment.objects.order_by("finding")
    return list(rows.values_list("finding", "case", "created_at"))


def timeline(client, finding) -> list[str]:
    body = client.get(f"/findings/{finding.finding_id}").content.decode()
    return body.partition('id="timeline"')[2].partition("</ol>")[0].split("<li>")[1:]
