"""A worker that dies at any statement of a group's ticket leaves nothing half said, and the next
one says all of it, once."""

from __future__ import annotations

import pytest
from django.db import transaction

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.pipeline import evaluate_all, evaluate_chunk
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from tests.flows.test_hostile_death import DatabaseGone, dying_at
from tests.flows.test_hostile_death import everything as every_row
from ticketing import services
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Attachment, Case, CaseGroup, TimelineEntry

pytestmark = pytest.mark.django_db


def everything():
    """What is said of tickets, in words that another run repeats."""
    groups = ("key", "takes_more", "is_to_reopen", "follows__key", "refresh_since", "added")
    rows = {
        Case: ("key", "title", "description", "priority", "status", "modified_at"),
        CaseGroup: ("case__key", *groups, "is_continuation", "written"),
        Attachment: ("finding__fingerprint", "case__key", "finding_is_open"),
        Finding: (
            "fingerprint",
            "ticket",
            "ticket_key",
            "ticket_status",
            "evaluation__unevaluated_since",
        ),
        Decision: ("finding__fingerprint", "outcome", "used_before"),
        TimelineEntry: ("case__key", "kind", "before", "after", "reason"),
    }
    return {
        model.__name__: sorted(map(repr, model.objects.values_list(*columns)))
        for model, columns in rows.items()
    }


def package(name):
    return {"package": {"name": name, "version": "1"}}


@pytest.fixture
def at_work(frozen, make_rule, report, monkeypatch):
    """Tickets to join, to open again, to continue and to follow, one to open, one without a slot;
    and a rule that opens closed ones again."""
    for module in ("ticketing.groups", "automation.kinds.ticket_creation.groups"):
        monkeypatch.setattr(f"{module}.MAX_FINDINGS_OF_GROUP", 3)
    monkeypatch.setattr("ticketing.groups.CHUNK", 2)
    make_rule("Again", query="env:dev", group_by=["package"], reopens_closed=True)
    make_rule("Packages", group_by=["package"], limit=6)
    for name in ("joined", "full", "closed"):
        report(2, prefix=name, attributes=package(name))
    report(2, prefix="again", attributes=package("again"), tags=("env:dev",))
    evaluate_all()
    for name in ("closed", "again"):
        case = Case.objects.get(attachments__finding__fingerprint=f"{name}-0")
        services.change_case(case, actor=None, status=Case.Status.CLOSED)
    for name in ("joined", "full", "closed", "new", "late"):
        report(3, prefix=f"{name} later", severity="critical", attributes=package(name))
    report(1, prefix="again later", attributes=package("again"), tags=("env:dev",))


def test_a_chunk_that_opens_and_joins_is_all_or_nothing(at_work):
    statement = 0
    with transaction.atomic():
        evaluate_chunk()
        undisturbed = everything()
        transaction.set_rollback(True)
    before = every_row()
    while True:
        try:
            with dying_at(statement):
                evaluate_chunk()
        except DatabaseGone:
            assert every_row() == before, f"statement {statement}"
            statement += 1
        else:
            break
    assert statement > 15
    assert everything() == undisturbed
    outcomes = set(Decision.objects.values_list("outcome", flat=True))
    assert outcomes == {"ticketed", "grouped", "over_limit"}
    assert {*CaseGroup.objects.values_list("is_continuation", flat=True)} == {True, False}
    assert list(violations()) == []


def _gone():
    """Findings of all tickets are resolved, and their cases have heard of it."""
    evaluate_all()
    pks = Finding.objects.filter(fingerprint__endswith="0").values_list("pk", flat=True)
    change_status(list(pks), status=Status.RESOLVED, actor=None)
    follow_findings()


def _ripe(frozen):
    evaluate_all()
    frozen.shift(7200)


@pytest.mark.parametrize("happened", ["joined", "an hour later", "resolved"])
def test_tickets_are_refreshed_wherever_a_worker_is_killed(happened, at_work, frozen):
    {"joined": evaluate_all, "resolved": _gone, "an hour later": lambda: _ripe(frozen)}[happened]()
    with transaction.atomic():
        refresh_due()
        undisturbed = everything()
        transaction.set_rollback(True)
    statement, is_killed = 0, True
    while is_killed:
        with transaction.atomic():
            try:
                with dying_at(statement):
                    refresh_due()
                is_killed = False
            except DatabaseGone:
                statement += 1
                transaction.set_rollback(False)  # the statement never reached the database
            refresh_due()
            assert everything() == undisturbed, f"statement {statement}"
            transaction.set_rollback(True)
    assert statement > 20
    assert undisturbed["Case"] != everything()["Case"]
    assert list(violations()) == []
