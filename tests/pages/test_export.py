from __future__ import annotations

import csv
from io import StringIO

import pytest

from config.lib.statement_timeout import QueryTimeout
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


@pytest.mark.parametrize(
    "evil",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\n=1", "\u00a0=1", "\u200b=1"),
        *("＝1", "＋1", "－1", "＠A", "﹦1", "\N{MINUS SIGN}1"),
    ],
)
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


def test_it_refuses_a_third_file_until_one_of_two_is_sent(as_user, viewer, admin):
    client = as_user(viewer)
    under_way = [client.get(FILE) for _ in range(2)]
    refused = client.get(FILE)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many exports of yours are running at once" in refused.content.decode()
    under_way += [as_user(admin).get(FILE)]
    b"".join(under_way[0].streaming_content)  # the client closes what was read to its end
    under_way += [client.get(FILE)]
    assert [answer.status_code for answer in under_way] == [200] * 4
    for answer in under_way[1:]:
        b"".join(answer.streaming_content)


def test_it_refuses_what_is_too_much_for_one_file(as_user, viewer, monkeypatch):
    monkeypatch.setattr("config.lib.exports.MAX_BYTES", 100)
    FindingFactory()
    for _ in range(3):  # each gives its place back
        refused = as_user(viewer).get(FILE)
        assert refused.status_code == 422
        assert "The file would be larger" in refused.content.decode()


def test_it_sends_no_part_of_a_file_when_a_later_batch_takes_too_long(as_user, viewer, monkeypatch):
    monkeypatch.setattr("findings.explorer.export.AT_ONCE", 2)
    FindingFactory.create_batch(5)
    batches = []

    def read(batch, **how):
        batches.append(batch)
        if len(batches) % 2:
            return list(batch)
        raise QueryTimeout

    monkeypatch.setattr("findings.explorer.pages._read", read)
    for _ in range(3):  # each gives its place back
        refused = as_user(viewer).get(FILE)
        assert refused.status_code == 503
        assert "The database did not answer in time, so there is no file." in (
            refused.content.decode()
        )


def test_it_gives_its_place_back_after_a_fault(as_user, viewer, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("findings.explorer.export.harmless", None)
        FindingFactory()
        client = as_user(viewer)
        client.raise_request_exception = False
        for _ in range(3):
            assert client.get(FILE).status_code == 500
    answer = as_user(viewer).get(FILE)
    assert answer.status_code == 200
    b"".join(answer.streaming_content)


def test_it_exports_any_number_with_the_same_statements(
    as_user, viewer, django_assert_max_num_queries
):
    client = as_user(viewer)

    def statements(number: int) -> int:
        FindingFactory.create_batch(number)
        with django_assert_max_num_queries(13) as counted:
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
