from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Q

from findings.models import Finding
from findings.query.ast import Exact, Field, Root, Term
from findings.query.parse import parse
from findings.query.sql import condition
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db

HOSTILE = [
    *(
        "'",
        "''; DROP TABLE findings_finding; --",
        "%s",
        "%(a)s",
        "%%",
        "$1",
        ":a",
        '"',
        "\\",
        "\\'",
    ),
    *("[0]", '") || true ? (@ == "', "/*", "x' OR '1'='1", "\u2028", "{}", "${x}", "*", "?", "a.b"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_it_takes_hostile_text_for_text(text):
    tagged = FindingFactory(tags=[f"k:{text}"], title="t")
    attributed = FindingFactory(attributes={"k": text}, resource_name=text)
    FindingFactory(tags=["k:other"], attributes={"k": "other"})
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for query, expected in (
        (f"k:{quoted}", tagged),
        (f"@k:{quoted}", attributed),
        (f"@resource_name:{quoted}", attributed),
        (f"k:({quoted} OR nothing*)", tagged),
    ):
        assert list(Finding.objects.filter(condition(parse(query).root))) == [expected]


@pytest.mark.parametrize("text", HOSTILE)
def test_it_takes_a_hostile_path_for_a_path(text):
    finding = FindingFactory(attributes={text: "x"}, tags=[f"{text}:x"])
    path = Field(Root.ATTRIBUTE, text)
    found = Finding.objects.filter(condition(Term(path, Exact("x"))))
    assert list(found) == ([] if "." in text else [finding])
    key = Field(Root.TAG, text)
    assert list(Finding.objects.filter(condition(Term(key, Exact("x"))))) == [finding]


def test_it_holds_a_thousand_terms():
    finding = FindingFactory(tags=["n:999"])
    text = "n:(" + " OR ".join(map(str, range(1_000))) + ")"
    assert list(Finding.objects.filter(condition(parse(text).root))) == [finding]
    everything_else = " ".join(f"-n:{n}*" for n in range(1_000))
    assert not Finding.objects.filter(condition(parse(everything_else).root)).exists()


def test_it_holds_the_longest_terms():
    FindingFactory(tags=["k:" + "a" * 30_000])
    for text in (
        "k:" + "a" * 29_998,
        "k:" + "*a" * 400 + "b",
        "k:" + "=?" * 14_999,
        "a?" * 249 + "b",
    ):
        assert not Finding.objects.filter(condition(parse(text).root)).exists()
    assert Finding.objects.filter(condition(parse("@" + "a." * 49 + "a:b OR k:aa*").root)).exists()


def test_it_stands_beside_other_conditions():
    finding = FindingFactory(severity="low", tags=["team:payments"])
    FindingFactory(severity="high", tags=["team:payments"])
    team = condition(parse("team:payments").root)
    assert Finding.objects.filter(team, severity="low").get() == finding
    assert Finding.objects.filter(team).exclude(severity="high").get() == finding
    assert Finding.objects.filter(Q(team) & ~Q(severity="high")).get() == finding
    assert not Finding.objects.exclude(team).exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has these indexes")
@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("team:payments", "finding_tags"),
        ("env:(prod OR eu)", "finding_tags"),
        ("@advisory.cve:CVE-2024-6387", "finding_attributes"),
        ("@cvss:7.5", "finding_attributes"),
        ("@fixed:true", "finding_attributes"),
    ],
)
def test_it_answers_equality_from_the_index(text, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Finding.objects.filter(condition(parse(text).root)).order_by().explain()
    assert f"Bitmap Index Scan on {index}" in plan
