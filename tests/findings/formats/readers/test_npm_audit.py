from __future__ import annotations

import pytest

from findings.formats.streams.records import RefusedReport


@pytest.fixture
def old(sample):
    return sample("v6.npm-audit.json")


@pytest.fixture
def new(sample):
    return sample("v10.npm-audit.json")


def test_it_maps_an_advisory_of_npm_6(old, read):
    found = read(old)[0]
    assert found.title == "GHSA-35jh-r3h4-6jhm in lodash: Command Injection in lodash"
    assert (found.resource_id, found.resource_type) == ("lodash", "package")
    assert {"cve:CVE-2021-23337", "cwe:CWE-77", "fix_available:true"} <= set(found.tags)
    assert "- express > lodash" in found.description
    assert found.attributes["cvss"] == 7.2


def test_it_says_that_there_is_no_fix(old, read):
    found = read(old)[1]
    assert "fix_available:false" in found.tags
    assert "No fixed version is known." in found.description


def test_it_maps_each_advisory_of_a_package(new, read):
    first, second = read(new)
    assert first.title.startswith("GHSA-gxpj-cx7g-858c in debug")
    assert (first.severity, first.attributes["cvss"]) == ("low", 3.7)
    assert "Update express to 4.18.3, a new major version." in first.description
    assert "cvss" not in second.attributes  # npm writes 0 for none


def test_it_finds_nothing_in_a_package_that_only_depends_on_a_vulnerable_one(new, read):
    assert not any("express" in each.title for each in read(new))


def test_it_knows_an_advisory_again_across_versions_of_npm(old, new, read):
    new["vulnerabilities"] = {
        "lodash": {
            "name": "lodash",
            "via": [
                {
                    "source": 1,
                    "name": "lodash",
                    "dependency": "lodash",
                    "title": "Command Injection",
                    "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
                    "severity": "high",
                }
            ],
        }
    }
    assert read(new)[0].fingerprint == read(old)[0].fingerprint


def test_it_refuses_a_version_that_it_does_not_know(new, read):
    new["auditReportVersion"] = 3
    with pytest.raises(RefusedReport, match="audit report version 3; 2 and npm 6's are read"):
        read(new)


def test_it_refuses_the_error_that_npm_ended_with(read):
    error = {"code": "ENOLOCK", "summary": "This command requires an existing lockfile."}
    for report in ({"error": error}, {"message": "request failed", "error": error}):
        with pytest.raises(RefusedReport, match="an error, as npm audit ends with one"):
            read(report)


@pytest.mark.parametrize("wrong", [None, "lodash", 7, [], {"via": None}, {"via": {"a": 1}}])
def test_it_passes_over_a_package_of_another_shape(wrong, new, read):
    new["vulnerabilities"]["ms"] = wrong
    assert [each.resource_id for each in read(new)] == ["debug"]
