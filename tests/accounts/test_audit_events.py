"""Which acts are in the audit log, with who did them and from where."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.audit import chain, history
from config.accounts.audit.events import part_of_recorded_act, record_event
from config.accounts.audit.history import import_history
from config.accounts.models import AuditEvent
from config.accounts.people import reset_password
from config.accounts.roles import Permission
from findings import overrides, services
from findings.facts import Severity, Status
from tests.factories import FindingFactory, ProjectFactory
from ticketing import bulk

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
NEW = "another staple altogether"


def recorded(category: str) -> list[tuple[str, str, str]]:
    """(action, who, on what) of each event of a category, oldest first."""
    rows = AuditEvent.objects.filter(category=category).order_by("id")
    return list(rows.values_list("action", "actor_name", "object_name"))


def sign_in(client, name: str, password: str):
    said = {"username": name, "password": password}
    return client.post(reverse("login"), said, REMOTE_ADDR="192.0.2.9")


def test_it_records_sign_ins_failures_and_sign_outs(client, admin):
    admin.set_password(PASSWORD)
    admin.save()
    sign_in(client, "correct horse", "x")
    sign_in(client, admin.email, "wrong")
    sign_in(client, admin.email, PASSWORD)
    client.post(reverse("logout"), REMOTE_ADDR="192.0.2.9", headers={"X-Request-ID": "proxy-0001"})
    assert recorded("signin") == [
        ("failed", "", "An address that has no account"),
        ("failed", "", "Ada Admin"),
        ("succeeded", "Ada Admin", "Ada Admin"),
        ("ended", "Ada Admin", "Ada Admin"),
    ]
    assert set(AuditEvent.objects.filter(category="signin").values_list("address")) == {
        ("192.0.2.9",)
    }
    assert AuditEvent.objects.get(action="ended").request_id == "proxy-0001"
    assert "correct horse" not in str(list(AuditEvent.objects.values()))


def test_it_records_a_lockout_once_whoever_goes_on_trying(client, admin):
    for _ in range(9):
        sign_in(client, admin.email, "wrong")
    actions = [action for action, *_ in recorded("signin")]
    assert actions.count("locked out") == 1
    assert actions.count("failed") == 5


def test_it_records_a_password_once_whatever_way_it_was_changed(
    as_user, admin, editor, monkeypatch
):
    editor.set_password(PASSWORD)
    editor.save()
    earlier = list(AuditEvent.objects.values_list("id", flat=True))
    form = {"current_password": PASSWORD, "new_password": NEW, "repeated": NEW}
    as_user(editor).post("/account/password", form)
    as_user(admin).post(f"/settings/users/{editor.pk}/password")
    reset_password(editor, actor=admin)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: PASSWORD)
    call_command("changepassword", editor.email)
    events = AuditEvent.objects.exclude(id__in=earlier).exclude(category="signin").order_by("id")
    assert [(row.category, row.actor_name, row.details) for row in events] == [
        ("user", "Edith Editor", {"reason": "Password changed"}),
        ("user", "Ada Admin", {"reason": "Password reset"}),
        ("user", "Ada Admin", {"reason": "Password reset"}),
        ("user", "", {"reason": "Password changed"}),
    ]


def test_it_records_triage_once_for_each_act(analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(3)]
    services.mute(pks, reason="no_fix", actor=analyst)
    services.unmute(pks, actor=analyst)
    services.assign(pks, assignee=analyst, actor=analyst)
    services.change_status(pks, status=Status.IN_PROGRESS, actor=analyst)
    overrides.set_severity(pks, severity=Severity.LOW, actor=analyst)
    services.mute(pks, reason="no_fix", actor=None)  # a rule's, with a decision of its own
    events = AuditEvent.objects.filter(category="finding").order_by("id")
    assert list(events.values_list("action", "count", "actor_name")) == [
        (action, 3, "Alan Analyst")
        for action in ("muted", "unmuted", "assigned", "status", "overridden")
    ]


def test_it_records_keys_made_and_revoked(admin):
    key, raw = create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=admin)
    revoke_api_key(key.pk, actor=admin)
    assert recorded("apikey") == [("created", "Ada Admin", "ci"), ("changed", "Ada Admin", "ci")]
    assert raw not in str(list(AuditEvent.objects.values()))


def test_it_records_what_somebody_may_not_do_once_an_hour(as_user, viewer, frozen):
    client = as_user(viewer)
    for _ in range(3):
        assert client.get("/settings/audit").status_code == 403
    assert recorded("access") == [("refused", "Vera Viewer", "GET settings/audit")]
    frozen.shift(3601)
    as_user(viewer).get("/settings/audit")
    assert len(recorded("access")) == 2


def test_it_names_the_key_that_did_something(client):
    _, raw = create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=None)
    client.post("/api/v1/findings", headers={"Authorization": f"Bearer {raw}"})
    event = AuditEvent.objects.get(category="access")
    assert (event.actor_type, event.actor_name, event.object_name) == (
        "key", "ci", "POST api/v1/findings"
    )  # fmt: skip


def test_it_records_nothing_of_what_is_part_of_a_recorded_act():
    with part_of_recorded_act():
        record_event("finding", "muted")
    assert not AuditEvent.objects.exists()


def test_it_takes_over_the_histories_once_and_again_after_a_crash(admin, monkeypatch):
    project = ProjectFactory(name="Cloud Risk")
    project.name = "Renamed"
    project.save(update_fields=["name"])
    chain.link_waiting()
    expected = list(AuditEvent.objects.values_list("category", "action", "details", "object_name"))
    _forget()
    monkeypatch.setattr(history, "CHUNK", 1)
    monkeypatch.setattr(history, "locked_head", _die)
    with pytest.raises(KeyboardInterrupt):
        import_history()
    monkeypatch.undo()
    assert import_history() == 0
    assert import_history() == 0
    there = AuditEvent.objects.order_by("position")
    assert list(there.values_list("category", "action", "details", "object_name")) == expected
    assert chain.check().rows == len(expected)


def _die():
    raise KeyboardInterrupt


def _forget() -> None:
    """As it was before the log kept its own rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SELECT set_config('findings.audit_pruning', 'on', true)")
        cursor.execute("DELETE FROM accounts_auditevent")
        cursor.execute("DELETE FROM accounts_audithead")


