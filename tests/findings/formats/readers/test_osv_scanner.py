from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("locks.osv-scanner.json")


def _lock_file(report):
    return report["results"][0]["packages"][0]


def test_it_maps_a_vulnerability_of_a_lock_file(report, read):
    found = read(report)[0]
    assert (found.finding_type, found.severity) == ("library_vulnerability", "high")
    assert found.resource_id == "web/package-lock.json"
    assert {"cve:CVE-2021-23337", "cwe:CWE-77", "cwe:CWE-94"} <= set(found.tags)
    assert found.attributes["package"]["fixed_version"] == "4.17.21"  # not that of lodash-es
    assert found.attributes["package"]["purl"] == "pkg:npm/lodash@4.17.20"
    assert found.attributes["cvss"] == 7.2
    assert found.attributes["vulnerability"]["reachability"] == "not called"


def test_it_maps_a_package_of_an_image(report, read):
    found = read(report)[1]
    assert found.finding_type == "host_and_container_vulnerability"
    assert (found.resource_id, found.resource_type) == ("ghcr.io/acme/shop", "container_image")


def test_it_scores_a_vector_where_there_is_no_score(report, read):
    found = read(report)[1]
    assert (found.severity, found.attributes["cvss"]) == ("medium", 5.5)


def test_it_takes_names_of_one_vulnerability_for_one_finding(report, read):
    titles = [each.title for each in read(report)]
    assert titles[0] == "CVE-2021-23337 in lodash: Command Injection in lodash"
    assert len(titles) == 2


def test_it_knows_a_vulnerability_again_by_its_other_name_alone(report, read):
    before = read(report)[0]
    _lock_file(report)["vulnerabilities"].pop(0)
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_keeps_vulnerabilities_without_groups_apart(report, read):
    _lock_file(report)["groups"] = []
    assert len({each.fingerprint for each in read(report)}) == 3


def test_it_takes_the_databases_word_where_there_is_no_score(report, read):
    _lock_file(report).pop("groups")
    del _lock_file(report)["vulnerabilities"][0]["severity"]
    assert read(report)[0].severity == "high"


def test_it_says_unknown_where_nobody_says_how_severe(report, read):
    _lock_file(report).pop("groups")
    assert read(report)[1].severity == "unknown"


def test_it_takes_a_malicious_package_for_critical(report, read):
    _lock_file(report).pop("groups")
    _lock_file(report)["vulnerabilities"][1]["id"] = "MAL-2023-1035"
    assert read(report)[1].severity == "critical"


def test_it_reads_what_version_2_writes_of_an_image(report, read):
    report |= {"image_metadata": {"os": "Debian GNU/Linux 12", "layer_metadata": []}}
    report["results"][1]["source"] = {"path": "/var/lib/dpkg/status", "type": "os"}
    library, package = read(report)
    assert package.resource_type == library.resource_type == "container_image"
    assert library.attributes["package"]["path"] == "web/package-lock.json"


def test_it_reads_a_report_without_results(read_all):
    assert read_all({"results": [], "experimental_config": {}}) == []
    assert read_all({"results": []}) == []
