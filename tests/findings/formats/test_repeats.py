"""What a report holds more than once: one finding, with all that each record of it adds."""

from __future__ import annotations

import pytest

from findings.formats.normalised import Rejected, normalise_mapped
from findings.formats.shapes import merging
from tests.findings.formats.conftest import LATEST

COUNTED = {
    "code.bandit.json": "results",
    "code.gosec.json": "Issues",
    "code.semgrep.json": "results",
    "pentest.generic.json": "findings",
}


@pytest.mark.parametrize(("name", "key"), COUNTED.items())
def test_it_counts_a_record_once_that_is_there_twice(name, key, sample, read):
    report = sample(name)
    before = read(report)
    report[key] = [each for each in report[key] for _ in range(2)]
    assert [f.fingerprint for f in read(report)] == [f.fingerprint for f in before]


def _place(file, line):
    artifact = {"uri": file}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}


def _sarif(*results):
    results = [{"ruleId": "R1", "message": {"text": "m"}} | each for each in results]
    run = {"tool": {"driver": {"name": "Any"}}, "results": results}
    return {"version": "2.1.0", "runs": [run]}


@pytest.mark.parametrize(
    ("results", "count"),
    [
        ([{"locations": [_place("a.py", 3)]}] * 3, 1),
        ([{"locations": [_place("a.py", 3)], "guid": each} for each in "abc"], 1),
        ([{"locations": [_place("a.py", line)]} for line in (3, 3, 9)], 2),
        ([{"guid": each} for each in "abc"], 1),
        ([{"rank": each} for each in (1, 2)], 2),
        ([{"locations": [_place("a.py", 3), _place("a.py", 3), _place("b.py", 3)]}], 2),
    ],
)
def test_it_counts_equal_results_at_one_place_once(results, count, read):
    found = read(_sarif(*results))
    assert len(found) == len({each.fingerprint for each in found}) == count


def test_it_knows_the_other_places_of_a_result_when_the_first_is_fixed(read):
    places = [_place(file, 1) for file in ("a.py", "b.py", "c.py")]
    before = {f.resource_id: f.fingerprint for f in read(_sarif({"locations": places}))}
    after = {f.resource_id: f.fingerprint for f in read(_sarif({"locations": places[1:]}))}
    alone = read(_sarif({"locations": places[:1]}))[0]
    assert before == {"a.py": alone.fingerprint} | after
    assert len(after) == 2


def _snyk():
    common = {"id": "SNYK-JS-LODASH-1", "severity": "low", "packageName": "lodash", "title": "m"}
    return {"ok": False, "projectName": "shop", "packageManager": "npm", "vulnerabilities": [
        common | {"version": "4.17.15", "from": ["shop", "a", "lodash"], "fixedIn": ["4.17.21"]},
        common | {"version": "3.10.1", "from": ["shop", "b", "lodash"], "severity": "high"},
        common | {"version": "4.17.15", "from": ["shop", "c", "lodash"], "fixedIn": ["5.0.0"]},
    ]}  # fmt: skip


def _trivy():
    common = {"VulnerabilityID": "CVE-2021-23337", "PkgName": "lodash", "Severity": "LOW"}
    versions = [("4.17.15", "4.17.21"), ("3.10.1", ""), ("4.17.15", "5.0.0")]
    found = [common | {"InstalledVersion": one, "FixedVersion": fix} for one, fix in versions]
    found[1]["Severity"] = "HIGH"
    target = {"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm"}
    results = [target | {"Vulnerabilities": found}]
    return {"SchemaVersion": 2, "ArtifactName": ".", "Results": results}


def _grype():
    return {"source": {"type": "directory", "target": "."}, "descriptor": {"name": "grype"},
            "matches": [
        {"vulnerability": {"id": "GHSA-1", "severity": severity, "fix": {"versions": fix}},
         "relatedVulnerabilities": [],
         "artifact": {"name": "lodash", "version": version, "type": "npm",
                      "locations": [{"path": "/package-lock.json"}]}}
        for version, fix, severity in (
            ("4.17.15", ["4.17.21"], "Low"), ("3.10.1", [], "High"), ("4.17.15", ["5.0.0"], "Low"))
    ]}  # fmt: skip


def _cyclonedx():
    components = [
        {"bom-ref": version, "name": "lodash", "version": version, "purl": "pkg:npm/lodash"}
        for version in ("4.17.15", "3.10.1")
    ]
    fixes = [("4.17.15", "4.17.21", "low"), ("3.10.1", "5.0.0", "high")]
    vulnerabilities = [
        {"id": "CVE-2021-23337", "ratings": [{"severity": severity}],
         "affects": [{"ref": ref, "versions": [{"version": fix, "status": "unaffected"}]}]}
        for ref, fix, severity in fixes
    ]  # fmt: skip
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": components,
        "vulnerabilities": vulnerabilities,
    }


MERGED = [_snyk(), _trivy(), _grype(), _cyclonedx()]


@pytest.mark.parametrize("report", MERGED, ids=["snyk", "trivy", "grype", "cyclonedx"])
def test_it_keeps_all_versions_fixes_and_the_worst_severity(report, read):
    (found,) = read(report)
    assert found.attributes["package"]["version"] == "4.17.15, 3.10.1"
    assert found.attributes["package"]["fixed_version"] == "4.17.21, 5.0.0"
    assert found.severity == "high"
    assert "fix_available:true" in found.tags
    assert "lodash 4.17.15, 3.10.1" in found.description


def test_it_keeps_all_ways(read):
    (found,) = read(_snyk())
    assert all(f"shop > {each} > lodash" in found.description for each in "abc")


def test_it_holds_no_more_than_it_must(monkeypatch, read):
    monkeypatch.setattr(merging, "HELD", 2)
    report = _trivy()
    found = report["Results"][0]["Vulnerabilities"]
    others = [found[0] | {"PkgName": f"p{n}"} for n in range(5)]
    report["Results"][0]["Vulnerabilities"] = [found[0], *others, found[1]]
    names = [each.attributes["package"]["name"] for each in read(report)]
    assert names == ["lodash", "p0", "p1", "p2", "p3", "p4"]


WITHOUT_A_PLACE = {
    "code.bandit.json": ("results", {"filename": ""}),
    "code.gosec.json": ("Issues", {"file": None}),
    "code.semgrep.json": ("results", {"path": ""}),
    "new.tfsec.json": ("results", {"location": {}}),
    "terraform.checkov.json": ("results", None),
    "image.trivy.json": ("Results", {"Target": ""}),
}


@pytest.mark.parametrize(("name", "change"), WITHOUT_A_PLACE.items())
def test_it_loses_nothing_that_has_no_place(name, change, sample, read_all):
    report = sample(name)
    before = [each for each in read_all(report) if isinstance(each, Rejected)]
    key, changes = change
    if changes is None:
        report[key]["failed_checks"][0]["file_path"] = ""
    else:
        report[key][0] |= changes
    if "ArtifactName" in report:
        report["ArtifactName"] = ""
    after = read_all(report)
    assert [each for each in after if isinstance(each, Rejected)] == before


def test_it_points_at_what_is_in_the_file():
    ours = {"finding_type": "secret", "severity": "low", "title": "", "resource_id": ""}
    refused = normalise_mapped(ours, position=3, at="/Issues/3", latest=LATEST)
    assert isinstance(refused, Rejected)
    assert refused.pointer == "/Issues/3"
