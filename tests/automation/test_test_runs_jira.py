"""Test Rule with a Jira that answers by real HTTP: one issue or none, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from msgspec import structs

from automation.engine.rules import RuleSpec
from automation.models import Rule, TestRun
from automation.rule_tests import execution, requests
from tests.desk import REQUIRED
from tests.factories import FindingFactory, ProjectFactory, RuleFactory, ticket_spec
from tests.jira_places import destination_at
from ticketing.delivery import deliver_due
from ticketing.issues import issue_of
from ticketing.models import Attachment, Case, Destination, ExternalIssue
from ticketing.outbox import left_out_of
from ticketing.services import open_manual_case
from ticketing.trackers.jira.sandbox.defaults import OF_AN_APP, SECURITY, SELECT

CREATE = r"POST .*/issue$"
READ = r"POST .*/issue/bulkfetch$"


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira) -> Destination:
    return destination_at(jira)


@pytest.fixture
def spec(place) -> RuleSpec:
    return ticket_spec(
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
    return requests.start(spec, finding, actor=editor)


def after(run: TestRun) -> TestRun:
    execution.carry_on(run.pk)
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


@pytest.fixture
def run_at_desk(spec, editor, place, jira):
    """A test in a space that requires what few ask for."""

    def start(fields) -> TestRun:
        desk = destination_at(
            jira, space="DESK", account=place.account, project=ProjectFactory(key="DESK")
        )
        finding = FindingFactory(finding_type="secret", title="Key in code")
        rule = replace(
            spec,
            action=structs.replace(spec.action, project_id=desk.project_id, fields=fields),
        )
        return requests.start(rule, finding, actor=editor)

    return start


def test_it_passes_where_jira_asks_for_what_we_do_not_know(run_at_desk, jira):
    run = after(run_at_desk(REQUIRED | {"customfield_10012": "{{@no.score}}"}))

    [there] = jira.issues("DESK")
    assert (run.state, run.reason) == ("passed", "")
    assert {name: there.fields[name] for name in REQUIRED} == REQUIRED | {
        SECURITY.id: REQUIRED[SECURITY.id]["id"]  # as the sandbox keeps it
    }
    issue = ExternalIssue.objects.get()
    assert left_out_of(issue) == "Left out: CVSS score (the finding has no value for it)."


def test_it_names_the_field_whose_value_jira_does_not_take(run_at_desk):
    run = after(run_at_desk(REQUIRED | {OF_AN_APP.id: {"score": "high"}}))

    assert (run.state, run.field) == ("failed", OF_AN_APP.id)
    assert states(run) == "done done done failed waiting"
    assert run.reason == (
        "Field Risk does not take its value in DESK: Risk needs an object with a numeric score."
    )


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
    rule = RuleFactory(target="jira", project_id=run.rule["action"]["project_id"], enabled=True)
    TestRun.objects.update(rule=run.rule | {"id": str(rule.pk)})
    jira.faults.answer(CREATE, 400, {"errorMessages": [], "errors": {"project": "Gone."}})

    after(run)

    assert run.state == "failed"
    assert Rule.objects.get().enabled


def test_it_waits_for_a_jira_that_is_busy_for_a_moment(run, jira):
    jira.faults.throttle(CREATE, retry_after="1")

    assert after(run).state == "passed"
    assert len(jira.issues("SEC")) == 1


def test_it_finds_the_issue_at_once_when_only_the_answer_was_lost(run, jira):
    jira.faults.reset(CREATE, stage="after")

    assert after(run).state == "passed"
    assert [issue.key for issue in jira.issues("SEC")] == [ExternalIssue.objects.get().issue_key]


def test_it_looks_for_the_issue_when_jira_did_not_say(run, jira, place):
    jira.faults.reset(CREATE, stage="after")
    jira.faults.answer(READ, 503)

    after(run)
    assert (run.state, run.steps[3]["state"]) == ("running", "running")
    assert "Jira did not answer in time" in requests.waits_for(run)
    ExternalIssue.objects.update(not_before=timezone.now())
    deliver_due()

    assert after(run).state == "passed"
    assert [issue.key for issue in jira.issues("SEC")] == [ExternalIssue.objects.get().issue_key]


def test_it_rings_when_the_issue_was_found(run, jira, monkeypatch):
    jira.faults.reset(CREATE, stage="after")
    jira.faults.answer(READ, 503)
    after(run)
    rung: list[object] = []
    monkeypatch.setattr(requests, "enqueue", lambda *said: rung.append(said))
    TestRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    run.refresh_from_db()

    requests.look_after(run)
    assert rung == []

    ExternalIssue.objects.update(not_before=timezone.now())
    deliver_due()
    requests.look_after(run)
    assert rung == [("automation.tasks.run_test", str(run.pk))]


@pytest.mark.parametrize("at", ["_create", "_deliver", "_link", "end"])
def test_it_makes_one_issue_wherever_its_worker_dies(run, jira, monkeypatch, at):
    def die(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(execution, at, die)
        with pytest.raises(MemoryError):
            execution.carry_on(run.pk)

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

    assert requests.detach(run, actor=editor)

    case = Case.objects.get()
    assert issue_of(case).issue_key == "SEC-1"
    assert len(jira.issues("SEC")) == 1
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("at", ["_check", "_create", "_deliver", "_link", "end"])
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_it_makes_one_issue_when_another_worker_runs_it_meanwhile(
    run, jira, monkeypatch, at, first
):
    own = getattr(execution, at)

    def together(*said: object, **more: object) -> None:
        monkeypatch.setattr(execution, at, own)
        if first:
            execution.carry_on(run.pk)
        own(*said, **more)
        if not first:
            execution.carry_on(run.pk)

    monkeypatch.setattr(execution, at, together)

    assert after(run).state == "passed"
    assert (len(jira.issues("SEC")), Case.objects.count()) == (1, 1)
