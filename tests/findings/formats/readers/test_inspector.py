from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:pay"


@pytest.fixture
def report(sample):
    return sample("account.inspector.json")


def test_it_reads_each_open_finding(report, read):
    assert [(each.finding_type, each.severity, each.resource_id) for each in read(report)] == [
        ("host_and_container_vulnerability", "high", "i-0abc"),
        ("host_and_container_vulnerability", "high", "i-0abc"),
        ("library_vulnerability", "unknown", IMAGE),
        ("misconfiguration", "medium", "i-0abc"),
        ("static_code_vulnerability", "low", f"{FUNCTION}/src/pay.py"),
    ]


def test_it_maps_a_package_of_a_host(report, read):
    kernel, tools = read(report)[:2]
    assert kernel.title == "CVE-2026-0001 in kernel"
    assert kernel.first_seen_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    expected = {"scanner:inspector", "account:123456789012", "region:eu-west-1"}
    assert expected | {"cve:CVE-2026-0001"} <= set(kernel.tags)
    assert kernel.attributes["package"]["version"] == "5.10.1-1.amzn2"
    assert kernel.attributes["package"]["fixed_version"] == "0:5.10.9-1.amzn2"
    assert kernel.attributes["cvss"] == 7.8
    assert kernel.attributes["vulnerability"]["epss"] == 0.02
    assert "fixed_version" not in tools.attributes["package"]


def test_it_maps_a_package_of_an_image(report, read):
    found = read(report)[2]
    assert {f"image:{IMAGE}:1.2", "language:python", "fix_available:false"} <= set(found.tags)
    assert found.attributes["package"]["purl"] == "pkg:pypi/requests@2.1.0"
    assert found.attributes["vulnerability"]["cvss_vector"].startswith("CVSS:3.1")


def test_it_maps_a_port_and_code(report, read):
    port, code = read(report)[3:]
    assert "Open: 22/tcp" in port.description
    assert port.attributes["remediation"]["recommended"] == "Restrict the security group."
    assert {"cwe:CWE-117", "rule:python-log-injection", "language:python"} <= set(code.tags)
    assert code.attributes["code_location"]["line"] == 4


def test_it_knows_an_image_again_by_its_next_build(report, read):
    before = read(report)[2]
    resource = report["findings"][1]["resources"][0]
    resource["id"] = resource["id"].replace("0ff0", "1ff1")
    resource["details"]["awsEcrContainerImage"]["imageTags"] = ["1.3"]
    assert read(report)[2].fingerprint == before.fingerprint


def test_it_reads_the_bare_list(report, read):
    assert read(report["findings"]) == read(report)


def test_it_says_which_account_was_scanned(report):
    file = BytesIO(json.dumps(report).encode())
    assert target_of(recognise(file), file) == "123456789012"
