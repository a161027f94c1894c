from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from automation.rules import services as rules
from automation.rules.data import action_of
from config.accounts.api_keys import create_api_key
from config.accounts.audit import log as audit_log
from config.accounts.models import AuditEvent
from config.accounts.people import change_person
from config.accounts.roles import Permission, Role
from findings.facts import Status
from findings.services import change_status
from tests.factories import FindingFactory, JiraAccountFactory, ProjectFactory, ticket_rule
from ticketing.models import JiraAccount

LOG = "/settings/audit"


def shown(client, address=LOG) -> str:
    return " ".join(client.get(address).text.split())


def test_it_says_who_changed_what_from_what_to_what(as_user, admin, editor, make_rule):
    rule = make_rule(actor=editor)
    data = {"finding_types": ["secret"], "query": "", "project_id": action_of(rule).project_id}
    rules.edit_rule(
        rule.pk, ticket_rule(name="Leaks", max_tickets_per_day=20, **data), actor=editor
    )
    page = shown(as_user(admin))
    assert "Edith Editor" in page
    assert "Rule changed" in page
    assert "<dt>name</dt><dd><del>Exposed secrets</del>" in page
    assert "<ins>Leaks</ins>" in page
    assert "<del>10</del>" in page
    assert "Rule created" in page


def test_it_has_a_row_for_roles_keys_projects_and_accounts(as_user, admin, editor):
    create_api_key("ci-grype", scopes=[Permission.FINDINGS_READ], actor=admin)
    change_person(editor, name=editor.name, role=Role.ADMIN, is_active=True, actor=admin)
    JiraAccountFactory(name="Acme")
    ProjectFactory(name="Cloud Risk")
    page = shown(as_user(admin))
    for said in ("API key created", "User changed", "Jira account created", "Project created"):
        assert said in page
    assert "<del>automation_editor</del>" in page


def test_it_says_what_was_done_to_findings(as_user, admin):
    change_status([FindingFactory().pk], status=Status.RESOLVED, actor=admin)
    page = shown(as_user(admin))
    assert "Findings given a new status" in page
    assert ">Findings</option>" in page


def test_it_never_shows_a_secret(as_user, admin):
    account = JiraAccountFactory(token="sesame-open", webhook_secret="hush-hush")
    JiraAccount.objects.get(pk=account.pk).save()
    raw = create_api_key("x", scopes=[Permission.FINDINGS_READ], actor=admin)[1]
    admin.set_password("correct horse battery")
    admin.save()
    page = shown(as_user(admin))
    for secret in ("sesame-open", "hush-hush", raw, admin.password):
        assert secret not in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("kind=rule", {"Exposed secrets"}),
        ("kind=project", {"Cloud Risk"}),
        ("person=system", {"Cloud Risk", "Ada Admin", "Edith Editor"}),
        ("from=24h&kind=user", {"Ada Admin", "Edith Editor"}),
    ],
)
def test_it_filters(as_user, admin, editor, make_rule, query, names):
    make_rule(actor=editor)
    entries = as_user(admin).get(f"{LOG}?{query}").context["log"].entries
    assert {entry.what for entry in entries} == names


def test_it_filters_by_person_and_time(as_user, admin, editor, make_rule):
    with time_machine.travel(timezone.now() - timedelta(days=8), tick=False):
        make_rule(actor=editor)
    client = as_user(admin)
    assert len(client.get(f"{LOG}?person={editor.pk}").context["log"].entries) == 1
    assert "No such event" in shown(client, f"{LOG}?person={editor.pk}&from=7d")


@pytest.mark.usefixtures("frozen")
def test_it_goes_through_all_pages_without_a_gap(as_user, admin, monkeypatch):
    monkeypatch.setattr(audit_log, "PAGE", 3)
    for number in range(4):  # all at the same moment, of two kinds
        ProjectFactory(key=f"P{number}", name=f"Project {number}")
        JiraAccountFactory(name=f"Account {number}")
    client, place, seen = as_user(admin), "", []
    for _ in range(9):
        log = client.get(f"{LOG}?before={place}").context["log"]
        seen += [(entry.kind, entry.what) for entry in log.entries]
        if not (place := log.older):
            break
    assert len(seen) == len(set(seen)) == 10
    assert not place


@pytest.mark.parametrize("query", ["before=x", "before=MS4xLg==", "person=x", "kind=session"])
def test_it_does_not_find_what_is_no_place(as_user, admin, query):
    assert as_user(admin).get(f"{LOG}?{query}").status_code == 404


def test_it_is_empty_for_a_person_who_did_nothing(as_user, admin):
    assert "No such event" in shown(as_user(admin), f"{LOG}?person={uuid4()}")


def test_it_is_for_admins(as_user, editor):
    assert as_user(editor).get(LOG).status_code == 403


def test_it_takes_no_other_method(as_user, admin):
    assert as_user(admin).post(LOG).status_code == 405


def test_it_escapes_names(as_user, admin, make_rule):
    make_rule("<script>x</script>")
    assert "<script>x" not in shown(as_user(admin))


def test_it_takes_few_statements_for_many_changes(
    as_user, admin, make_rule, django_assert_max_num_queries
):
    client, rule = as_user(admin), make_rule()
    for number in (1, 60):
        for _ in range(number):
            rule.save(update_fields=["name"])
        with django_assert_max_num_queries(14):  # one more for each kind
            client.get(LOG)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_it_exports_what_it_lists(as_user, admin, make_rule, ending):
    make_rule("＝HYPERLINK(1)")
    ProjectFactory(name="Elsewhere")
    answer = as_user(admin).get(f"/settings/audit.{ending}?kind=rule", REMOTE_ADDR="192.0.2.7")
    text = answer.getvalue().decode()
    assert answer.headers["Content-Disposition"].endswith(f'.{ending}"')
    assert ("'＝HYPERLINK" if ending == "csv" else '"＝HYPERLINK') in text
    assert "Elsewhere" not in text
    event = AuditEvent.objects.get(category="audit", action="exported")
    assert (event.actor_name, event.address) == ("Ada Admin", "192.0.2.7")
    assert event.details == {"format": ending, "kind": "rule", "person": "", "from": ""}


def test_it_exports_everything_in_chunks(as_user, admin, monkeypatch, frozen):
    monkeypatch.setattr(audit_log, "AT_ONCE", 3)
    for number in range(7):
        ProjectFactory(key=f"P{number}", name=f"Project {number}")
    text = as_user(admin).get("/settings/audit.jsonl?kind=project").getvalue().decode()
    names = [json.loads(line)["object_name"] for line in text.splitlines()]
    assert names == [f"Project {number}" for number in reversed(range(7))]


@pytest.mark.parametrize("address", ["audit.xml", "audit.csv?kind=x", "audit.jsonl?person=x"])
def test_it_exports_nothing_that_no_menu_offers(as_user, admin, address):
    assert as_user(admin).get(f"/settings/{address}").status_code == 404


def test_it_exports_to_those_who_may_read_it_alone(as_user, editor):
    assert as_user(editor).get("/settings/audit.csv").status_code == 403
