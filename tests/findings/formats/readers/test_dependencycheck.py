from __future__ import annotations

import pytest

from findings.formats.normalised import Normalised
from findings.formats.registry import recognise, target_of
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

REPORT = "project.dependency-check.json"
BOTH = pytest.mark.parametrize(
    "name", ["project.dependency-check.json", "project.dependency-check.xml"]
)


def _bytes(name):
    return (SAMPLES / name).read_bytes()


@BOTH
def test_it_reads_each_vulnerability_of_each_dependency(name, read_all):
    found = read_all(_bytes(name))
    assert [(each.title, each.severity) for each in found if isinstance(each, Normalised)] == [
        ("CVE-2021-44228 in org.apache.logging.log4j:log4j-core", "critical"),
        ("CVE-2021-45046 in org.apache.logging.log4j:log4j-core", "critical"),
        ("CVE-2020-0003 in native.dll", "medium"),
    ]
    assert found[2].pointer in (
        "/dependencies/0/vulnerabilities/2/name",
        "/analysis/dependencies[1]/dependency[1]/vulnerabilities[1]/vulnerability[3]/name",
    )


def test_it_reads_xml_and_json_the_same(read):
    xml, json = (read(_bytes(f"project.dependency-check.{kind}")) for kind in ("xml", "json"))
    assert xml == json


def test_it_describes_a_dependency(sample, read):
    finding = read(sample(REPORT))[0]
    assert (finding.resource_id, finding.resource_type) == ("shop", "project")
    assert finding.attributes["package"] == {
        "name": "org.apache.logging.log4j:log4j-core",
        "version": "2.14.1",
        "fixed_version": "2.15.0",
        "ecosystem": "maven",
        "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        "path": "/build/libs/log4j-core-2.14.1.jar",
    }
    assert {"cwe:CWE-400", "cwe:CWE-502", "fix_available:true"} <= set(finding.tags)


def test_it_knows_a_dependency_again_in_a_newer_version(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["scanInfo"]["engineVersion"] = "99"
    report["dependencies"].reverse()
    jar = report["dependencies"][2]
    jar["fileName"], jar["filePath"] = "log4j-core-2.14.2.jar", "/w/log4j-core-2.14.2.jar"
    jar["packages"][0]["id"] = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.2"
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_reads_maven_coordinates_of_the_first_schema(read):
    report = _bytes("project.dependency-check.xml").decode()
    package = report[report.index("<package") : report.index("<suppressedVulnerabilityIds")]
    old = '<identifier type="maven"><name>(org.apache.logging.log4j:log4j-core:2.14.1)</name>'
    report = report.replace(package, old + "</identifier>").replace("check.4.0", "check.1.3")
    assert read(report.encode()) == read(_bytes("project.dependency-check.xml"))


def test_it_refuses_a_schema_of_the_future(read_all):
    report = _bytes("project.dependency-check.xml").replace(b"check.4.0", b"check.5.0")
    with pytest.raises(RefusedReport, match="schemas up to 4 are read"):
        read_all(report)


@BOTH
def test_it_says_which_project_was_scanned(name):
    with (SAMPLES / name).open("rb") as file:
        assert target_of(recognise(file), file) == "shop"
