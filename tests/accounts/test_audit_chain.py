"""The chain of the audit log: what is changed, removed or cut off is found and named."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from config.accounts.audit import chain
from config.accounts.audit.chain import ChainError, check, link_waiting
from config.accounts.audit.events import Object, record_event
from config.accounts.models import AuditEvent, AuditHead
from config.runtime.retention.nightly import delete_old_rows

pytestmark = pytest.mark.django_db


def record(number: int) -> list[AuditEvent]:
    for nth in range(number):
        record_event("finding", "muted", count=nth, on=Object("7", "ünïcode \ud800 \0"))
    link_waiting()
    return list(AuditEvent.objects.order_by("position"))


@pytest.fixture
def tamper():
    """`tamper("UPDATE …")` writes past the program, and on PostgreSQL past the table's trigger."""

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER USER")
            cursor.execute(statement)

    return run


def test_it_holds_what_was_recorded():
    record(5)
    checked = check()
    assert (checked.rows, checked.first, checked.waiting) == (5, 1, 0)
    assert check(known=checked.head).head == checked.head
    first, second = AuditEvent.objects.order_by("position")[:2]
    assert second.previous_hash == first.hash != second.hash


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE accounts_auditevent SET count = 99 WHERE position = 3", r"Row 3 .*changed"),
        ("UPDATE accounts_auditevent SET address = 'x' WHERE position = 5", r"Row 5 .*changed"),
        ("UPDATE accounts_auditevent SET at = '2020-01-01 00:00:00+00:00' WHERE position = 1",
         r"Row 1 .*changed"),
        ("DELETE FROM accounts_auditevent WHERE position = 2", r"Row 2 is missing"),
        ("DELETE FROM accounts_auditevent WHERE position = 1", r"Row 1 is missing"),
        ("DELETE FROM accounts_auditevent WHERE position > 3", r"Rows 4 to 5 are missing"),
        ("DELETE FROM accounts_audithead", r"head of the chain is gone"),
        ("UPDATE accounts_audithead SET position = 3", r"Row 4 is behind the head"),
        ("UPDATE accounts_audithead SET pruned_position = 2", r"head .* was changed"),
        ("UPDATE accounts_audithead SET key = ''", r"None of the ENCRYPTION_KEYS"),
    ],
)  # fmt: skip
def test_it_names_the_first_row_that_is_wrong(tamper, statement, said):
    record(5)
    tamper(statement)
    with pytest.raises(CommandError, match=said):
        call_command("check_audit_log")


def test_it_finds_an_end_that_was_cut_off_with_its_head(tamper):
    rows = record(5)
    tamper("DELETE FROM accounts_auditevent WHERE position > 3")
    tamper(f"UPDATE accounts_audithead SET position = 3, hash = '{rows[2].hash}'")
    with pytest.raises(ChainError, match="head of the chain was changed"):
        check()


def test_it_finds_a_database_that_was_put_back(tamper):
    record(3)
    head = AuditHead.objects.values().get()
    noted = check().head
    record(2)
    later = check().head
    tamper("DELETE FROM accounts_auditevent WHERE position > 3")
    AuditHead.objects.update(**{name: head[name] for name in ("position", "hash", "seal")})
    assert check().head == noted
    with pytest.raises(ChainError, match="ends at row 3, but row 5 was noted"):
        check(known=later)


def test_it_prunes_by_whole_days_and_still_holds(settings, monkeypatch):
    settings.AUDIT_RETENTION_DAYS = 30
    monkeypatch.setattr(chain, "CHUNK", 2)
    with time_machine.travel(timezone.now() - timedelta(days=32), tick=False):
        record(5)
    record(2)
    delete_old_rows(only=["audit_events"])
    delete_old_rows(only=["audit_events"])
    link_waiting()
    assert list(AuditEvent.objects.order_by("position").values_list("position", "action")) == [
        (6, "muted"), (7, "muted"), (8, "pruned")
    ]  # fmt: skip
    assert check().rows == 2 or check().rows == 3
    assert AuditEvent.objects.get(action="pruned").count == 5


def test_it_keeps_everything_without_a_retention(settings):
    settings.AUDIT_RETENTION_DAYS = 0
    with time_machine.travel(timezone.now() - timedelta(days=4000), tick=False):
        record(2)
    delete_old_rows(only=["audit_events"], is_forced=True)
    assert check().rows == 2


def test_it_says_what_is_late(capsys):
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        record_event("finding", "muted")
    call_command("check_audit_log")
    assert "1 are not in the chain yet" in capsys.readouterr().out


def test_it_prints_a_head_to_keep(capsys):
    record(1)
    call_command("check_audit_log")
    assert re.search(r"^Head: 1:[0-9a-f]{64}$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's trigger")
@pytest.mark.parametrize(
    "statement",
    ["UPDATE accounts_auditevent SET count = 9", "DELETE FROM accounts_auditevent"],
)
def test_it_is_refused_by_the_table_itself(statement):
    record(1)
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_it_links_on_commit():
    record_event("finding", "muted")
    assert check().rows == 1
