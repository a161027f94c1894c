from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("object.pip-audit.json")


def test_it_maps_a_vulnerability(report, read):
    (found,) = read(report)
    assert found.title == "PYSEC-2021-76 in aiohttp"
    assert found.severity == "unknown"  # pip-audit says none
    assert {"cve:CVE-2021-21330", "language:python", "fix_available:true"} <= set(found.tags)
    assert found.attributes["package"]["purl"] == "pkg:pypi/aiohttp@3.6.2"
    assert found.attributes["remediation"]["recommended"] == "Update aiohttp to 3.7.4."
    assert "https://osv.dev/vulnerability/PYSEC-2021-76" in found.description


def test_it_knows_a_vulnerability_again_from_the_list_of_before_2_0(report, read):
    old = report["dependencies"]
    old[0]["vulns"][0].pop("aliases")
    assert read(old)[0].fingerprint == read({"dependencies": old})[0].fingerprint


def test_it_knows_a_vulnerability_again_in_another_version(report, read):
    before = read(report)[0]
    report["dependencies"][0]["version"] = "3.7.3"
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_reads_packages_whose_version_comes_last(report, read):
    package = report["dependencies"][0]
    report["dependencies"][0] = {"vulns": package["vulns"], "name": "aiohttp", "version": "3.6.2"}
    assert read(report)[0].attributes["package"]["version"] == "3.6.2"


@pytest.mark.parametrize(
    "empty",
    [
        {"dependencies": [], "fixes": []},
        [{"name": "requests", "version": "2.32.3", "vulns": []}],
        [{"name": "own", "skip_reason": "not on PyPI"}],
    ],
)
def test_it_reads_a_report_without_vulnerabilities(empty, read_all):
    assert read_all(empty) == []
