"""A table of one's own, whose sender says what its columns mean."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise
from findings.formats.shapes.column_map import UnknownTable, WrongColumns, column_map, in_words
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import LATEST

TABLE = b"Issue Name,Level,Box,Finding\nOld TLS,High,web-1,Accepts TLS 1.0.\nOpen port,,web-2,\n"
MAP = "title:Issue Name,severity:Level,resource_id:Box,description:Finding"


def _read(report: bytes, said: str, name: str = "") -> list:
    file = BytesIO(report)
    return list(recognise(file, name=name, columns=column_map(said)).read(file, latest=LATEST))


@pytest.mark.parametrize("name", ["", "generic"])
def test_it_reads_a_table_by_its_senders_map(name):
    tls, rejected = _read(TABLE, MAP, name)
    assert (tls.title, tls.severity, tls.resource_id) == ("Old TLS", "high", "web-1")
    assert tls.description == "Accepts TLS 1.0."
    assert (rejected.pointer, rejected.title) == ("/rows/1/Level", "Unknown severity")


def test_it_takes_a_column_of_the_map_for_nothing_else():
    """`Finding` is a title by its name."""
    with pytest.raises(WrongColumns, match="which column is the title"):
        _read(TABLE, "severity:Level,description:Finding")


def test_it_takes_a_field_of_the_map_from_no_other_column():
    report = b"title,severity,note,description\nA,low,,by name\n"
    assert _read(report, "description:note")[0].description == ""
    assert _read(report, "description:")[0].description == ""
    assert _read(b"title,severity,,-\nA,low,B,C\n", "description:")[0].description == ""
    assert _read(report, "remediation:note")[0].description == "by name"


def test_it_fills_what_rows_do_not_say():
    report = b"what,severity,cvss,kind\nA,low,9.8,\nB,,9.8,secret\nC,,,\n"
    said = "title:what,severity:=Medium,finding_type:=misconfiguration"
    found = _read(report, said)
    assert [each.severity for each in found] == ["low", "critical", "medium"]
    assert {each.finding_type for each in found} == {"misconfiguration"}
    assert _read(report, "title:what,finding type:kind")[1].finding_type == "secret"


def test_it_does_not_mind_case_and_spaces_in_names():
    assert _read(TABLE, "Title: issue_NAME , Severity:level")[0].title == "Old TLS"


def test_it_reads_objects_of_which_only_later_ones_have_a_column():
    report = [{"what": "A", "level": "low"}] * 150 + [{"what": "B", "level": "low", "box": "b"}]
    found = _read(json.dumps(report).encode(), "title:what,severity:level,resource:box")
    assert [found[0].resource_id, found[-1].resource_id] == ["unspecified", "b"]
    assert _read(json.dumps({"findings": report}).encode(), "title:what,severity:level")
    assert _read(b"[]", "title:what,severity:level") == []


def test_it_knows_a_finding_again_whatever_its_columns_are_called():
    named = b"title,severity,resource\nOld TLS,high,web-1\n"
    mapped = _read(TABLE, MAP.removesuffix(",description:Finding"))
    assert mapped[0].fingerprint == _read(named, "title:title")[0].fingerprint


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("colour:Level", "There is no field “colour”; there are title, severity"),
        ("title", "“title” of the column map is not `field:column`."),
        ("title:Box,name:Level", "The column map says twice what “title” is."),
        ("severity:=very bad", "“very bad” of severity is not one of critical, high"),
        ("finding_type:=worm", "“worm” of finding_type is not one of api_security"),
        ("service:=", "After `service:=` comes a value."),
        ('"title:Box', "A quote in the column map is not closed."),
        ("title:a\0b", "1 to 200 characters of text; that of “title” has not."),
        ("title:\ud800", "1 to 200 characters of text"),
        (f"title:{'x' * 201}", "1 to 200 characters of text"),
    ],
)
def test_it_says_what_is_wrong_with_a_map(said, sentence):
    with pytest.raises(WrongColumns) as wrong:
        column_map(said)
    assert sentence in wrong.value.reason
    assert wrong.value.reason.isprintable()


@pytest.mark.parametrize(
    ("report", "said", "sentence"),
    [
        (
            TABLE,
            "title:Issue Name,severity:Risk",
            "The column map says that severity is in “Risk”, but the file has no such column; it "
            "has “Issue Name”, “Level”, “Box”, “Finding”.",
        ),
        (b'[{"a": "b"}]', "title:a,severity:Risk", "no such column; it has “a”."),
        (TABLE, "title:Issue Name", "does not say which column is the severity"),
        (TABLE, "title:Issue Name,severity:", "does not say which column is the severity"),
    ],
)
def test_it_says_which_column_the_file_does_not_have(report, said, sentence):
    with pytest.raises(WrongColumns) as wrong:
        _read(report, said)
    assert sentence in wrong.value.reason


def test_it_takes_no_map_for_what_is_no_table():
    with pytest.raises(WrongColumns, match="is for generic CSV or JSON, not for SARIF"):
        _read(TABLE, MAP, "sarif")
    for other in (b"<a/>", b'{"a": 1}', b"null"):
        with pytest.raises(RefusedReport, match="is not a generic CSV or JSON report"):
            _read(other, MAP)


@pytest.mark.parametrize("report", [TABLE, b'[{"Issue Name": "A", "Box": "b"}]'])
@pytest.mark.parametrize("name", ["", "generic"])
def test_it_says_what_the_columns_of_an_unknown_table_are(report, name):
    with pytest.raises(UnknownTable) as refusal:
        recognise(BytesIO(report), name=name)
    assert refusal.value.columns[0] == "Issue Name"
    assert refusal.value.reason.endswith("or a column map that says which they are.")


def test_it_writes_a_map_as_it_reads_it():
    said = {"title": 'A, "b": c', "severity": "=high", "description": "", "resource": "Box"}
    assert column_map(in_words(said)) == said
    assert in_words({}) == ""


def test_it_reads_a_name_with_commas_colons_and_equal_signs():
    said = column_map('"title:What, when: why=",severity:Level,,')
    assert said == {"title": "What, when: why=", "severity": "Level"}
    assert not isinstance(_read(b'"What, when: why=",Level\nA,low\n', in_words(said))[0], Rejected)
