from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from findings.facts import Severity
from tests.factories import FindingFactory

FILE = "/explorer/export"


@pytest.fixture
def export(as_user, viewer):
    """`export("q=env:prod")`: the lines of the file as dictionaries."""

    def get(query=""):
        answer = as_user(viewer).get(f"{FILE}?{query}")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(StringIO(text)))

    return get


def test_it_exports_what_the_search_finds_in_its_order(export):
    FindingFactory(title="Low", severity="low", tags=["env:prod", "team:web"])
    FindingFactory(title="High", severity="high", tags=["env:prod"])
    FindingFactory(title="Elsewhere", tags=["env:dev"])

    lines = export("q=env:prod")

    assert [line["Finding"] for line in lines] == ["High", "Low"]
    assert lines[1]["Team"] == "web"
    assert lines[1]["Source"] == "scanner"


def test_it_exports_the_columns_that_are_chosen(export):
    FindingFactory()

    assert list(export("cols=status,nonsense")[0]) == [
        *("Id", "Severity", "Finding", "Resource", "Status")
    ]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\n=1"])
def test_it_exports_no_formula(export, evil):
    FindingFactory(title=evil, resource_name=evil, tags=[f"team:{evil}"])

    [line] = export()

    assert [line["Finding"], line["Resource"], line["Team"]] == [f"'{evil}"] * 3


@pytest.mark.parametrize("sort", ["-severity", "severity", "first_seen", "-changed"])
def test_it_exports_each_finding_once_however_many_there_are(export, monkeypatch, sort):
    monkeypatch.setattr("findings.explorer.export.AT_ONCE", 3)
    monkeypatch.setattr("findings.explorer.pages.COUNTED", 5)
    for number in range(10):
        FindingFactory(title=f"F{number}", severity=list(Severity)[number % 3])

    lines = export(f"sort={sort}")

    assert sorted(line["Finding"] for line in lines) == [f"F{number}" for number in range(10)]
    ranks = [Severity(line["Severity"]).rank for line in lines]
    assert "severity" not in sort or ranks == sorted(ranks, reverse=sort == "-severity")


def test_it_reads_a_batch_only_when_the_last_one_was_taken(as_user, viewer, monkeypatch):
    monkeypatch.setattr("findings.explorer.export.AT_ONCE", 2)
    FindingFactory.create_batch(20)
    content = iter(as_user(viewer).get(FILE).streaming_content)
    next(content)  # the head

    with CaptureQueriesContext(connection) as statements:
        next(content)
    taken = len(statements)
    with CaptureQueriesContext(connection) as statements:
        next(content)
    assert taken <= 2
    assert len(statements) == 0


def test_it_exports_any_number_with_the_same_statements(
    as_user, viewer, django_assert_max_num_queries
):
    client = as_user(viewer)

    def statements(number: int) -> int:
        FindingFactory.create_batch(number)
        with django_assert_max_num_queries(10) as counted:
            b"".join(client.get(FILE).streaming_content)
        return len(counted)

    assert statements(2) == statements(40)


def test_it_shows_what_is_wrong_instead_of_a_file(as_user, viewer):
    answer = as_user(viewer).get(f"{FILE}?q=(")

    assert answer.headers["Location"] == "/findings?q=%28"


def test_it_exports_nothing_to_strangers(client, db):
    assert client.get(FILE).status_code == 302


def test_it_only_reads(as_user, viewer):
    assert as_user(viewer).post(FILE).status_code == 405
