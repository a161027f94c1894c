"""Undoing an import, killed at every statement, and by two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from django.db import connection, transaction

from automation.decisions.conservation import violations
from automation.pipeline import evaluate_all
from findings.facts import Status
from findings.imports import undo
from findings.models import Evaluation, FindingEvent, Import
from findings.services import change_status
from tests.factories import UserFactory
from tests.findings.imports.test_undo import named, rule, statuses, take
from ticketing.models import Attachment, Case, TimelineEntry


class Killed(BaseException):
    """As a worker is: nothing catches it."""


class KilledAt:
    """Ends the work before the nth statement that writes."""

    def __init__(self, nth):
        self.left = nth

    def __call__(self, execute, sql, *rest):
        if sql.startswith(("UPDATE", "INSERT", "DELETE")):
            self.left -= 1
            if self.left < 0:
                raise Killed
        return execute(sql, *rest)


def past(frozen):
    take(1, 2, 3)
    evaluate_all()
    frozen.shift(60)
    change_status([named("r3").pk], status=Status.RESOLVED, actor=None)
    frozen.shift(60)
    rule()
    run = take(1, 3, 4, 5, 6)
    evaluate_all()
    frozen.shift(60)
    return run


def world():
    """Everything that undoing changes, but for the numbers of rows."""
    cases = Case.objects.order_by("number").values_list("key", "status", "archived_at")
    events = FindingEvent.objects.order_by("finding__resource_id", "kind", "after")
    entries = TimelineEntry.objects.order_by("case__key", "kind", "before")
    run = Import.objects.get(state="undone")
    counts = {name: value for name, value in run.undo_counts.items() if name != "after"}
    return (
        statuses(),
        counts,
        list(cases),
        list(events.values_list("finding__resource_id", "kind", "before", "after")),
        list(entries.values_list("case__key", "kind", "before", "after")),
        list(Attachment.objects.order_by("pk").values_list("case__key", "finding__resource_id")),
        list(violations()),
    )


@pytest.mark.django_db
def test_killed_at_any_statement_it_goes_on_to_the_same_end(frozen, monkeypatch):
    monkeypatch.setattr(undo, "CHUNK", 2)
    run = past(frozen)
    undo.begin(run, actor=UserFactory())
    with transaction.atomic():
        undo.finish_begun()
        whole = world()
        transaction.set_rollback(True)
    assert whole[0] == {"r1": "open", "r2": "open", "r3": "resolved"}
    assert whole[-1] == []
    for nth in count():
        with transaction.atomic():
            try:
                with connection.execute_wrapper(KilledAt(nth)), transaction.atomic():
                    undo.finish_begun()
                was_killed = False
            except Killed:
                was_killed = True
            undo.finish_begun()
            assert world() == whole, nth
            transaction.set_rollback(True)
        if not was_killed:
            break
    assert nth > 20


@pytest.mark.django_db(transaction=True)
def test_two_at_once_undo_it_once(frozen, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory")
    monkeypatch.setattr(undo, "CHUNK", 1)
    run, admin = past(frozen), UserFactory()
    together = Barrier(3)

    def work(_):
        together.wait()
        try:
            mine = Import.objects.select_related("source", "scope").get(pk=run.pk)
            try:
                undo.begin(mine, actor=admin)
                began = 1
            except undo.NotUndone:
                began = 0
            undo.finish_begun()
            return began
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 1
    undo.finish_begun()
    assert statuses() == {"r1": "open", "r2": "open", "r3": "resolved"}
    run.refresh_from_db()
    assert (run.undo_counts["taken_out"], run.undo_counts["reopened"]) == (3, 1)
    assert Case.objects.filter(archived_at=None).count() == 0
    assert list(violations()) == []
    assert Evaluation.objects.filter(unevaluated_since__isnull=False).count() == 0
