"""Test Rule: at most one ticket, for a finding that has none, whatever happens to the worker."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.models import DailyUsage, Rule, TestRun
from automation.rule_tests import execution, requests
from tests.factories import FindingFactory, ProjectFactory, UserFactory, ticket_spec
from tests.findings.columns import from_columns
from ticketing.models import Attachment, Case
from ticketing.services import open_manual_case


@pytest.fixture
def project(db):
    return ProjectFactory(key="RISK", name="Cloud Risk")


@pytest.fixture
def finding(db):
    return FindingFactory(finding_type="secret", severity="high", title="Key in code")


@pytest.fixture
def spec(project) -> RuleSpec:
    return ticket_spec(
        id=str(uuid4()),
        name="Prod secrets",
        enabled=True,
        finding_types=("secret",),
        query="@severity:high",
        target="case_management",
        project_id=str(project.pk),
        max_tickets_per_day=1,
    )


def begun(spec, finding, editor) -> TestRun:
    return requests.start(spec, finding, actor=editor)


def after(run: TestRun) -> TestRun:
    execution.carry_on(run.pk)
    run.refresh_from_db()
    return run


def states(run: TestRun) -> list[str]:
    return [step["state"] for step in run.steps]


def test_it_makes_a_real_ticket_for_the_finding(spec, finding, editor):
    run = after(begun(spec, finding, editor))

    case = Case.objects.get()
    assert (run.state, run.case_id, states(run)) == ("passed", case.pk, ["done"] * 4)
    assert Attachment.objects.get().finding == finding
    assert (case.origin, case.created_by, case.rule_id) == ("test", editor, None)
    assert "A test of the rule “Prod secrets” by Edith Editor." in case.description
    finding.refresh_from_db()
    assert finding.ticket == "test"
    assert all(step["milliseconds"] >= 0 for step in run.steps)


def test_it_takes_no_slot_and_touches_no_rule(spec, finding, editor):
    after(begun(spec, finding, editor))

    assert not DailyUsage.objects.exists()
    assert not Rule.objects.exists()


def test_it_makes_one_ticket_however_often_it_runs(spec, finding, editor):
    run = begun(spec, finding, editor)
    for _ in range(3):
        after(run)

    assert (run.state, Case.objects.count()) == ("passed", 1)


@pytest.mark.parametrize("at", ["_create", "_link", "end"])
def test_it_goes_on_where_its_worker_died(spec, finding, editor, monkeypatch, at):
    run = begun(spec, finding, editor)
    with monkeypatch.context() as patched:
        patched.setattr(execution, at, _die)
        with pytest.raises(MemoryError):
            execution.carry_on(run.pk)

    assert (after(run).state, Case.objects.count()) == ("passed", 1)
    assert Attachment.objects.get().case_id == run.case_id


def _die(*_: object, **__: object) -> None:
    raise MemoryError


def test_it_finds_the_runs_whose_worker_died(spec, finding, editor, enqueued):
    run = begun(spec, finding, editor)
    TestRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    enqueued.clear()

    requests.carry_on_lost()

    assert enqueued == [("automation.tasks.run_test", str(run.pk))]


@pytest.fixture
def enqueued(monkeypatch) -> list[tuple[object, ...]]:
    rung: list[tuple[object, ...]] = []
    monkeypatch.setattr(requests, "enqueue", lambda *said: rung.append(said))
    return rung


def test_it_gives_up_a_run_that_never_began(spec, finding, editor):
    run = begun(spec, finding, editor)
    TestRun.objects.update(created_at=timezone.now() - timedelta(hours=2))

    requests.carry_on_lost()

    run.refresh_from_db()
    assert (run.state, run.reason) == (
        "failed",
        "It was interrupted before anything was created.",
    )


def test_it_takes_no_finding_from_a_ticket(spec, finding, editor, project):
    open_manual_case([finding.pk], project=project, actor=editor)
    finding.refresh_from_db()

    with pytest.raises(requests.NotTestable, match="has a ticket already: RISK-1"):
        begun(spec, finding, editor)


def test_it_leaves_a_finding_that_was_ticketed_meanwhile(spec, finding, editor, project):
    run = begun(spec, finding, editor)
    theirs = open_manual_case([finding.pk], project=project, actor=editor)

    after(run)

    assert (run.state, states(run)[-1]) == ("failed", "failed")
    assert "RISK-2 was created, but the finding got another ticket" in run.reason
    assert Attachment.objects.get().case == theirs


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"query": "@severity:low"}, "The finding does not match the rule any more."),
        ({"project_id": str(uuid4())}, "The case project does not exist."),
        ({"assignee_id": str(uuid4())}, "The assignee does not exist or is deactivated."),
    ],
)
def test_it_says_why_nothing_was_created(spec, finding, editor, changed, reason):
    run = begun(spec, finding, editor)
    TestRun.objects.update(rule=run.rule | changed | {"action": run.rule["action"] | changed})

    after(run)

    assert (run.state, run.reason, run.case_id) == ("failed", reason, None)
    assert run.steps[-1] == {
        "label": "Linking the ticket to the finding",
        "state": "waiting",
        "milliseconds": None,
        "note": "skipped",
    }
    assert not Case.objects.exists()


def test_it_refuses_a_finding_that_does_not_match(spec, editor):
    other = FindingFactory(finding_type="secret", severity="low")

    with pytest.raises(requests.NotTestable, match="does not match"):
        begun(spec, other, editor)


def test_it_detaches_from_its_own_ticket_only(spec, finding, editor, project):
    run = after(begun(spec, finding, editor))
    assert requests.detach(run, actor=editor)
    assert not requests.detach(run, actor=editor)

    open_manual_case([finding.pk], project=project, actor=editor)
    assert not requests.detach(run, actor=editor)
    assert Attachment.objects.exists()


def test_it_lists_what_matches_with_the_free_ones_first(spec, project):
    held, old, new = (
        FindingFactory(
            finding_type="secret", opened_at=timezone.now() - timedelta(days=age), title=title
        )
        for age, title in ((0, "held"), (5, "old"), (1, "new"))
    )
    FindingFactory(finding_type="secret", opened_at=timezone.now() - timedelta(days=40))
    FindingFactory(finding_type="secret", severity="low")
    open_manual_case([held.pk], project=project, actor=None)

    found = requests.matches(spec)
    assert (list(found.findings), found.total) == ([new, old, held], 3)
    assert from_columns(lambda: requests.matches(spec)) == found
    assert list(requests.matches(spec, words="OLD").findings) == [old]


def test_it_keeps_the_row_of_whoever_left(spec, finding):
    run = begun(spec, finding, UserFactory())
    assert after(run).state == "passed"
