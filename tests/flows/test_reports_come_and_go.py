"""A report comes in again and again: its findings go and return, and their cases follow."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from findings.imports import Sent, import_report
from findings.models import Finding, Import
from ticketing.models import Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(monkeypatch, django_capture_on_commit_callbacks):
    """`take(3, without=1)` imports a Bandit-like report and does what was rung for."""
    monkeypatch.setattr("config.lib.tasks.async_task", lambda path: import_string(path)())

    def run(number: int, *, without: int | None = None) -> Import:
        results = [_result(n) for n in range(number) if n != without]
        run = {"tool": {"driver": {"name": "Semgrep"}}, "results": results}
        content = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
        with django_capture_on_commit_callbacks(execute=True):
            return import_report([content], Sent(source="ci", scope="shop"))

    return run


def _result(number: int) -> dict:
    place = {"artifactLocation": {"uri": f"app/{number}.py"}, "region": {"startLine": 7}}
    return {
        "ruleId": "eval",
        "level": "error",
        "message": {"text": f"Problem {number}"},
        "locations": [{"physicalLocation": place}],
    }


def _counts(run: Import) -> tuple[int, ...]:
    return run.new, run.seen_again, run.reopened, run.resolved


def test_a_report_goes_round(make_rule, take):
    make_rule(types=["static_code_vulnerability"])
    assert _counts(take(4)) == (4, 0, 0, 0)
    before = {each["id"]: each for each in Finding.objects.values()}
    assert _counts(take(4)) == (0, 4, 0, 0)
    for each in Finding.objects.values():
        assert each == before[each["id"]] | {"last_seen_at": each["last_seen_at"]}
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


def test_a_report_that_comes_again_costs_as_much_whatever_its_size(take):
    costs = []
    for number in (5, 500):
        take(number)
        with CaptureQueriesContext(connection) as spent:
            take(number)
        costs.append(len(spent))
    assert costs[0] == costs[1]
