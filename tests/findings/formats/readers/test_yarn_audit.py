from __future__ import annotations

import json

import pytest

from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

V1 = (SAMPLES / "v1.yarn-audit.jsonl").read_bytes()
V4 = (SAMPLES / "v4.yarn-audit.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("report", "severity", "title"),
    [
        (V1, "high", "GHSA-p6mc-m468-83gw in lodash: Prototype Pollution"),
        (V4, "medium", "GHSA-p6mc-m468-83gw in lodash: Prototype Pollution in lodash"),
    ],
    ids=["v1", "v4"],
)
def test_it_reads_each_advisory_once(report, severity, title, read):
    (found,) = read(report)
    assert (found.finding_type, found.severity, found.title) == (
        "library_vulnerability",
        severity,
        title,
    )
    assert {"scanner:yarn audit", "package:lodash", "language:javascript"} <= set(found.tags)
    assert found.attributes["package"]["purl"] == "pkg:npm/lodash@4.17.15"


def test_it_maps_what_version_1_says(read):
    (found,) = read(V1)
    assert {"cve:CVE-2020-8203", "cwe:CWE-1321", "fix_available:true"} <= set(found.tags)
    assert found.attributes["package"]["fixed_version"] == ">=4.17.19"
    assert found.attributes["cvss"] == 7.4
    assert "- api > async > lodash\n- web > lodash" in found.description


def test_it_maps_what_version_4_says(read):
    (found,) = read(V4)
    assert "Versions <4.17.19 are vulnerable." in found.description
    assert "- async@npm:2.6.0\n- web@workspace:." in found.description


def test_it_is_the_same_finding_in_both(read):
    assert read(V1)[0].fingerprint == read(V4)[0].fingerprint


def test_it_reads_a_summary_without_advisories(read_all):
    assert read_all({"type": "auditSummary", "data": {"vulnerabilities": {}}}) == []


def test_it_refuses_the_lines_of_another_program(read_all):
    lines = [{"type": "push", "data": {"id": 1}}, {"type": ["push"], "data": {"id": 2}}]
    with pytest.raises(RefusedReport, match="none is of yarn's audit"):
        read_all("\n".join(map(json.dumps, lines)).encode())
