"""Undoing a bulk run: all of it, once, whatever dies or happens meanwhile."""

from __future__ import annotations

import itertools
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from config.accounts.models import Act
from config.accounts.roles import Role
from config.accounts.undo.acts import forget_old
from config.accounts.undo.registry import CannotUndo
from config.accounts.undo.service import AlreadyUndone, HourPassed, undo
from findings import overrides, services
from findings.facts import Severity
from findings.models import Finding, FindingEvent
from tests.factories import FindingFactory, ProjectFactory, UserFactory
from tests.flows.test_hostile_death import DatabaseGone, dying_at
from tests.together import done_by_two_at_once
from ticketing import bulk
from ticketing.bulk_progress import left_by, progress_of
from ticketing.models import Attachment, BulkRun, BulkStep
from ticketing.services import open_manual_case

pytestmark = pytest.mark.django_db
SAID = {
    "mute": {"reason": "OTHER", "description": "", "until": ""},
    "assign": {"assignee": None},
    "status": {"status": "resolved"},
    "severity": {"severity": "low", "description": ""},
    "attach": {"move": True},
    "tickets": {"assignee": None, "in_jira": False, "fields": {}, "move": False},
}


def some(number: int) -> list[int]:
    """In several states, as a search finds them."""
    kinds = itertools.cycle([{}, {"status": "in-progress"}, {"workflow": {"triage": {"x": 1}}}])
    return [FindingFactory(**kind).pk for kind in itertools.islice(kinds, number)]


def run_of(deed: str, pks: list[int], *, actor) -> BulkRun:
    """A run that has ended."""
    said = {"said": SAID[deed], "finding_pks": pks, "search": "", "actor": actor}
    if deed == "attach":
        case = open_manual_case([], project=ProjectFactory(), actor=actor, title="Here")
        run = bulk.start_attaching(uuid.uuid4(), case, None, **said)
    else:
        run = bulk.start(uuid.uuid4(), deed=deed, **said)
    assert bulk.work_due()
    run.refresh_from_db()
    return run


def undoing_of(run: BulkRun) -> BulkRun:
    return BulkRun.objects.get(pk=bulk.undo_id(run))


def state():
    """Without the time at which a finding's ticket last changed: it did."""
    names = ("pk", "status", "severity", "person_severity", "muted_until", "ticket_key")
    attached = Attachment.objects.order_by("finding").values_list("finding", "case", "created_at")
    workflows = Finding.objects.order_by("pk").values_list("workflow", flat=True)
    own = [{k: v for k, v in workflow.items() if k != "integrations"} for workflow in workflows]
    return list(Finding.objects.order_by("pk").values_list(*names)), own, list(attached)


@pytest.mark.parametrize("deed", ["mute", "assign", "status", "severity", "attach"])
def test_it_puts_everything_back(analyst, deed):
    pks = some(60)
    services.assign(pks[:5], assignee=analyst, actor=analyst)
    overrides.set_severity(pks[:5], severity=Severity.HIGH, actor=analyst)
    open_manual_case(pks[:5], project=ProjectFactory(), actor=analyst)
    before = state()
    run = run_of(deed, pks, actor=analyst)
    assert state() != before

    outcome = undo(run.pk, actor=analyst)
    assert outcome.title == "Undoing: 0 of 60"
    assert bulk.work_due()

    assert state() == before
    progress = progress_of(undoing_of(run))
    assert (progress.done, progress.skipped, progress.failed) == (60, 0, 0)
    assert progress.title.endswith(" undone")
    with pytest.raises(AlreadyUndone):
        undo(run.pk, actor=analyst)


