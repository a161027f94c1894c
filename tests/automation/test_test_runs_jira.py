"""Test Rule with a Jira that answers by real HTTP: one issue or none, and why."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from automation import test_runs, test_steps
from automation.engine.rules import RuleSpec
from automation.models import Rule, TestRun
from tests.factories import FindingFactory, RuleFactory
from tests.jira_places import destination_at
from ticketing.delivery import deliver_due
from ticketing.issues import issue_of
from ticketing.models import Attachment, Case, Destination, ExternalIssue
from ticketing.services import open_manual_case
from ticketing.trackers.jira.sandbox.defaults import SELECT

CREATE = r"POST .*/issue$"


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira) -> Destination:
    return destination_at(jira)


@pytest.fixture
def spec(place) -> RuleSpec:
    return RuleSpec(
        id=str(uuid4()),
        name="Prod secrets",
        enabled=True,
        finding_types=("secret",),
        query="",
        target="jira",
        project_id=str(place.project_id),
        max_tickets_per_day=1,
        fields={"labels": ["test-{{severity}}"], "summary": "[{{severity}}] {{title}}"},
    )


@pytest.fixture
def run(spec, editor) -> TestRun:
    finding = FindingFactory(finding_type="secret", severity="high", title="Key in code")
    return test_runs.start(spec, finding, actor=editor)


def after(run: TestRun) -> TestRun:
    test_steps.carry_on(run.pk)
    run.refresh_from_db()
    return run


def states(run: TestRun) -> str:
    return " ".join(step["state"] for step in run.steps)


def test_it_creates_a_real_issue_and_attaches_it(run, jira):
    after(run)

    [there] = jira.issues("SEC")
    finding = run.finding
    finding.refresh_from_db()
    assert (run.state, states(run)) == ("passed", "done done done done done")
    assert finding.workflow["integrations"]["jira"] == [there.key]
    assert finding.ticket == "test"
    assert there.fields["summary"] == "[High] Key in code"
    assert "test-High" in there.fields["labels"]
    assert run.steps[2]["label"] == "Space SEC exists and allows Task"


@pytest.mark.parametrize(
    ("breakage", "at", "reason"),
    [
        (lambda jira: jira.revoke_token(), 1, "credentials"),
        (lambda jira: jira.delete_project("SEC"), 2, "SEC"),
        (lambda jira: jira.drop_issue_type("SEC", "Task"), 2, "ticket type"),
        (lambda jira: jira.require_field("SEC", SELECT.id), 2, "Team"),
    ],
)
def test_it_says_what_is_wrong_before_it_creates_anything(run, jira, breakage, at, reason):
    breakage(jira)

    after(run)

    assert run.state == "failed"
    assert reason in run.reason
    assert [step["state"] for step in run.steps].index("failed") == at
    assert not Case.objects.exists()
    assert not jira.issues("SEC")


def test_it_names_the_field_that_jira_asks_for(run, jira):
    jira.require_field("SEC", SELECT.id)

    assert after(run).field == SELECT.id


def test_it_withdraws_what_jira_refused(run, jira):
    jira.faults.answer(CREATE, 400, {"errorMessages": ["The workflow says no."], "errors": {}})

    after(run)

    case = Case.objects.get()
    assert (run.state, states(run)) == ("failed", "done done done failed waiting")
    assert "The workflow says no." in run.response
    assert run.steps[3]["note"] == "HTTP 400"
    assert ExternalIssue.objects.get().state == "cancelled"
    assert case.archived_at is not None
    assert not Attachment.objects.exists()


def test_it_breaks_no_rule(run, jira):
    rule = RuleFactory(target="jira", project_id=run.rule["project_id"], enabled=True)
    TestRun.objects.update(rule=run.rule | {"id": str(rule.pk)})
    jira.faults.answer(CREATE, 400, {"errorMessages": [], "errors": {"project": "Gone."}})

    after(run)

    assert run.state == "failed"
    assert Rule.objects.get().enabled


def test_it_waits_for_a_jira_that_is_busy_for_a_moment(run, jira):
    jira.faults.throttle(CREATE, retry_after="1")

    assert after(run).state == "passed"
    assert len(jira.issues("SEC")) == 1


def test_it_looks_for_the_issue_when_jira_did_not_say(run, jira, place):
    jira.faults.reset(CREATE, stage="after")

    after(run)
    assert (run.state, run.steps[3]["state"]) == ("running", "running")
    assert "Jira did not answer in time" in test_runs.waits_for(run)
    ExternalIssue.objects.update(not_before=timezone.now())
    deliver_due()

    assert after(run).state == "passed"
    assert [issue.key for issue in jira.issues("SEC")] == [ExternalIssue.objects.get().issue_key]


def test_it_rings_when_the_issue_was_found(run, jira, monkeypatch):
    jira.faults.reset(CREATE, stage="after")
    after(run)
    rung: list[object] = []
    monkeypatch.setattr(test_runs, "enqueue", lambda *said: rung.append(said))
    TestRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    run.refresh_from_db()

    test_runs.look_after(run)
    assert rung == []

    ExternalIssue.objects.update(not_before=timezone.now())
    deliver_due()
    test_runs.look_after(run)
    assert rung == [("automation.tasks.run_test", str(run.pk))]


@pytest.mark.parametrize("at", ["_create", "_deliver", "_link", "end"])
def test_it_makes_one_issue_wherever_its_worker_dies(run, jira, monkeypatch, at):
    def die(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(test_steps, at, die)
        with pytest.raises(MemoryError):
            test_steps.carry_on(run.pk)

    assert after(run).state == "passed"
    assert len(jira.issues("SEC")) == 1


def test_it_leaves_a_finding_that_was_ticketed_meanwhile(run, jira, place, editor):
    theirs = open_manual_case([run.finding_id], project=place.project, actor=editor)

    after(run)

    assert run.state == "failed"
    assert "SEC-1 was created, but the finding got another ticket" in run.reason
    assert Attachment.objects.get().case == theirs


def test_it_keeps_the_issue_when_it_is_detached(run, jira, editor):
    after(run)

    assert test_runs.detach(run, actor=editor)

    case = Case.objects.get()
    assert issue_of(case).issue_key == "SEC-1"
    assert len(jira.issues("SEC")) == 1
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("at", ["_check", "_create", "_deliver", "_link", "end"])
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_it_makes_one_issue_when_another_worker_runs_it_meanwhile(
    run, jira, monkeypatch, at, first
):
    own = getattr(test_steps, at)

    def together(*said: object, **more: object) -> None:
        monkeypatch.setattr(test_steps, at, own)
        if first:
            test_steps.carry_on(run.pk)
        own(*said, **more)
        if not first:
            test_steps.carry_on(run.pk)

    monkeypatch.setattr(test_steps, at, together)

    assert after(run).state == "passed"
    assert (len(jira.issues("SEC")), Case.objects.count()) == (1, 1)
