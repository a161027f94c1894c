from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("code.gosec.json")


def test_it_maps_an_issue(report, read):
    found = read(report)[0]
    assert (found.finding_type, found.severity) == ("static_code_vulnerability", "high")
    assert found.resource_id == "internal/store/files.go"
    assert {"scanner:gosec", "rule:G304", "cwe:CWE-22", "language:go"} <= set(found.tags)
    assert "\n\treturn os.Open(name)\n" in found.description
    assert found.attributes["remediation"]["recommended"].startswith("Consider using os.Root")


def test_it_takes_hard_coded_credentials_for_a_secret(report, read):
    found = read(report)[1]
    assert found.finding_type == "secret"
    assert "correct-horse" not in repr(found)


@pytest.mark.parametrize(
    "mark", [{"nosec": True}, {"suppressions": [{"kind": "inSource"}]}], ids=str
)
def test_it_keeps_out_what_was_suppressed(mark, report, read):
    report["Issues"][0] |= mark
    assert [each.attributes["rule"]["id"] for each in read(report)] == ["G101"]


def test_it_knows_an_issue_again_on_another_line(report, read):
    before = read(report)[0]
    report["Issues"][0] |= {
        "code": "140: // Reads.\n141: func open() {\n142: \treturn os.Open(name)\n143: }\n",
        "line": "142",
    }
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_knows_an_issue_again_in_code_without_numbers(report, read):
    """As gosec wrote it before 2.4."""
    before = read(report)[0]
    report["Issues"][0] |= {"code": "return os.Open(name)", "line": "42"}
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_reads_the_lines_of_an_issue(report, read):
    report["Issues"][0]["line"] = "42-43"
    place = read(report)[0].attributes["code_location"]
    assert (place["line"], place["line_end"]) == (42, 43)


@pytest.mark.parametrize("issues", [None, []])
def test_it_reads_a_report_without_issues(issues, read_all):
    assert read_all({"Golang errors": {}, "Issues": issues, "Stats": {"found": 0}}) == []
