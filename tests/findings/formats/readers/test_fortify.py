from __future__ import annotations

from io import BytesIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise, unscanned
from tests.findings.formats.conftest import SAMPLES

XML = (SAMPLES / "project.fortify.xml").read_bytes()
FPR = (SAMPLES / "results.fortify.xml").read_bytes()  # what an import makes of the archive
both = pytest.mark.parametrize("report", [XML, FPR], ids=["xml", "fpr"])


@both
def test_it_reads_each_open_issue_once(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        ("static_code_vulnerability", "critical", "SQL Injection"),
        ("secret", "high", "Password Management: Hardcoded Password"),
    ]


@both
def test_it_maps_an_issue(report, read):
    found = read(report)[0]
    assert found.resource_id == "src/main/Db.java"
    expected = {"scanner:fortify", "rule:SQL Injection", "language:java"}
    assert expected | {"category:Input Validation"} <= set(found.tags)
    assert found.attributes["code_location"]["line"] == 30
    assert found.attributes["remediation"]["recommended"] == "Use prepared statements."
    assert "How an injection works." in found.description
    assert "db.executeQuery(sql);" in found.description


@both
def test_it_keeps_no_credential(report, read):
    assert "correct-horse" not in repr(read(report))


def test_it_is_the_same_issue_in_both(read):
    assert read(FPR)[0].fingerprint == read(XML)[0].fingerprint


def test_it_fills_in_the_texts_of_a_class(read):
    first, second = read(FPR)
    assert first.description.startswith("Line 30 of Db.java calls executeQuery() with input.\n")
    assert second.description.startswith("Passwords are hard-coded.\n")
    assert {"cwe:CWE-89", "cwe:CWE-564"} <= set(first.tags)


@pytest.mark.parametrize(
    ("impact", "accuracy", "severity"),
    [("5.0", "4.0", "critical"), ("2.5", "3.0", "high"), ("2", "4.0", "medium"), ("2", "1", "low")],
)
def test_it_has_fortifys_own_order_of_severities(impact, accuracy, severity, read):
    changed = FPR.replace(b'"Impact">5.0', b'"Impact">' + impact.encode())
    changed = changed.replace(b'"Accuracy">4.0', b'"Accuracy">' + accuracy.encode())
    assert read(changed)[0].severity == severity


def test_it_takes_back_what_people_said(read):
    again = FPR.replace(b'suppressed="true"', b'suppressed="false"').replace(b"Not an", b"Is an")
    assert len(read(again)) == 4


def test_it_reads_an_fvdl_alone(read):
    start, end = FPR.index(b"<FVDL"), FPR.index(b"<ns2:Audit")
    assert len(read(FPR[start:end])) == 4


def test_it_says_which_files_were_not_parsed():
    error = b"<Error>Unable to parse file /builds/acme/shop/src/A.java at line 4</Error></Errors>"
    file = BytesIO(FPR.replace(b"</Errors>", error))
    assert [each.target for each in unscanned(recognise(file), file)] == ["src/A.java"]


def test_it_knows_an_issue_again_in_another_line(read):
    again = XML.replace(b"<LineStart>30<", b"<LineStart>44<").replace(b"line 30", b"line 44")
    assert read(again)[0].fingerprint == read(XML)[0].fingerprint


@pytest.mark.parametrize(
    ("report", "end"),
    [(XML, "/GroupingSection[2]/Issue[2]"), (FPR, "/Vulnerabilities[1]/Vulnerability[5]")],
    ids=["xml", "fpr"],
)
def test_it_points_at_an_issue_without_a_category(report, end, read_all):
    (rejected,) = (each for each in read_all(report) if isinstance(each, Rejected))
    assert rejected.pointer.endswith(end)
