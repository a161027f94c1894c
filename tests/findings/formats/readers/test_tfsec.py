from __future__ import annotations

import pytest


def test_it_maps_a_result(sample, read):
    (found,) = read(sample("new.tfsec.json"))  # the ignored one stays out
    assert (found.finding_type, found.severity) == ("iac_misconfiguration", "high")
    assert found.resource_id == "buckets.tf"
    assert {"rule:aws-s3-block-public-acls", "iac:terraform"} <= set(found.tags)
    assert found.attributes["iac_resource"]["name"] == "aws_s3_bucket.logs"


def test_it_maps_a_result_of_before_0_40(sample, read):
    (found,) = read(sample("legacy.tfsec.json"))  # what passed stays out
    assert found.severity == "high"
    assert found.attributes["rule"]["url"] == "https://tfsec.dev/docs/aws/AWS002/"
    assert found.attributes["iac_resource"]["name"] == "aws_s3_bucket.logs"


@pytest.mark.parametrize("name", ["new.tfsec.json", "legacy.tfsec.json"])
def test_it_knows_a_result_again_on_another_line(name, sample, read):
    report = sample(name)
    before = read(report)[0]
    report["results"][0]["location"] |= {"start_line": 30, "end_line": 36}
    assert read(report)[0].fingerprint == before.fingerprint


@pytest.mark.parametrize(
    ("word", "severity"),
    [("ERROR", "high"), ("WARNING", "medium"), ("INFO", "low"), ("", "unknown")],
)
def test_it_reads_the_severities_of_before_0_40(word, severity, sample, read):
    report = sample("legacy.tfsec.json")
    report["results"][0]["severity"] = word
    assert read(report)[0].severity == severity


@pytest.mark.parametrize(
    ("status", "count"), [(0, 1), ("failed", 1), (None, 1), (1, 0), (2, 0), ("passed", 0)]
)
def test_it_takes_what_failed(status, count, sample, read):
    report = sample("new.tfsec.json")
    report["results"][0] |= {"status": status, "rule_provider": None}
    assert len(read(report)) == count


def test_it_reads_a_report_without_results(read_all):
    assert read_all({"results": None}) == []