def test_it_records_a_bulk_run_once_however_many_findings_it_mutes(analyst):
    pks = [finding.pk for finding in FindingFactory.create_batch(60)]
    said = {"reason": "no_fix", "description": "", "until": ""}
    bulk.start(uuid4(), deed="mute", said=said, finding_pks=pks, search="q", actor=analyst)
    bulk.work_due()
    assert recorded("finding") == []
    runs = AuditEvent.objects.filter(category="bulkrun").order_by("id")
    assert list(runs.values_list("action", "count")) == [("started", 60), ("ended", 60)]


def test_it_records_who_exports_findings(as_user, viewer):
    client = as_user(viewer)
    address = reverse("findings:explorer-export") + "?q=severity:high"
    client.get(address, REMOTE_ADDR="192.0.2.4").getvalue()
    event = AuditEvent.objects.get(category="finding", action="exported")
    assert (event.actor_name, event.address) == ("Vera Viewer", "192.0.2.4")
    assert event.details["query"] == "severity:high"


def test_it_records_which_findings_were_exported(as_user, viewer, admin):
    chosen = "?severity=low&severity=high&status=open&from=2026-11-01&by=resolved&page=x&odd=1"
    as_user(viewer).get(reverse("findings:explorer-export") + chosen).getvalue()
    details = AuditEvent.objects.get(category="finding", action="exported").details
    assert details["severity"] == ["high", "low"]
    assert (details["status"], details["by"]) == (["open"], "resolved")
    assert details["from"].startswith("2026-11-01")
    assert not {"odd", "page", "to"} & {*details}
    page = as_user(admin).get(reverse("accounts:audit-log") + "?kind=finding").text
    assert "Findings exported" in page
    assert "high, low" in page


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="one database in memory, one writer")
@pytest.mark.django_db(transaction=True)
def test_it_links_what_several_write_at_once():
    def write(nth: int) -> None:
        for _ in range(5):
            record_event("finding", f"muted {nth}")
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    chain.link_waiting()
    assert chain.check().rows == 20
