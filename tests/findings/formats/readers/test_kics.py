from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("infra.kics.json")


def test_it_maps_a_result_of_a_query(report, read):
    found = read(report)[1]
    assert (found.finding_type, found.severity) == ("iac_misconfiguration", "medium")
    assert found.title == "S3 Bucket Without Versioning"
    assert {"iac:terraform", "cwe:CWE-710", "category:Observability"} <= set(found.tags)
    assert found.attributes["iac_resource"]["name"] == "aws_s3_bucket.acme-logs"
    assert "Expected: 'versioning' should be defined" in found.description


def test_it_maps_a_secret_without_where_it_was_searched(report, read):
    found = read(report)[0]
    assert found.finding_type == "secret"
    assert "correct-horse" not in repr(found)


def test_it_knows_a_result_by_its_similarity(report, read):
    before = read(report)[1]
    report["queries"][1]["files"][0] |= {"line": 30, "actual_value": "said anew"}
    assert read(report)[1].fingerprint == before.fingerprint


def test_it_tells_equal_results_apart(report, read):
    files = report["queries"][1]["files"]
    report["queries"][1]["files"] = [*files, *({**files[0], "line": line} for line in (3, 77))]
    fingerprints = [each.fingerprint for each in read(report)]
    assert len(set(fingerprints)) == len(fingerprints) == 4


def test_it_knows_a_result_without_similarity_by_its_resource(report, read):
    before = read(report)[2]
    report["queries"][2]["files"][0]["line"] = 77
    assert read(report)[2].fingerprint == before.fingerprint


def test_it_reads_a_report_without_results(read_all):
    assert read_all({"files_scanned": 1, "queries": [], "total_counter": 0}) == []
