"""Old rows are deleted at night, in chunks; what holds a promise or explains something stays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.models import Decision, TestRun
from automation.pipeline import evaluate_all
from config.accounts.models import AuditEvent
from config.lib.retention import row_kinds
from config.runtime.models import Retention
from config.runtime.retention import nightly
from config.runtime.retention.nightly import delete_old_rows
from findings.facts import Status
from findings.models import Finding, FindingEvent
from findings.services import assign, change_status
from tests.factories import ExternalIssueFactory, FindingFactory, JiraAccountFactory
from tests.together import done_by_two_at_once
from ticketing.models import Attempt, BulkRun, Case, RequestHour, WebhookEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _may_delete_few_at_once(monkeypatch):
    monkeypatch.setattr(nightly, "FEW", 3)


@pytest.fixture
def hours(db):
    """`hours(3, days=100)`: requests of three hours, so many days ago."""
    account = JiraAccountFactory()

    def make(number, *, days):
        hour = timezone.now().replace(minute=0) - timedelta(days=days)
        RequestHour.objects.bulk_create(
            RequestHour(account=account, hour=hour + timedelta(hours=n)) for n in range(number)
        )

    return make


@pytest.fixture
def decided(frozen, make_rule, report):
    """Two findings that were decided three times each: the first time without a rule, then one is
    over the limit of a rule that has ticketed the other, and at last both are."""
    report(2)
    evaluate_all()
    make_rule(limit=1)
    for _ in range(2):
        frozen.shift(timedelta(days=1))
        pks = list(Finding.objects.filter(ticket__in=["none", "over_limit"]).values_list("pk"))
        change_status([pk for (pk,) in pks], status=Status.RESOLVED, actor=None)
        report(2)
        evaluate_all()
    assert Decision.objects.count() == 5


def run(*names, force=True):
    """A night, whatever happened in it before."""
    while not delete_old_rows(only=names, is_forced=force):
        pass


def test_it_keeps_the_last_decision_and_what_explains_a_ticket(decided, frozen):
    last = {
        finding: Decision.objects.filter(finding=finding).order_by("-pk").first()
        for finding in Finding.objects.all()
    }
    frozen.shift(timedelta(days=400))
    run("decisions")
    assert set(Decision.objects.all()) == set(last.values())
    assert Case.objects.filter(origin="rule").count() == 2
    assert not list(violations())


def test_it_deletes_what_is_over_and_keeps_what_is_not(frozen, editor, hours, report):
    account = JiraAccountFactory()
    issue, waiting = ExternalIssueFactory(state="cancelled"), ExternalIssueFactory()
    report(1)
    [finding] = Finding.objects.all()
    for days in (900, 10, 1):  # on each of these days ago
        at = timezone.now() - timedelta(days=days)
        frozen.move_to(at)
        hours(1, days=0)
        WebhookEvent.objects.create(account=account, identifier=f"{days}")
        for each in (issue, waiting):
            Attempt.objects.create(issue=each, operation="create")
        BulkRun.objects.create(deed="mute", actor=editor, state="done", finished_at=at)
        BulkRun.objects.create(deed="mute", actor=editor)
        TestRun.objects.create(rule={}, finding=finding, state="passed")
        assign([finding.pk], assignee=editor, actor=editor)
        if days == 900:
            change_status([finding.pk], status=Status.IN_PROGRESS, actor=editor)
        frozen.move_to(at + timedelta(days=days))
    run()
    left = {
        WebhookEvent: ["1"],
        RequestHour: [1, 2],
        Attempt: [0, 1, 2, 3, 4],  # all of the one that waits
        BulkRun: [0, 1, 2, 3, 4],  # all that are at work
        TestRun: [0, 1],
        FindingEvent: ["assigned", "assigned", "status"],  # the last of a kind, however old
    }
    assert {model: model.objects.count() for model in left} == {m: len(v) for m, v in left.items()}
    assert WebhookEvent.objects.get().identifier == "1"
    assert set(issue.tries.values_list("outcome")) == {("",)}
    assert issue.tries.count() == 2
    assert Retention.objects.get(pk="request_hours").rows == 2


def test_zero_days_keep_everything_and_shorter_ones_are_refused(hours, settings):
    hours(5, days=4000)
    settings.RETENTION_DAYS = {"request_hours": 0}
    run()
    assert RequestHour.objects.count() == 5
    settings.RETENTION_DAYS = {"decisions": 5, "decision": 400, "audit_events": 9, "attempts": -1}
    assert [error.id for error in run_checks() if "RETENTION_DAYS" in error.msg] == ["fa.E020"] * 4


def test_it_goes_on_where_it_was_killed(hours, monkeypatch):
    """Between two chunks, each of which is a transaction."""
    kind = next(kind for kind in row_kinds() if kind.name == "request_hours")
    hours(10, days=100)
    hours(2, days=1)
    real, calls = nightly._delete_some, []
    object.__setattr__(kind, "chunk", 4)

    def die(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(nightly, "_delete_some", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            run("request_hours")
        assert RequestHour.objects.count() == 8
        run("request_hours", force=False)
    finally:
        object.__setattr__(kind, "chunk", 1_000)
    assert RequestHour.objects.count() == 2
    state = Retention.objects.get(pk="request_hours")
    assert (state.deleted, state.rows, state.is_done) == (10, 2, True)


def test_a_clock_a_year_ahead_deletes_nothing(hours, frozen, capsys):
    for days in range(0, 80, 2):
        hours(1, days=days)
    run("request_hours", force=False)
    assert RequestHour.objects.count() == 40

    frozen.shift(timedelta(days=365))
    with pytest.raises(CommandError, match="40 of 40 rows would be too old at once"):
        call_command("delete_old_rows", "--only", "request_hours")
    assert RequestHour.objects.count() == 40
    call_command("delete_old_rows", "--dry-run", "--only", "request_hours")
    assert "40 of 40 rows older than 90 days would go" in capsys.readouterr().out

    frozen.shift(timedelta(days=-364))  # the next day, by the right clock
    run("request_hours", force=False)
    assert Retention.objects.get(pk="request_hours").is_done
    assert RequestHour.objects.count() == 40

    frozen.shift(timedelta(days=365))
    call_command("delete_old_rows", "--only", "request_hours", "--force")
    assert not RequestHour.objects.exists()
    assert AuditEvent.objects.get(category="retention").details == {"kinds": ["request_hours"]}


def test_rows_of_a_clock_that_was_ahead_hide_none_behind_them(hours, monkeypatch):
    kind = next(kind for kind in row_kinds() if kind.name == "request_hours")
    hours(3, days=-300)
    hours(5, days=100)
    object.__setattr__(kind, "chunk", 2)
    try:
        run("request_hours")
    finally:
        object.__setattr__(kind, "chunk", 1_000)
    assert RequestHour.objects.count() == 3


def test_a_night_is_once_and_then_costs_a_statement(hours):
    run(force=False)
    hours(3, days=100)
    with CaptureQueriesContext(connection) as statements:
        assert delete_old_rows()
    assert len(statements) == 1
    assert RequestHour.objects.count() == 3


def test_one_kind_that_fails_stops_no_other(hours, monkeypatch):
    real = nightly._begin

    def begin(kind, *args, **options):
        if kind.name == "decisions":
            raise ValueError("strange")
        return real(kind, *args, **options)

    monkeypatch.setattr(nightly, "_begin", begin)
    hours(3, days=100)
    with pytest.raises(ExceptionGroup):
        run(force=False)
    assert not RequestHour.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_delete_each_once(hours, monkeypatch):
    monkeypatch.setattr(nightly, "FEW", 100)
    hours(10, days=100)
    hours(1, days=1)
    assert done_by_two_at_once(lambda: run("request_hours", force=False)) == ["done", "done"]
    assert Retention.objects.get(pk="request_hours").deleted == 10
    assert RequestHour.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_deletes_while_rules_decide(decided, frozen, report):
    frozen.shift(timedelta(days=400))
    report(5, prefix="new")
    acts = [evaluate_all, lambda: run("decisions", force=False)]
    done = done_by_two_at_once(lambda: acts.pop()() and None)
    assert done == ["done", "done"]
    assert not list(violations())


def test_its_page_says_what_is_kept_and_what_is_held(hours, frozen, as_user, admin, editor):
    for days in range(0, 80, 2):
        hours(1, days=days)
    run(force=False)
    frozen.shift(timedelta(days=365))
    run(force=False)
    page = as_user(admin).get("/settings/retention").content.decode()
    assert "40 of 40 rows would be too old at once" in page
    assert "Requests to Jira, by hour" in page
    assert as_user(editor).get("/settings/retention").status_code == 403


def test_its_page_counts_what_it_names(hours, as_user, admin):
    hours(2, days=3)
    findings = FindingFactory.create_batch(4)
    change_status([findings[0].pk], status=Status.RESOLVED, actor=None)
    client = as_user(admin)  # a session: it ends in days to come
    assert delete_old_rows()
    page = client.get("/settings/retention").content.decode()
    rows = {
        cells[0]: cells[2:4]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.S)
        if (cells := [re.sub(r"<p.*?</p>|<[^>]+>", "", c).strip() for c in _CELL.findall(row)])
    }
    today = timezone.now()
    day = f"{today.day} {today:%b %Y}"
    assert rows["Resolved findings"] == ["1", day]
    assert rows["Requests to Jira, by hour"][0] == "2"
    assert rows["Sessions"] == ["1", "–"]


_CELL = re.compile(r"<td.*?</td>", re.S)
