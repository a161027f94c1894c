from __future__ import annotations

from findings.formats.normalised import Rejected

REPORT = "cluster.kube-bench.json"


def test_it_reads_what_failed(sample, read_all):
    *found, rejected = read_all(sample(REPORT))
    title = "Ensure that the --profiling argument is set to false"
    assert [each.title for each in found] == [title, title]
    assert {each.severity for each in found} == {"medium"}
    assert isinstance(rejected, Rejected)
    assert rejected.pointer == "/Controls/1/tests/0/results/0/test_desc"


def test_it_describes_a_failed_check(sample, read):
    finding = read(sample(REPORT))[0]
    assert finding.resource_id == "kubernetes/master"
    assert finding.attributes["rule"]["id"] == "1.2.15"
    assert {"benchmark:cis-1.9", "section:API Server"} <= set(finding.tags)
    assert "'--profiling' is equal to 'false'" in finding.description
    assert "set --profiling=false" in finding.attributes["remediation"]["recommended"]


def test_it_knows_a_check_again_that_a_newer_benchmark_numbers_otherwise(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    for test in report["Controls"][0]["tests"]:
        for result in test["results"]:
            result["test_number"] = "9." + result["test_number"]
            result["test_desc"] = result["test_desc"].replace("(Automated)", "(Scored)")
    report["Controls"][0]["version"] = "cis-2.0"
    assert [f.fingerprint for f in read(report)] == [f.fingerprint for f in before]


def test_it_knows_checks_again_in_another_order(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["Controls"][0]["tests"].reverse()
    report["Controls"].reverse()
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_reads_the_bare_list_of_older_versions(sample, read):
    report = sample(REPORT)
    found = read(report["Controls"])
    assert [f.fingerprint for f in found] == [f.fingerprint for f in read(report)]


def test_it_reads_a_run_without_controls(read_all):
    assert read_all({"Controls": [], "Totals": {"total_fail": 0}}) == []