def test_it_leaves_and_names_what_was_changed_since(analyst):
    pks = some(10)
    run = run_of("mute", pks, actor=analyst)
    lena = UserFactory(name="Lena Brandt")
    services.unmute(pks[:2], actor=lena)
    services.mute(pks[2:3], reason="DUPLICATE", actor=lena)

    undo(run.pk, actor=analyst)
    bulk.work_due()

    progress = progress_of(undoing_of(run))
    assert progress.title == "7 of 10 undone"
    assert progress.tone == "warn"
    words = [step.reason.partition(" it on ")[0] for step in left_by(progress.run)]
    assert words == ["Lena Brandt unmuted"] * 2 + ["Lena Brandt muted"]
    assert Finding.objects.get(pk=pks[2]).workflow["mute"]["reason"] == "DUPLICATE"
    assert set(Finding.objects.filter(pk__in=pks[3:]).values_list("status", flat=True)) == {
        "open", "in-progress",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_it_converges_wherever_it_dies(analyst):
    pks = some(6)
    before = state()
    run = run_of("mute", pks, actor=analyst)
    undo(run.pk, actor=analyst)
    undoing = undoing_of(run)

    for statement in itertools.count():
        with suppress(DatabaseGone), dying_at(statement):
            bulk.work_due()
        BulkRun.objects.update(leased_until=None, tries=0)
        undoing.refresh_from_db()
        if undoing.state != "running":
            break
        done = undoing.steps.filter(outcome="done").count()
        assert done == Finding.objects.exclude(status="muted").count()

    assert statement > 5
    assert state() == before
    assert FindingEvent.objects.filter(kind="unmuted").count() == 6


def test_it_stops_when_the_person_may_no_longer_do_it(analyst):
    run = run_of("mute", some(3), actor=analyst)
    undo(run.pk, actor=analyst)
    type(analyst).objects.update(role=Role.VIEWER)

    bulk.work_due()

    undoing = undoing_of(run)
    assert (undoing.state, undoing.reason) == ("stopped", "Alan Analyst may no longer do this.")
    assert set(Finding.objects.values_list("status", flat=True)) == {"muted"}


def test_it_undoes_what_a_stopped_run_had_done_and_that_does_not_go_on(analyst, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    pks = some(6)
    before = state()
    run = bulk.start(
        uuid.uuid4(), deed="mute", said=SAID["mute"], finding_pks=pks, search="", actor=analyst
    )
    bulk.work_due(seconds=-1)
    with pytest.raises(CannotUndo, match="has not ended"):
        undo(run.pk, actor=analyst)
    bulk.stop(run, reason="Enough.")
    assert Finding.objects.filter(status="muted").count() == 2

    undo(run.pk, actor=analyst)
    bulk.work_due()

    assert state() == before
    assert not bulk.go_on(run, actor=analyst)


def test_it_offers_nothing_where_tickets_were_created(analyst):
    project = ProjectFactory()
    said = SAID["tickets"] | {"project": str(project.pk)}
    bulk.start(
        uuid.uuid4(), deed="tickets", said=said, finding_pks=some(2), search="", actor=analyst
    )
    assert bulk.work_due()
    assert not Act.objects.exists()


def test_what_it_needs_is_kept_for_an_hour_after_the_end_and_while_it_undoes(frozen, analyst):
    run = run_of("mute", some(2), actor=analyst)
    other = run_of("status", some(2), actor=analyst)
    undo(run.pk, actor=analyst)
    late = timezone.now() + timedelta(minutes=61)
    frozen.move_to(late)

    bulk.forget_records(late)
    forget_old(late)

    kept = BulkStep.objects.filter(before__isnull=False)
    assert set(kept.values_list("run", flat=True)) == {run.pk}
    with pytest.raises(HourPassed):
        undo(other.pk, actor=analyst)
    bulk.work_due()
    bulk.forget_records(late)
    assert not BulkStep.objects.filter(before__isnull=False).exists()
    assert Finding.objects.filter(status="muted").count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_exactly_one_undoes_it(analyst):
    run = run_of("mute", some(4), actor=analyst)
    outcomes = done_by_two_at_once(lambda: undo(run.pk, actor=analyst), AlreadyUndone)
    assert outcomes == ["AlreadyUndone", "done"]
    assert BulkRun.objects.filter(deed="undo").count() == 1
