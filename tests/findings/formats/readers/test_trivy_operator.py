from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.registry import recognise


@pytest.fixture
def report(sample):
    return sample("list.trivy-operator.json")


def test_it_reads_reports_of_each_kind(report, read):
    assert [(each.finding_type, each.severity, each.resource_id) for each in read(report)] == [
        ("host_and_container_vulnerability", "high", "ghcr.io/acme/api"),
        ("library_vulnerability", "low", "ghcr.io/acme/api"),
        ("misconfiguration", "medium", "shop/Deployment/api"),
        ("secret", "critical", "ghcr.io/acme/db/app/.env"),
    ]


def test_it_maps_a_package(report, read):
    found = read(report)[0]
    assert found.title == "CVE-2026-0001 in openssl: a flaw"
    expected = {"scanner:trivy", "image:ghcr.io/acme/api:1.2", "cve:CVE-2026-0001"}
    assert expected | {"kube_namespace:shop", "fix_available:true"} <= set(found.tags)
    assert found.attributes["k8s"]["container"] == "api"
    assert found.attributes["package"]["fixed_version"] == "3.0.9"
    assert found.attributes["cvss"] == 7.5


def test_it_maps_a_check_and_a_secret(report, read):
    check, secret = read(report)[2:]
    assert {"rule:KSV012", "kube_namespace:shop"} <= set(check.tags)
    assert "Container 'api' should set runAsNonRoot" in check.description
    assert secret.title == "GitHub Personal Access Token in /app/.env"


def test_it_knows_a_check_again_after_the_next_roll_out(report, read):
    before = read(report)[2]
    labels = report["items"][1]["metadata"]["labels"]
    labels["trivy-operator.resource.name"] = "api-5f6c8d9b7c"
    assert read(report)[2].fingerprint == before.fingerprint


def test_it_reads_a_package_in_two_pods_once(report, read):
    report["items"].append(report["items"][0])
    assert len(read(report)) == 4


def test_it_reads_a_report_alone(report, sample, read):
    assert read(sample("one.trivy-operator.json")) == read(report)[:2]


def test_it_reads_a_list_without_reports(read_all):
    nothing = {
        "apiVersion": "aquasecurity.github.io/v1alpha1",
        "kind": "VulnerabilityReportList",
        "items": [],
    }
    assert recognise(BytesIO(json.dumps(nothing).encode())).NAME == "trivy-operator"
    assert read_all(nothing) == []


def test_it_reads_a_bare_list_of_reports(report, read):
    assert read(report["items"]) == read(report)
