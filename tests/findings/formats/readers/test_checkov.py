from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("terraform.checkov.json")


def test_it_maps_a_failed_check(report, read):
    found = read(report)[0]
    assert (found.finding_type, found.severity) == ("iac_misconfiguration", "medium")
    assert found.resource_id == "infra/buckets.tf"
    assert {"rule:CKV_AWS_18", "iac:terraform"} <= set(found.tags)
    assert found.attributes["iac_resource"] == {"type": "terraform", "name": "aws_s3_bucket.logs"}
    assert 'bucket = "acme-logs"' in found.description


def test_it_says_unknown_where_checkov_says_no_severity(report, read):
    assert read(report)[1].severity == "unknown"


def test_it_shows_no_code_of_a_check_for_credentials(report, read):
    assert "wJalrXUtnFEMI" not in repr(read(report))


def test_it_keeps_out_what_passed(report, read):
    assert "CKV_AWS_93" not in repr(read(report))


def test_it_knows_a_check_again_whatever_else_of_the_resource_changes(report, read):
    before = read(report)[0]
    report["results"]["failed_checks"][0] |= {
        "code_block": [[8, 'resource "aws_s3_bucket" "logs" {}\n']],
        "file_line_range": [8, 8],
    }
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_maps_each_kind_of_a_list(sample, read):
    secret, setting, library = read(sample("kinds.checkov.json"))
    assert secret.finding_type == "secret"
    assert setting.finding_type == "misconfiguration"
    assert library.finding_type == "library_vulnerability"
    assert {"cve:CVE-2021-21330", "fix_available:true"} <= set(library.tags)
    assert library.severity == "medium"


def test_it_says_how_severe_a_secret_is_where_checkov_does_not(sample, read):
    report = sample("kinds.checkov.json")
    check = report[0]["results"]["failed_checks"][0]
    check["severity"] = None
    assert read(report)[0].severity == "critical"  # a key of a cloud
    check["check_name"] = "Base64 High Entropy String"
    assert read(report)[0].severity == "high"


def test_it_never_shows_the_digest_of_a_secret(sample, read):
    assert "25910f981e85" not in repr(read(sample("kinds.checkov.json")))


def test_it_knows_a_secret_by_its_digest(sample, read):
    report = sample("kinds.checkov.json")
    before = read(report)[0]
    check = report[0]["results"]["failed_checks"][0]
    check |= {"file_line_range": [70, 71], "code_block": []}
    assert read(report)[0].fingerprint == before.fingerprint
    check["resource"] = "another"
    assert read(report)[0].fingerprint != before.fingerprint


def test_it_reads_a_report_of_no_file(read_all):
    summary = {"passed": 0, "failed": 0, "skipped": 0, "checkov_version": "3.2.400"}
    assert read_all(summary) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_block": "resource"},
        {"code_block": [[1], None, [1, 2]]},
        {"file_line_range": None, "resource": ["a"]},
        {"vulnerability_details": {}},
        {"severity": 7, "details": "one"},
    ],
)
def test_it_reads_a_check_with_wrong_fields(wrong, report, read):
    report["results"]["failed_checks"][0] |= wrong
    assert len(read(report)) == 2
