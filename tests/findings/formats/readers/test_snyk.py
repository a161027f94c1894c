from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.readers import snyk
from findings.formats.streams.records import RefusedReport


@pytest.fixture
def project(sample):
    return sample("project.snyk.json")


def test_it_maps_a_vulnerability_of_a_project(project, read):
    (found,) = read(project)  # its second way is the same finding, a licence is none
    assert (found.finding_type, found.severity) == ("library_vulnerability", "critical")
    assert found.resource_id == "shop/web/package-lock.json"
    assert {"cve:CVE-2021-23337", "cwe:CWE-78", "package:lodash"} <= set(found.tags)
    assert "- shop@1.0.0 > express@4.17.1 > lodash@4.17.20" in found.description
    assert found.attributes["vulnerability"]["epss"] == 0.0046
    assert found.attributes["package"]["fixed_version"] == "4.17.21"


def test_it_maps_packages_and_applications_of_an_image(sample, read):
    package, library = read(sample("image.snyk.json"))
    assert package.finding_type == "host_and_container_vulnerability"
    assert library.finding_type == "library_vulnerability"
    assert package.resource_id == library.resource_id == "ghcr.io/acme/shop"
    assert "image:ghcr.io/acme/shop:1.4" in package.tags
    assert library.attributes["package"]["path"] == "/app/requirements.txt"


def test_it_knows_a_vulnerability_again_in_the_next_image(sample, read):
    report = sample("image.snyk.json")
    before = [each.fingerprint for each in read(report)]
    report[0]["path"] = "ghcr.io/acme/shop:1.5"
    report[0]["vulnerabilities"][0]["version"] = "3.0.12"
    assert [each.fingerprint for each in read(report)] == before


def test_it_maps_infrastructure_as_code(sample, read):
    (found,) = read(sample("iac.snyk.json"))  # the ignored one stays out
    assert (found.finding_type, found.severity) == ("iac_misconfiguration", "medium")
    assert found.resource_id == "infra/buckets.tf"
    assert found.attributes["iac_resource"]["name"] == "resource > aws_s3_bucket[logs]"
    assert "The bucket stores its objects in the clear" in found.description


def test_it_reads_the_same_of_one_project_and_of_a_list(project, read):
    assert read(project) == read([project])


def test_it_knows_projects_apart(project, read):
    other = project | {"projectName": "other"}
    assert len({each.fingerprint for each in read([project, other])}) == 2


def test_it_refuses_the_error_that_snyk_ended_with(read):
    report = {"ok": False, "error": "Could not detect supported target files", "path": "/src"}
    with pytest.raises(RefusedReport, match="the error that Snyk ended with"):
        read(report)


def test_it_names_what_was_tested_where_it_is_one(project, sample):
    def target(report):
        return snyk.target(BytesIO(json.dumps(report).encode()))

    assert target(project) == "shop/web/package-lock.json"
    assert target(sample("image.snyk.json")) == "ghcr.io/acme/shop"
    assert target([project, project | {"projectName": "other"}]) == ""


def test_it_reads_projects_without_vulnerabilities(project, read_all):
    clean = project | {"vulnerabilities": [], "ok": True}
    assert read_all(clean) == read_all([clean, clean]) == []
