"""The page of an import: what rules made of it, how far that is, and what it costs to show."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.kinds.ticket_creation.action import Target
from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from findings.facts import Status, Ticket
from findings.imports import undo
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding
from findings.services import assign, change_status
from tests.factories import DestinationFactory, ticket_rule
from ticketing.models import ExternalIssue, Project
from ticketing.services import open_case_each

TYPES = ["library_vulnerability"]


def report(*numbers, severity="high", scope="shop") -> bytes:
    finding = {"finding_type": TYPES[0], "severity": severity, "title": "Old"}
    package = {"attributes": {"package": {"name": "grpcio", "ecosystem": "pip"}}}
    findings = [finding | package | {"resource_id": f"r{n}"} for n in numbers]
    return json.dumps({"source": "ci", "scope": scope, "findings": findings}).encode()


def take(*numbers, **said):
    return import_report([report(*numbers, **said)], ImportOptions(file_name="trivy.json"))


def rule(*, limit=2, target=Target.JIRA, **said):
    usual = {"name": "Libraries", "finding_types": TYPES}
    said = usual | {"project_id": DestinationFactory().project_id} | said
    return create_rule(ticket_rule(target=target, max_tickets_per_day=limit, **said), actor=None)


@pytest.fixture
def show(as_user, viewer):
    client = as_user(viewer)

    def shown(run, **headers):
        html = client.get(f"/settings/importers/{run.pk}", headers=headers).text
        return html, " ".join(re.sub(r"<[^>]+>", "", html).split())

    return shown


@pytest.mark.usefixtures("frozen")
def test_it_says_how_far_evaluation_and_ticketing_are(show):
    rule(limit=3)
    run = take(1, 2, 3)
    html, text = show(run)
    assert "Running through the rules: 0 of 3." in text
    assert 'hx-trigger="load delay:1s"' in html
    assert evaluate_all()
    first = ExternalIssue.objects.filter(case__origin="rule").first()  # not the limit notice
    there = {"issue_id": "1", "issue_key": "SEC-1", "delivered_at": timezone.now()}
    ExternalIssue.objects.filter(pk=first.pk).update(state="created", **there)
    html, text = show(run, **{"HX-Request": "true"})
    assert "Creating tickets: 1 of 3." in text
    assert 'hx-trigger="load delay:1s"' in html
    ExternalIssue.objects.exclude(pk=first.pk).update(state="blocked")
    html, text = show(run)
    assert "hx-trigger" not in html
    assert "3 new findings made 3 tickets." in text
    assert "2 tickets cannot be created" in text


@pytest.mark.usefixtures("frozen")
def test_it_stops_asking_after_an_hour(show, frozen):
    rule(limit=3)
    run = take(1)
    assert evaluate_all()
    frozen.shift(3_601)
    html, text = show(run)
    assert "Creating tickets: 0 of 1." in text
    assert "hx-trigger" not in html


def test_it_leads_from_each_number_to_its_rows(show, as_user, viewer, frozen):
    made = rule(limit=2, target=Target.CASE_MANAGEMENT)
    run = take(1, 2, 3, 4, 5)
    assert evaluate_all()
    html, text = show(run)
    assert "5 new findings made 2 tickets. 3 are over the limit of rule 1:" in text
    assert "1 ticket if grouped by package." in text
    of_run = f"import={run.pk}"
    for address in (f"import=new%3A{run.pk}", of_run, f"{of_run}&amp;rule={made.pk}"):
        assert f'href="/findings?{address}"' in html
        shown = as_user(viewer).get(f"/findings?{address.replace('&amp;', '&')}").text
        assert Finding.objects.get(resource_id="r5").finding_id in shown
        assert "trivy.json" in shown
    change_status([Finding.objects.get(resource_id="r1").pk], status=Status.RESOLVED, actor=None)
    assert f'href="/findings?{of_run}"' in show(run)[0]


def test_its_numbers_stay_what_they_were_when_a_person_makes_a_ticket(show, frozen):
    rule(limit=2, target=Target.CASE_MANAGEMENT)
    run = take(1, 2, 3, 4, 5)
    assert evaluate_all()
    over = list(Finding.objects.filter(ticket=Ticket.OVER_LIMIT).values_list("pk", flat=True))
    open_case_each(over, project=Project.objects.get(), actor=None)
    assert "3 are over the limit of rule 1: 1 ticket if grouped by package." in show(run)[1]


def test_it_says_what_shares_a_ticket(show, frozen):
    rule(limit=2, target=Target.CASE_MANAGEMENT, group_by=["package"])
    for numbers, said in (((1, 2), "1 shares a ticket"), ((3, 4), "2 share a ticket")):
        run = take(*numbers, scope=f"s{numbers[0]}")
        assert evaluate_all()
        assert f"{said} of rule 1." in show(run)[1]


def test_it_is_silent_about_what_an_older_import_brought(show, frozen):
    run = take(1, 2)
    Finding.objects.update(first_import=None)
    html, text = show(run)
    assert "2 new, 0 seen again." in text
    assert "import=new" not in html


@pytest.mark.parametrize("said", ["x", "new:x", "odd:00000000-0000-0000-0000-000000000001", "\0"])
def test_it_finds_nothing_for_an_import_that_there_is_not(as_user, viewer, said):
    take(1)
    shown = as_user(viewer).get("/findings", {"import": said})
    assert shown.status_code == 200
    assert Finding.objects.get().finding_id not in shown.text


def test_it_asks_as_much_for_many_findings_and_rules_as_for_few(as_user, viewer, frozen):
    client, costs = as_user(viewer), []
    for number in (3, 60):
        frozen.shift(60)
        rule(limit=1, query=f"-team:x{number}", target=Target.CASE_MANAGEMENT, name=f"R{number}")
        run = take(*range(number * 100, number * 101), scope=f"s{number}")
        assert evaluate_all()
        client.get(f"/settings/importers/{run.pk}")  # what is kept for a while is there then
        with CaptureQueriesContext(connection) as spent:
            client.get(f"/settings/importers/{run.pk}")
        costs.append(len(spent))
    assert costs[0] == costs[1] <= 22


def test_it_undoes_the_last_import_of_a_scope(show, as_user, admin, analyst, frozen):
    take(1, 2)
    frozen.shift(60)
    run = take(1, 2, 3, 4)
    frozen.shift(60)
    assign([Finding.objects.get(resource_id="r4").pk], assignee=admin, actor=analyst)
    client, address = as_user(admin), f"/settings/importers/{run.pk}/undo"
    asked = " ".join(client.get(address).text.split())
    assert "1 of the 2 new findings are taken out, as before" in asked
    assert f"1 was changed since then by {analyst.name} and stays as it is." in asked
    for _twice in range(2):
        assert client.post(address)["Location"] == f"/settings/importers/{run.pk}"
    assert "Being undone by Ada Admin." in show(run)[1]
    undo.finish_begun()
    text = show(run)[1]
    assert "Undone by Ada Admin at" in text
    assert "1 new taken out, 1 changed since and left as they are." in text
    assert client.get(address).status_code == 302
    assert Finding.objects.count() == 3


def test_it_says_why_an_older_import_cannot_be_undone(as_user, admin, frozen):
    older = take(1, 2)
    frozen.shift(60)
    take(1, 2, 3)
    client, address = as_user(admin), f"/settings/importers/{older.pk}"
    assert 'data-tip="A later report of this scope is in."' in client.get(address).text
    shown = client.post(f"{address}/undo", follow=True).text
    assert "A later report of this scope is in." in shown
    assert Finding.objects.count() == 3


def test_it_lets_only_those_undo_who_may_import(as_user, analyst, frozen):
    run = take(1)
    client = as_user(analyst)
    assert "Undo import" not in client.get(f"/settings/importers/{run.pk}").text
    assert client.get(f"/settings/importers/{run.pk}/undo").status_code == 403
    assert client.post(f"/settings/importers/{run.pk}/undo").status_code == 403
