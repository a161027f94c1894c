from __future__ import annotations

from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of
from tests.findings.formats.conftest import SAMPLES

XML = (SAMPLES / "project.checkmarx.xml").read_bytes()


def test_it_reads_open_results_of_xml_alone(read):
    (found,) = read(XML)
    assert (found.finding_type, found.severity) == ("static_code_vulnerability", "medium")
    assert (found.title, found.resource_id) == ("SQL Injection", "shop/src/main/Db.java")
    expected = {"scanner:checkmarx", "rule:SQL_Injection", "cwe:CWE-89", "repo:shop"}
    assert expected | {"language:java", "category:Java_High_Risk"} <= set(found.tags)
    assert found.attributes["code_location"]["line"] == 12
    way = "From `getParameter` in `src/main/Web.java` to `executeQuery` in `src/main/Db.java`."
    assert way in found.description


def test_it_keeps_no_credential_of_the_code(read):
    assert "correct-horse" not in repr(read(XML))


def test_it_reads_open_results_of_json_alone(sample, read):
    found = read(sample("scan.checkmarx.json"))
    assert [(each.finding_type, each.severity, each.resource_id, each.title) for each in found] == [
        ("static_code_vulnerability", "high", "src/main/Db.java", "SQL Injection"),
        ("iac_misconfiguration", "medium", "k8s/api.yaml", "Container Running As Root"),
        ("library_vulnerability", "high", "web/package.json", "CVE-2021-23337 in lodash"),
    ]


def test_it_maps_results_of_json(sample, read):
    code, iac, package = read(sample("scan.checkmarx.json"))
    assert {"cwe:CWE-89", "rule:SQL_Injection"} <= set(code.tags)
    assert code.first_seen_at.isoformat() == "2026-01-02T03:04:05+00:00"
    assert "Expected: runAsNonRoot should be set" in iac.description
    assert "iac:kubernetes" in iac.tags
    expected = {"cve:CVE-2021-23337", "cwe:CWE-77", "package:lodash", "language:javascript"}
    assert expected | {"fix_available:true"} <= set(package.tags)
    assert package.attributes["package"]["fixed_version"] == "4.17.21"
    assert package.attributes["cvss"] == 7.2


@pytest.mark.parametrize("change", [(b'Line="12"', b'Line="99"'), (b'NodeId="1"', b'NodeId="9"')])
def test_it_knows_a_result_again_by_its_similarity(change, read):
    assert read(XML.replace(*change))[0].fingerprint == read(XML)[0].fingerprint


def test_it_says_which_project_was_scanned():
    file = BytesIO(XML)
    assert target_of(recognise(file), file) == "shop"


def test_it_reads_a_scan_without_results(read_all):
    assert read_all({"results": [], "totalCount": 0, "scanID": "x"}) == []
