"""A report comes in again and again: its findings go and return, and their cases follow."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, FindingEvent, Import, Scope
from tests.flows.test_hostile_death import DatabaseGone, dying_at
from ticketing.models import Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(monkeypatch, django_capture_on_commit_callbacks):
    """`take(3, without=1)` imports a Semgrep report and does what was rung for; `unread` is a file
    that Semgrep could not parse, and `ok` whether its run succeeded."""
    monkeypatch.setattr("config.lib.tasks.async_task", lambda path: import_string(path)())

    def run(
        number: int, *, without: int | None = None, unread: int | None = None, ok: bool = True
    ) -> Import:
        results = [_result(n) for n in range(number) if n not in (without, unread)]
        errors = [] if unread is None else [_unread(unread)]
        invocation = {"executionSuccessful": ok, "toolExecutionNotifications": errors}
        run = {"tool": {"driver": {"name": "Semgrep"}}, "results": results}
        run["invocations"] = [invocation]
        content = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
        with django_capture_on_commit_callbacks(execute=True):
            return import_report([content], ImportOptions(source="ci", scope="shop"))

    return run


def _result(number: int) -> dict:
    place = {"artifactLocation": {"uri": f"app/{number}.py"}, "region": {"startLine": 7}}
    return {
        "ruleId": "eval",
        "level": "error",
        "message": {"text": f"Problem {number}"},
        "locations": [{"physicalLocation": place}],
    }


def _unread(number: int) -> dict:
    place = {"artifactLocation": {"uri": f"app/{number}.py"}}
    error = {"level": "error", "message": {"text": "Syntax error"}}
    return error | {"locations": [{"physicalLocation": place}]}


def _counts(run: Import) -> tuple[int, ...]:
    return run.new, run.seen_again, run.reopened, run.resolved


def test_a_report_goes_round(make_rule, take):
    make_rule(types=["static_code_vulnerability"])
    assert _counts(take(4)) == (4, 0, 0, 0)
    before = {each["id"]: each for each in Finding.objects.values()}
    assert _counts(take(4)) == (0, 4, 0, 0)
    for each in Finding.objects.values():
        assert each == before[each["id"]]
    assert _counts(take(4, without=1)) == (0, 3, 0, 1)
    gone = Finding.objects.get(status="auto_closed")
    assert sorted(Case.objects.values_list("status", flat=True)) == [
        "CLOSED",
        "OPEN",
        "OPEN",
        "OPEN",
    ]
    assert Case.objects.get(status="CLOSED").key == gone.ticket_key
    assert _counts(take(4)) == (0, 3, 1, 0)
    assert set(Case.objects.values_list("status", flat=True)) == {"OPEN"}
    assert Finding.objects.get(pk=gone.pk).status == "open"
    assert Case.objects.count() == 4


def test_a_ticket_stays_open_while_its_file_cannot_be_read(make_rule, take):
    make_rule(types=["static_code_vulnerability"])
    take(4)
    unread = Finding.objects.get(resource_id="app/1.py").ticket_key
    fixed = Finding.objects.get(resource_id="app/2.py").ticket_key
    assert _counts(take(4, without=2, unread=1)) == (0, 2, 0, 1)
    assert list(Case.objects.filter(status="CLOSED").values_list("key", flat=True)) == [fixed]
    assert _counts(take(4, without=1, ok=False)) == (0, 2, 1, 0)  # what returns opens all the same
    assert not Case.objects.filter(status="CLOSED").exists()
    assert _counts(take(4, without=1)) == (0, 3, 0, 1)
    assert list(Case.objects.filter(status="CLOSED").values_list("key", flat=True)) == [unread]
    assert _counts(take(4)) == (0, 3, 1, 0)
    assert set(Case.objects.values_list("status", flat=True)) == {"OPEN"}
    assert Case.objects.count() == 4


def test_a_report_that_comes_again_costs_as_much_whatever_its_size(take):
    costs = []
    for number in (5, 500):
        take(number)
        with CaptureQueriesContext(connection) as spent:
            take(number)
        costs.append(len(spent))
    assert costs[0] == costs[1]


def _report(*numbers: int) -> bytes:
    run = {"tool": {"driver": {"name": "Semgrep"}}, "results": [_result(n) for n in numbers]}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


@pytest.mark.django_db(transaction=True)
def test_a_report_that_dies_at_any_statement_is_completed_by_sending_it_again():
    sent, deaths = ImportOptions(source="ci", scope="shop"), 0
    for statement in range(60):
        import_report([_report(0, 1, 2, 3, 4, 5)], sent)
        deaths += _dies(_report(0, 1, 2, 3, 6), sent, at=statement)
        import_report([_report(0, 1, 2, 3, 6)], sent)
        gone = list(Finding.objects.filter(status="auto_closed").order_by("pk"))
        assert [each.resource_id for each in gone] == ["app/4.py", "app/5.py"]
        events = FindingEvent.objects.values_list("finding", flat=True)
        assert sorted(events) == [each.pk for each in gone], f"statement {statement}"
        assert Finding.objects.count() == 7
        for model in (FindingEvent, Finding, Import, Scope):
            model.objects.all().delete()
    assert 20 < deaths < 60


def _dies(report: bytes, sent: ImportOptions, *, at: int) -> bool:
    try:
        with dying_at(at):
            import_report([report], sent)
    except DatabaseGone:
        return True
    return False


@pytest.mark.django_db(transaction=True)
def test_reports_of_one_scope_at_once_close_nothing_that_the_later_one_holds():
    if connection.vendor == "sqlite":
        pytest.skip("threads share one connection to SQLite's memory")
    sent, together = ImportOptions(source="ci", scope="shop"), Barrier(4)
    import_report([_report(*range(100))], sent)

    def send(sender: int) -> None:
        together.wait()
        try:
            for turn in range(5):
                import_report([_report(*range(60 + sender + turn))], sent)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    import_report([_report(*range(60))], sent)
    open_ones = Finding.objects.filter(status="open").values_list("resource_id", flat=True)
    assert set(open_ones) == {f"app/{number}.py" for number in range(60)}
    assert Finding.objects.count() == 100
