from __future__ import annotations

import pytest

from findings.formats.normalised import Rejected
from tests.findings.formats.conftest import SAMPLES

ISSUES = (SAMPLES / "issues.wiz.csv").read_bytes()
VULNERABILITIES = (SAMPLES / "vulnerabilities.wiz.csv").read_bytes()
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"


def test_it_reads_open_issues_alone(read):
    assert [(each.finding_type, each.severity, each.title) for each in read(ISSUES)] == [
        ("misconfiguration", "high", "Bucket is public"),
        ("misconfiguration", "info", "Role is too wide"),
    ]


def test_it_maps_an_issue(read):
    found = read(ISSUES)[0]
    assert (found.resource_id, found.resource_type) == ("arn:aws:s3:::acme-logs", "bucket")
    assert {"scanner:wiz", "rule:wc-id-1", "account:123456789012", "region:eu-west-1"} <= set(
        found.tags
    )
    assert found.attributes["external_id"] == "i-1"
    assert found.attributes["remediation"]["recommended"] == "Block public access."
    assert found.first_seen_at.isoformat() == "2026-01-02T03:04:05+00:00"
    assert "s3cr3t" not in repr(found)


def test_it_reads_open_vulnerabilities_alone(read):
    assert [
        (each.finding_type, each.severity, each.title, each.resource_id)
        for each in read(VULNERABILITIES)
    ] == [
        ("host_and_container_vulnerability", "medium", "CVE-2026-0001 in kernel", INSTANCE),
        ("library_vulnerability", "critical", "CVE-2026-0002 in requests", INSTANCE),
    ]


def test_it_maps_a_vulnerability(read):
    found = read(VULNERABILITIES)[0]
    expected = {"cve:CVE-2026-0001", "package:kernel", "fix_available:true"}
    assert expected | {"cloud_provider:aws", "account:123456789012"} <= set(found.tags)
    assert found.resource_name == "web-1"
    assert found.attributes["package"]["fixed_version"] == "5.10.9"
    assert found.attributes["vulnerability"]["is_exploited"] is True
    assert found.attributes["remediation"]["recommended"] == "yum update kernel"


@pytest.mark.parametrize("report", [ISSUES, VULNERABILITIES], ids=["issues", "vulnerabilities"])
def test_it_knows_a_row_again_by_another_id(report, read):
    again = report.replace(b"i-1,", b"i-9,").replace(b"f-1,", b"f-9,")
    assert [each.fingerprint for each in read(again)] == [each.fingerprint for each in read(report)]


@pytest.mark.parametrize(("report", "pointer"), [(ISSUES, "/rows/4"), (VULNERABILITIES, "/rows/3")])
def test_it_points_at_a_row_that_lacks_its_name(report, pointer, read_all):
    assert [each.pointer for each in read_all(report) if isinstance(each, Rejected)] == [pointer]


def test_it_takes_what_has_a_system_for_a_host(read):
    columns = "Name,FindingStatus,DetailedName,AssetName,WizURL,DetectionMethod,OperatingSystem"
    row = "CVE-2024-39474,Open,containerd,k8s-1,https://app.wiz.io,Library,Linux"
    (found,) = read(f"{columns}\n{row}\n".encode())
    assert (found.finding_type, found.resource_type) == ("library_vulnerability", "host")
