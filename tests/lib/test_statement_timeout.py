"""Whatever reads for a person or a key ends in time, says so, and leaves the connection usable."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from django.contrib.messages import get_messages
from django.db import OperationalError, connection
from django.urls import reverse

from config import errors
from config.lib.statement_timeout import (
    QueryTimeout,
    is_timeout,
    request_timeout,
    statement_timeout,
)
from findings.explorer.search import Search
from findings.models import Finding
from findings.query.parse import parse
from tests.factories import FindingFactory, ProjectFactory

pytestmark = pytest.mark.django_db

SLOW = {
    "postgresql": "SELECT pg_sleep(20)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999999)"
    " SELECT count(*) FROM n",
}

BRIEF = {
    "postgresql": "SELECT pg_sleep(0.3)",
    "sqlite": SLOW["sqlite"].replace("99999999", "2000000"),
}


def sleep():
    with connection.cursor() as cursor:
        cursor.execute(SLOW[connection.vendor])
        cursor.fetchall()


def sleep_after_a_longer_time():
    with statement_timeout(20):
        Finding.objects.count()
    sleep()


@contextmanager
def slow_reads_of(table):
    """Every SELECT that begins at the table first keeps the database busy for many seconds."""
    busy = []

    def execute(run, sql, params, many, context):
        if f'FROM "{table}"' in sql and not busy:
            busy.append(sql)
            run(SLOW[connection.vendor], (), False, context)
            context["cursor"].fetchall()
            busy.clear()
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def test_it_ends_a_statement_and_leaves_the_connection_usable():
    began = time.monotonic()
    with pytest.raises(QueryTimeout), statement_timeout(0.2):
        sleep()
    assert time.monotonic() - began < 5
    assert Finding.objects.count() == 0


def test_it_ends_a_search_of_wildcard_words_also_where_our_functions_answer_it():
    FindingFactory.create_batch(60, description="word " * 2_000)
    words = " OR ".join(f"*a{n}*b?c*" for n in range(40))
    found = Search(parse(words).root).findings()
    with pytest.raises(QueryTimeout), statement_timeout(0.02):
        list(found)
    assert Finding.objects.count() == 60


def test_it_keeps_the_shorter_of_two_times_and_then_the_longer_one():
    began = time.monotonic()
    with statement_timeout(20):
        with pytest.raises(QueryTimeout), statement_timeout(0.1):
            sleep()
        assert Finding.objects.count() == 0
    with pytest.raises(QueryTimeout), statement_timeout(0.1):
        sleep_after_a_longer_time()
    assert time.monotonic() - began < 10


def test_it_times_nothing_after_it_in_the_same_transaction():
    with statement_timeout(0.1):
        Finding.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(BRIEF[connection.vendor])


@pytest.mark.django_db(transaction=True)
def test_it_times_a_request_and_nothing_after_it():
    with request_timeout(0.1), pytest.raises(OperationalError) as ended:
        sleep()
    assert is_timeout(ended.value)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)
        else:
            cursor.execute(BRIEF["sqlite"])


def give_up_soon(monkeypatch):
    for seconds in (
        "config.lib.statement_timeout.SECONDS",
        "findings.api.search_params.SECONDS",
        "findings.explorer.pages.EXPORT_SECONDS",
        "automation.preview.SECONDS",
    ):
        monkeypatch.setattr(seconds, 0.1)
    monkeypatch.setattr(errors, "PAGE_SECONDS", 0.1)


READS = [
    ("findings:finding-list", "findings_finding", "q=word"),
    ("command-palette", "findings_finding", "q=word"),
    ("ticketing:case-list", "ticketing_case", "q=word"),
    ("ticketing:case-list", "ticketing_case", "view=board"),
    ("automation:rule-list", "automation_rule", "q=word"),
    ("accounts:audit-log", "accounts_auditevent", ""),
    ("admin:findings_finding_changelist", "findings_finding", "q=word"),
    ("findings-api:finding-list", "findings_finding", "filter[query]=word"),
    ("/api/v2/cases/count", "ticketing_case", "query_filter=word"),
]
RULE = {"name": "New", "types": ["secret"], "query": "word", "severities": ["high"], "limit": "5"}
ALL_FOUND = {"whole": "yes", "search": "q=word", "run": "5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f"}
SEARCH = {"data": {"attributes": {"filter": "word"}}}
AGGREGATE = {
    "data": {
        "type": "aggregate",
        "attributes": {"query_filter": "word", "group_by": {"groups": ["status"], "limit": 1}},
    }
}
POSTS = [
    ("/rules/preview", "findings_finding", RULE, 200, "This preview takes too long"),
    ("/rules/test", "findings_finding", RULE, 422, "This search takes too long"),
    ("/bulk/new/mute", "findings_finding", ALL_FOUND, 200, "The database did not answer"),
    ("/bulk/new/ticket", "findings_finding", ALL_FOUND, 200, "The database did not answer"),
    ("/api/v2/security/findings/search", "findings_finding", SEARCH, 200, '"timeout"'),
    ("/api/v2/cases/aggregate", "ticketing_case", AGGREGATE, 503, "This takes too long"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("name", "table", "query"), READS)
def test_it_answers_503_and_goes_on(name, table, query, client, admin, monkeypatch):
    give_up_soon(monkeypatch)
    client.force_login(admin)
    url = f"{name if name.startswith('/') else reverse(name)}?{query}"
    with slow_reads_of(table):
        answer = client.get(url)
    assert answer.status_code == 503
    assert b"long" in answer.content or b"could not be loaded" in answer.content
    monkeypatch.undo()
    assert client.get(url).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "table", "sent", "status", "sentence"), POSTS)
def test_it_says_so_where_a_search_is_posted_and_goes_on(
    path, table, sent, status, sentence, client, admin, monkeypatch
):
    client.force_login(admin)
    sent = {**sent, "project": str(ProjectFactory().pk)} if sent is RULE else sent
    in_api = path.startswith("/api/")

    def said():
        kind = {"content_type": "application/json"} if in_api else {}
        answer = client.post(path, sent, headers={"HX-Request": "true"}, **kind)
        messages = "" if in_api else " ".join(map(str, get_messages(answer.wsgi_request)))
        return answer.status_code, answer.content.decode(), messages

    give_up_soon(monkeypatch)
    with slow_reads_of(table):
        answered, text, messages = said()
    assert (answered, sentence in text + messages) == (status, True)
    monkeypatch.undo()
    answered, text, _ = said()
    assert (answered < 400, sentence in text) == (True, False)
