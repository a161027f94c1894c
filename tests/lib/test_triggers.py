"""The triggers that modules need stand as they are now, or `check` says so."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connection

from automation.decisions import facts
from config.lib.triggers import Trigger
from findings.columnar import log
from findings.models import ChangeLog
from findings.trends import marks

pytestmark = pytest.mark.django_db
KEPT = {"log": log.TRIGGERS, "days": marks.TRIGGERS, "facts": facts.TRIGGERS}


def said():
    return [each.msg for each in run_checks(databases=["default"]) if each.id == "fa.W031"]


def make_old(triggers, name):
    """As a release before this one made it."""
    trigger = triggers.made(connection.vendor)[name]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"COMMENT ON TRIGGER {name} ON {trigger.table} IS 'another'")
        else:
            cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(trigger.sql.replace("BEGIN", "BEGIN SELECT 1;", 1))


@pytest.mark.parametrize("kept", KEPT)
def test_it_tells_what_is_missing_or_old_and_puts_it_back(kept):
    triggers = KEPT[kept]
    [*_, name] = triggers.made(connection.vendor)
    assert said() == []
    triggers.remove(connection)
    [message] = said()
    assert all(each in message for each in triggers.made(connection.vendor))
    triggers.ensure()
    assert said() == []
    make_old(triggers, name)
    [message] = said()
    assert f": {name}." in message
    triggers.ensure()
    assert said() == []


@pytest.mark.parametrize("kept", KEPT)
def test_they_go_before_sqlite_makes_tables_anew(kept):
    triggers = KEPT[kept]
    triggers.make_way(plan=[])
    assert said() == []
    triggers.make_way(plan=["a migration"])
    assert bool(said()) == (connection.vendor == "sqlite")


def test_a_log_goes_on_only_where_its_triggers_stood():
    before = ChangeLog.objects.get().generation
    log.TRIGGERS.ensure()
    assert ChangeLog.objects.get().generation == before
    make_old(log.TRIGGERS, "findings_finding_log_update")
    log.TRIGGERS.ensure()
    assert ChangeLog.objects.get().generation != before


def test_white_space_makes_no_other_trigger():
    assert Trigger("t", "A  B\n").digest == Trigger("t", "A B").digest != Trigger("t", "AB").digest
