from __future__ import annotations

import csv
from io import StringIO

import pytest

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
