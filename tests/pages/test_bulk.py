"""Deeds on everything that a search finds, from the explorer's bar to the run's own page."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.statement_timeout import QueryTimeout
from findings.facts import Status
from findings.forms import Everything
from findings.models import Finding
from tests.factories import DestinationFactory, ExternalIssueFactory, FindingFactory
from ticketing import bulk
from ticketing.models import BulkRun, Case
from ticketing.services import open_manual_case

ID = UUID("5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f")


@pytest.fixture
def findings(db):
    return [FindingFactory(tags=["team:web"]) for _ in range(3)]


@pytest.fixture
def ask(as_user, analyst):
    """`ask("mute", number=3, save="yes", …)`: the analyst asks it of all that team:web has."""

    def post(deed, *, user=analyst, **said):
        said = {"whole": "yes", "search": "q=team%3Aweb", "run": str(ID)} | said
        return as_user(user).post(f"/bulk/new/{deed}", said)

    return post


def save(ask, deed, number=3, **said):
    return ask(deed, save="yes", number=number, **said)


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def page(client, run, part="") -> str:
    return client.get(f"/bulk/{run.pk}{part}").content.decode()


def test_it_offers_all_that_is_found_where_a_page_does_not_show_it(as_user, analyst, viewer):
    for _ in range(26):
        FindingFactory()

    body = as_user(analyst).get("/findings?rows=25&q=finding").content.decode()
    assert "Select all 26" in body
    assert 'name="search" value="q=finding&amp;rows=25"' in body
    assert "Select all 26" not in as_user(analyst).get("/findings").content.decode()
    assert "Select all 26" not in as_user(viewer).get("/findings?rows=25").content.decode()


def test_it_offers_all_where_more_stand_on_a_page_than_a_ticket_takes(as_user, analyst):
    FindingFactory.create_batch(51)

    assert "Select all 51" in as_user(analyst).get("/findings?rows=100").content.decode()


def test_it_refuses_a_search_of_a_thousand_fields(ask, findings):
    assert ask("mute", search="&".join(["team=web"] * 1_001)).status_code == 400


@pytest.mark.parametrize("deed", ["mute", "ticket"])
def test_it_says_that_the_database_does_not_answer(ask, findings, monkeypatch, deed):
    def too_long(*_, **__):
        raise QueryTimeout

    for name in ("ids", "pks"):
        monkeypatch.setattr(Everything, name, too_long)

    assert "did not answer in 5 s" in said(ask(deed))


def test_it_asks_how_and_of_how_many(ask, findings):
    FindingFactory(tags=["team:data"])
    body = ask("mute").content.decode()

    assert "Mute 3 findings" in body
    assert 'name="number" value="3"' in body
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize(
    ("deed", "fields"),
    [
        ("mute", {"reason": "OTHER", "days": "7"}),
        ("assign", {"assignee": ""}),
        ("status", {"status": "in-progress"}),
    ],
)
def test_it_runs_what_was_asked(ask, findings, analyst, deed, fields):
    answer = save(ask, deed, **fields)

    run = BulkRun.objects.get()
    assert answer.status_code == 302
    assert (run.deed, run.actor, run.search) == (deed, analyst, "q=team%3Aweb")
    assert run.steps.count() == 3
    bulk.work_due()
    assert set(run.steps.values_list("outcome", flat=True)) == {"done"}


def test_it_creates_a_ticket_for_each(ask, findings, project):
    save(ask, "tickets", project=str(project.pk), move="")
    bulk.work_due()

    assert Case.objects.filter(origin="manual").count() == 3


def test_it_creates_tickets_in_jira(ask, findings, project, analyst, as_user):
    DestinationFactory(project=project)
    save(ask, "tickets", project=f"jira:{project.pk}")
    bulk.work_due()

    run = BulkRun.objects.get()
    assert "Creating tickets in Jira: 0 of 3" in page(as_user(analyst), run)


def test_it_attaches_to_a_ticket(ask, findings, project):
    case = open_manual_case([], project=project, actor=None, title="Here")
    save(ask, "attach", key="RISK-1")
    bulk.work_due()

    assert case.attachments.count() == 3


def test_it_asks_for_one_ticket_as_for_selected_findings(ask, findings, project):
    body = ask("ticket").content.decode()

    assert "A single ticket that links 3 findings." in body
    assert 'action="/tickets/new"' in body
    assert all(finding.finding_id in body for finding in findings)


def test_it_says_how_many_findings_a_ticket_takes(ask, findings):
    for _ in range(50):
        FindingFactory(tags=["team:web"])

    assert "up to 50 findings at once" in said(ask("ticket"))


def test_it_asks_again_when_the_search_finds_something_else_by_now(ask, findings):
    FindingFactory(tags=["team:web"])
    answer = save(ask, "assign", assignee="")

    body = answer.content.decode()
    assert answer.status_code == 422
    assert "The search finds 4 findings now; it found 3 when you were asked." in body
    assert 'name="number" value="4"' in body
    assert not BulkRun.objects.exists()


def test_it_keeps_the_answers_of_a_form_that_was_refused(ask, findings):
    answer = save(ask, "mute", reason="NONSENSE", days="7")

    assert answer.status_code == 422
    assert not BulkRun.objects.exists()


def test_it_is_one_run_when_the_form_is_sent_twice(ask, findings):
    for _ in range(2):
        save(ask, "assign", assignee="")

    assert BulkRun.objects.count() == 1


def test_it_refuses_more_than_a_run_takes(ask, findings, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)

    assert "A bulk run takes up to 2 findings." in said(save(ask, "assign", assignee=""))
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("search", ["q=nothing", "q=(", "q=%00", "severity=nonsense"])
def test_it_does_nothing_to_nothing(ask, findings, search):
    answer = ask("assign", search=search, save="yes", assignee="")

    assert "no longer finds anything" in said(answer)
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("deed", ["nonsense", "stop"])
def test_it_knows_no_other_deeds(ask, findings, deed):
    assert ask(deed).status_code == 404


def test_it_lets_viewers_start_nothing(ask, findings, viewer, analyst, as_user):
    for deed in (*bulk.NEEDS, "ticket"):
        assert ask(deed, user=viewer).status_code == 403
    assert as_user(analyst).get("/bulk/new/mute").status_code == 405


# --- Following it -----------------------------------------------------------------------


@pytest.fixture
def run(ask, findings) -> BulkRun:
    save(ask, "status", status="in-progress")
    return BulkRun.objects.get()


def test_it_shows_the_strip_until_the_person_puts_it_away(as_user, analyst, editor, run):
    client = as_user(analyst)
    assert "Changing the status: 0 of 3" in client.get("/findings").content.decode()
    bulk.work_due()
    assert "3 findings changed" in client.get("/findings").content.decode()

    answer = client.post(f"/bulk/{run.pk}/dismiss", {"next": "/findings?q=x"})
    assert answer["Location"] == "/findings?q=x"
    assert "bulk-strip" not in client.get("/findings").content.decode()
    assert "3 findings changed" in page(client, run)


def test_it_shows_nobody_the_strip_of_another(as_user, editor, run):
    assert "bulk-strip" not in as_user(editor).get("/findings").content.decode()


def test_it_polls_until_it_is_over_and_then_says_so(as_user, analyst, run):
    client = as_user(analyst)
    assert "hx-get" in page(client, run, "/strip")
    bulk.work_due()

    body = page(client, run, "/strip")
    assert "hx-get" not in body
    toast = body.partition('hx-swap-oob="beforeend:#toasts"')[2]
    assert "<b>3 findings changed</b>" in toast
    assert f'action="/undo/{run.pk}"' in toast


def test_it_stops_and_goes_on(as_user, analyst, run):
    client = as_user(analyst)
    client.post(f"/bulk/{run.pk}/stop")
    assert "Stopped by Alan Analyst." in page(client, run)
    assert bulk.work_due()
    assert Finding.objects.filter(status=Status.OPEN).count() == 3

    client.post(f"/bulk/{run.pk}/retry")
    bulk.work_due()
    assert Finding.objects.filter(status=Status.IN_PROGRESS).count() == 3
    assert "There was nothing left" in said(client.post(f"/bulk/{run.pk}/retry"))
    assert "already ended" in said(client.post(f"/bulk/{run.pk}/stop"))


def test_it_says_which_findings_failed_and_why(as_user, analyst, run, findings):
    run.steps.filter(position=1).update(outcome="failed", reason="<b>Because</b>")
    bulk.work_due()

    body = page(as_user(analyst), run)
    assert "2 of 3 findings changed" in body
    assert "1 failed: &lt;b&gt;Because&lt;/b&gt;" in body
    assert "Retry" in body


def test_it_tries_those_again_that_jira_refused(as_user, analyst, ask, findings, project):
    DestinationFactory(project=project)
    save(ask, "tickets", project=str(project.pk))
    bulk.work_due()
    run = BulkRun.objects.get()
    for step in run.steps.all():
        refused = step.position == 2
        ExternalIssueFactory(
            case=step.case, state="blocked" if refused else "created", reason="Team is required.",
            fault="REJECTED" if refused else "", issue_id="" if refused else str(step.pk),
            issue_key="" if refused else f"SEC-{step.pk}",
        )  # fmt: skip
    client = as_user(analyst)
    assert "2 of 3 tickets created" in page(client, run)
    assert "1 failed: Team is required." in page(client, run)

    client.post(f"/bulk/{run.pk}/retry")
    assert "Creating tickets in Jira: 2 of 3" in page(client, run)


def test_it_lists_runs(as_user, viewer, run):
    body = as_user(viewer).get("/bulk").content.decode()
    assert "Change status" in body
    assert f"/bulk/{run.pk}" in body


def test_it_lets_viewers_look_and_change_nothing(as_user, viewer, analyst, run):
    client = as_user(viewer)
    assert "Stop" not in page(client, run)
    assert client.post(f"/bulk/{run.pk}/stop").status_code == 403
    assert client.get(f"/bulk/{uuid4()}").status_code == 404
    assert as_user(analyst).get(f"/bulk/{run.pk}/stop").status_code == 405


def test_it_costs_the_same_for_few_findings_as_for_many(as_user, analyst, run, ask, project):
    for _ in range(60):
        FindingFactory(tags=["team:web"])
    save(ask, "status", number=63, run=str(uuid4()), status="in-progress")
    bulk.work_due()
    client = as_user(analyst)
    for part in ("", "/strip"):
        counts = []
        for each in BulkRun.objects.all():
            with CaptureQueriesContext(connection) as statements:
                page(client, each, part)
            counts.append(len(statements))
        assert counts[0] == counts[1] <= 10
