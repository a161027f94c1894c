from __future__ import annotations

import pytest

from findings.formats.normalised import Rejected


@pytest.fixture
def report(sample):
    return sample("code.bandit.json")


def test_it_maps_an_issue(report, read):
    found = read(report)[0]
    assert (found.finding_type, found.severity) == ("static_code_vulnerability", "high")
    assert (found.resource_id, found.resource_type) == ("shop/exports.py", "file")
    assert {"scanner:bandit", "rule:B602", "cwe:CWE-78", "language:python"} <= set(found.tags)
    assert found.attributes["confidence"] == "high"
    assert found.attributes["code_location"] == {
        "file": "shop/exports.py",
        "line": 16,
        "line_end": 16,
    }


def test_it_shows_the_code_without_line_numbers(report, read):
    assert '\n    cmd = f"convert {name}"\n' in read(report)[0].description


def test_it_takes_a_hard_coded_password_for_a_secret(report, read):
    found = read(report)[1]
    assert found.finding_type == "secret"
    assert "correct-horse" not in repr(found)
    assert found.description.startswith("Possible hardcoded password\n")


def test_it_shows_the_code_of_what_is_hard_coded_and_no_credential(report, read):
    report["results"][0] |= {"test_id": "B608", "test_name": "hardcoded_sql_expressions"}
    assert "### Code" in read(report)[0].description


def test_it_knows_an_issue_again_on_another_line(report, read):
    before = [each.fingerprint for each in read(report)]
    for issue in report["results"]:
        issue["code"] = issue["code"].replace("16 ", "216 ").replace("15 ", "215 ")
    report["results"][0] |= {"line_number": 216, "line_range": [216]}
    assert [each.fingerprint for each in read(report)] == before


def test_it_knows_an_issue_again_when_the_line_above_changes(report, read):
    before = read(report)[0]
    report["results"][0]["code"] = report["results"][0]["code"].replace("convert", "magick")
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_is_another_issue_when_its_own_line_changes(report, read):
    before = read(report)[0]
    report["results"][0]["code"] = report["results"][0]["code"].replace("run(cmd", "call(cmd")
    assert read(report)[0].fingerprint != before.fingerprint


def test_it_reads_a_report_without_issues(read_all):
    assert read_all({"errors": [], "metrics": {}, "results": []}) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"line_range": "16"},
        {"line_range": [None, {}], "line_number": "x"},
        {"code": None, "issue_text": 7},
        {"code": "9" * 5_000, "issue_cwe": {"id": 1e300}},
        {"more_info": ["x"], "issue_severity": {"LOW": 1}},
    ],
)
def test_it_reads_an_issue_with_wrong_fields(wrong, report, read_all):
    report["results"][0] |= wrong
    assert not isinstance(read_all(report)[0], Rejected)
