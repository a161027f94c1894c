from __future__ import annotations

import pytest

WITHHELD = "requires login"


@pytest.fixture
def report(sample):
    return sample("code.semgrep.json")


def test_it_maps_a_result(report, read):
    found = read(report)[0]
    assert found.title == "Untrusted input in a raw query."
    assert (found.finding_type, found.severity) == ("static_code_vulnerability", "high")
    assert {"cwe:CWE-89", "category:security", "language:python"} <= set(found.tags)
    assert "Product.objects.raw(query, [term])" in found.description
    assert found.attributes["code_location"]["line_end"] == 33


def test_it_maps_a_secret_without_showing_it(report, read):
    found = read(report)[1]
    assert (found.finding_type, found.title) == ("secret", "Detected github token")
    assert "notARealToken" not in repr(found)


def test_it_takes_what_semgrep_tried_for_a_secret(report, read):
    report["results"][0]["extra"]["validation_state"] = "CONFIRMED_VALID"
    assert read(report)[0].finding_type == "secret"


def test_it_maps_infrastructure_as_code(report, read):
    found = read(report)[2]
    assert found.finding_type == "iac_misconfiguration"
    assert "iac:terraform" in found.tags


def test_it_maps_a_vulnerable_dependency(report, read):
    found = read(report)[3]
    assert found.finding_type == "library_vulnerability"
    assert {"cve:CVE-2021-23337", "package:lodash", "fix_available:true"} <= set(found.tags)
    assert found.attributes["package"]["fixed_version"] == "4.17.21"
    assert found.attributes["vulnerability"]["reachability"] == "reachable"


def test_it_keeps_out_what_the_code_says_to_ignore(report, read):
    assert "calc.py" not in repr(read(report))


def test_it_knows_a_result_by_semgreps_fingerprint(report, read):
    before = read(report)[0]
    report["results"][0]["extra"] |= {"lines": "moved and changed", "message": "Said anew."}
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_knows_a_result_by_its_code_where_the_fingerprint_is_withheld(report, read):
    extra = report["results"][0]["extra"]
    extra["fingerprint"] = WITHHELD
    before = read(report)[0]
    extra["lines"] = extra["lines"].replace("    ", "\t")
    report["results"][0]["start"]["line"] = 99
    assert read(report)[0].fingerprint == before.fingerprint
    extra["lines"] = "Order.objects.raw(query)"
    assert read(report)[0].fingerprint != before.fingerprint


def test_it_tells_results_apart_where_all_is_withheld(report, read):
    result = report["results"][0]
    result["extra"] |= {"fingerprint": WITHHELD, "lines": WITHHELD}
    report["results"] = [result, result | {"start": {"line": 88}}]
    first, second = read(report)
    assert first.fingerprint != second.fingerprint
    assert WITHHELD not in first.description


@pytest.mark.parametrize(
    ("word", "severity"),
    [("CRITICAL", "critical"), ("HIGH", "high"), ("MEDIUM", "medium"), ("LOW", "low"),
     ("ERROR", "high"), ("WARNING", "medium"), ("INFO", "low"), ("INVENTORY", "info"),
     ("SOMETHING", "unknown")],
)  # fmt: skip
def test_it_reads_the_severities_of_every_version(word, severity, report, read):
    report["results"][0]["extra"]["severity"] = word
    assert read(report)[0].severity == severity


def test_it_maps_a_finding_of_the_supply_chain_api(sample, read):
    (found,) = read(sample("supply-chain.semgrep.json"))  # the closed one stays out
    assert found.resource_id == "acme/shop/requirements.txt"
    assert {"repo:acme/shop", "cve:CVE-2021-21330", "cwe:CWE-601"} <= set(found.tags)
    assert found.attributes["vulnerability"]["reachability"] == "conditionally reachable"


def test_it_keeps_the_same_dependency_of_two_repositories_apart(sample, read):
    report = sample("supply-chain.semgrep.json")
    report["vulns"][1]["triage"]["status"] = "NEW"
    first, second = read(report)
    assert first.fingerprint != second.fingerprint


def test_it_reads_a_report_without_results(read_all):
    assert read_all({"version": "1.110.0", "results": [], "errors": [], "paths": {}}) == []
