"""The explorer's columns: any tag or attribute, hidden where they are empty, and in the file."""

from __future__ import annotations

import csv
import gzip
from io import StringIO
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from findings.explorer.columns import COLUMNS, MAX_COLUMNS, columns_named, named
from findings.facts import FindingType
from tests.factories import FindingFactory
from tests.html_tree import tree

LIST = "/findings"
GRPCIO = {
    "advisory": {"id": "GHSA-1", "cve": ["CVE-2023-4785"]},
    "package": {"name": "grpcio", "fixed_version": "1.53.2", "ecosystem": "pip"},
    "cvss": 7.50,
    "vulnerability": {"epss": 0.021},
    "rule": {"id": "R1"},
}


@pytest.fixture
def page(as_user, viewer):
    """`page(cols="cve")`: what the explorer shows to a viewer."""

    def get(**params):
        return as_user(viewer).get(f"{LIST}?{urlencode(params)}")

    return get


def heads(answer) -> list[str]:
    return [head.column.name for head in answer.context["table"].heads]


def cells(answer) -> list[list[str]]:
    rows = answer.context["table"].rows
    return [[value.text for cell in row.cells for value in cell.values] for row in rows]


def titles(answer) -> list[str]:
    return [row.finding.title for row in answer.context["table"].rows]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cve", ["CVE-2023-4785"]),
        ("package", ["grpcio"]),
        ("fix", ["1.53.2"]),
        ("cvss", ["7.5"]),
        ("epss", ["0.021"]),
        ("rule", ["R1"]),
        ("resource", ["api"]),
        ("source", ["scanner"]),
        ("tag:env", ["prod", "stage"]),
        ("tag:a,b", ["c"]),
        ("@package.ecosystem", ["pip"]),
        ("@package", ['{"name": "grpcio", "fixed_version": "1.53.2", "ecosystem": "pip"}']),
        ("@advisory.cve", ["CVE-2023-4785"]),
        ("@resource_type", ["host"]),
        ("@is_in_security_inbox", ["false"]),
    ],
)
def test_a_column_says_what_the_finding_has(page, frozen, name, said):
    FindingFactory(
        attributes=GRPCIO,
        tags=["env:prod", "env:stage", "a,b:c"],
        resource_name="api",
        resource_type="host",
    )

    answer = page(cols=named([name]))

    assert cells(answer)[0] == said if name != "@package" else len(cells(answer)[0]) == 1
    assert heads(answer) == [name]


@pytest.mark.parametrize("names", [["tag:a,b", "tag:c%d", "@x.y", "status"], list(COLUMNS)])
def test_an_address_names_columns_in_their_order(names):
    assert list(columns_named(named(names))) == names[:MAX_COLUMNS]


def test_columns_that_are_empty_on_the_page_hide_and_say_so(page):
    FindingFactory(tags=["env:prod"])

    answer = page(cols="assignee,tag:env,tag:nobody", sort="due")

    assert heads(answer) == ["tag:env", "due"]  # of the order, though nothing is due
    menu = " ".join(tree(answer.content.decode()).text.split())
    assert "Assignee empty on this page" in menu
    assert "nobody empty on this page" in menu


@pytest.mark.parametrize(
    "name",
    [
        *("nonsense", "tag:", "@", "tag:a b", "@a..b", '@a"b', "@description", "tag:" + "x" * 201),
        *("@workflow.due_date.is_overdue", "@" + ".".join("a" * 21), "'; DROP TABLE x --"),
    ],
)
def test_what_is_no_column_is_left_out(page, name):
    FindingFactory()

    assert heads(page(cols=f"{quote(name)},status")) == ["status"]


def test_any_name_is_only_a_name(page):
    evil = ["tag:<script>alert(1)</script>", "tag:\0", "tag:';--", "@<img/src=x>", "tag:&amp"]
    FindingFactory(tags=["<script>alert(1)</script>:<b>x</b>", "�:y"])

    answer = page(cols=named(evil))

    assert cells(answer) == [["<b>x</b>", "y"]]
    body = answer.content.decode()
    assert "<script>alert" not in body
    assert "<b>x" not in body
    assert "<img" not in body


def test_forty_columns_are_twenty(page):
    names = [f"tag:k{nth}" for nth in range(40)]
    FindingFactory(tags=[f"k{nth}:{nth}" for nth in range(40)])

    answer = page(cols=named(names))

    assert heads(answer) == names[:MAX_COLUMNS]
    assert "20 columns at most" in answer.content.decode()


