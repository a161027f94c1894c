"""What the queue asks every few seconds costs the same however many issues there have been."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.bench.past_issues import past_issues
from tests.bench.queue_questions import questions

pytestmark = pytest.mark.django_db
ISSUES = "ticketing_externalissue"


@contextmanager
def statements():
    """The reads of issues, as they were sent: with their parameters beside them."""
    sent = []

    def execute(run, sql, params, many, context):
        if sql.startswith("SELECT") and ISSUES in sql:
            sent.append((sql, params))
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield sent


def plan(sql, params):
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_it_reads_no_issue_that_needs_nothing():
    issue = past_issues(3_000)
    asked = 0
    for ask in questions(issue).values():
        with statements() as sent:
            ask()
        for sql, params in sent:
            found = plan(sql, params)
            assert re.search("issue_act_at|issue_state|one_create_in_flight", found), found
            assert not re.search(f"(SCAN|Seq Scan on) {ISSUES}(?! USING)", found), found
            asked += 1
    assert asked >= 10