def test_long_values_and_many_keys_cost_little(page):
    long = "x" * 10_000
    for nth in range(50):
        FindingFactory(tags=[f"note:{long}{nth}"], attributes={f"k{nth}": long})

    body = page(cols="tag:note,tags,status").content

    assert long[:501].encode() not in body
    assert len(gzip.compress(body)) < 25_000


@pytest.mark.parametrize(
    ("cols", "value"),
    [
        ("type", "Host Vulnerability"),
        ("status", "open"),
        ("owner", "x y"),
        ("cve", "CVE-1"),
        ("resource", "db (main)"),
        ("cvss", "9.8"),
        ("tags", 'quote:a "b" \\c'),
        ("@nested.list", "two"),
        ("@flag", "true"),
    ],
)
@pytest.mark.parametrize("before", ["", "a:b OR c:d"])
def test_a_value_finds_all_that_have_it_and_nothing_else(page, cols, value, before):
    FindingFactory(
        title="This",
        finding_type=FindingType.HOST_AND_CONTAINER,
        tags=["service:x y", 'quote:a "b" \\c', "c:d"],
        attributes={"cve": "CVE-1", "cvss": 9.8, "nested": {"list": ["one", "two"]}, "flag": True},
        resource_name="db (main)",
    )
    FindingFactory(title="Other", status="resolved", tags=["c:d"])

    table = tree(page(cols=cols, q=before).content.decode())
    said = [a.attributes for a in table.all("a", class_="v") if a.attributes["title"] == value]

    query, term = params_of(said[0]["href"]), said[0]["data-term"]
    assert titles(page(**query)) == ["This"]
    query["q"] = f"{query['q'].removesuffix(term)}-{term}"  # as the menu excludes it
    assert titles(page(**query)) == ["Other"]


def params_of(href) -> dict[str, str]:
    return dict(parse_qsl(href.partition("?")[2]))


@pytest.mark.parametrize(
    ("typed", "column"),
    [
        ("CVSS", "cvss"),
        ("cost-center", "tag:cost-center"),
        ("tag:env", "tag:env"),
        (" @package.name ", "@package.name"),
        ("status", None),  # it is there
    ],
)
def test_one_may_type_a_column(page, typed, column):
    answer = page(q="env:prod", cols="status", add=typed)

    assert answer.status_code == 302
    names = ["status", *([column] if column else [])]
    assert params_of(answer["Location"]) == {"q": "env:prod", "cols": named(names)}


@pytest.mark.parametrize("typed", ["", "a b", "\0 x", "x" * 400])
def test_it_says_what_cannot_be_a_column(page, as_user, viewer, typed):
    FindingFactory()
    answer = as_user(viewer).get(f"{LIST}?{urlencode({'add': typed})}", follow=True)

    assert "is neither a tag nor an attribute" in answer.content.decode()


def test_it_suggests_what_most_findings_have_first(as_user, viewer):
    FindingFactory.create_batch(3, tags=["env:prod"], attributes={"cvss": 1, "package": {"a": "b"}})
    FindingFactory(tags=[f"rare{nth}:x" for nth in range(10_000)])

    body = as_user(viewer).get("/explorer/columns").content.decode()

    assert body.count("<option") == 50 + 2
    assert body.strip().startswith('<option value="tag:env">3 findings</option>')
    assert 'value="@package.a"' in body


def test_the_file_has_the_columns_of_the_table(as_user, viewer):
    FindingFactory(tags=["Severity:=1+1"], attributes=GRPCIO)
    address = f"/explorer/export?cols={quote(named(['cvss', 'tag:Severity', '@package', 'cve']))}"
    text = b"".join(as_user(viewer).get(address).streaming_content).decode("utf-8-sig")

    [line] = csv.DictReader(StringIO(text))

    assert list(line)[4:] == ["CVSS", "tag:Severity", "@package", "CVE"]
    assert line["Severity"] == "high"
    assert (line["tag:Severity"], line["CVSS"], line["CVE"]) == ("'=1+1", "7.5", "CVE-2023-4785")


def test_columns_and_rows_take_no_statements(as_user, viewer):
    counts = []
    for rows, cols in ((2, "status"), (30, ",".join(COLUMNS)), (5, "tag:a,@b.c,@ticket.key")):
        FindingFactory.create_batch(rows, tags=["a:x"], attributes=GRPCIO)
        client = as_user(viewer)
        with CaptureQueriesContext(connection) as statements:
            client.get(f"{LIST}?cols={cols}")
        counts.append(len(statements))

    assert len(set(counts)) == 1
