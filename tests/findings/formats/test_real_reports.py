"""Real reports beside another tool's count of them, in a folder named by REPORTS_DIR.

The folder holds the reports and `expected.json`: [{"file", "format", "findings", "severities"}].
"""

from __future__ import annotations

import json
import os
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

from findings.formats.streams.records import outline
from tests.findings.formats.conftest import claimed_by, outcomes

FOLDER = Path(os.environ.get("REPORTS_DIR", "."))
EXPECTED = FOLDER / "expected.json"
EMPTY = "osv_scanner/no_findings.json"  # holds no byte: refused, see test_refusals
CASES = [
    pytest.param(case, id=case["file"])
    for case in (json.loads(EXPECTED.read_text()) if EXPECTED.exists() else [])
    if case["file"] != EMPTY
]

BETTER_FOUNDED = {
    # What passed its control is no problem.
    "awssecurityhub/config_one_finding.json": {},
    "awssecurityhub/config_many_findings.json": {},
    # The report says "Informational".
    "aws_prowler/many_vuln.csv": {"High": 1, "Medium": 2, "Info": 1},
    # Its only vulnerability is analysed as `not_affected`.
    "cyclonedx/issue_8022.json": {},
    # Five rows about five addresses are five findings; the other tool merges them by title.
    "generic/generic_report1.csv": {"Low": 5},
    # Both are mitigated.
    "generic/generic_report3.csv": {},
    # It is not active.
    "generic/generic_csv_with_epss.csv": {},
    # PASS is no finding.
    "aws_prowler/issue4450.csv": {"High": 3},
    # Nor is MANUAL: nobody has looked yet.
    "prowler/example_output_aws.csv": {"Low": 1, "Medium": 1},
    # A person marked the fourth as no secret (`is_secret` false).
    "detect_secrets/many_findings.json": {"High": 3},
    # One of its records is in it twice, byte by byte.
    "bandit/dd2.json": {"Medium": 141, "Low": 23},
    # `debug` is vulnerable by two advisories.
    "npm_audit_7_plus/one_vuln.json": {"Medium": 1, "High": 1},
    # Neither report says how severe anything is.
    "osv_scanner/multi_cwe_fabricated.json": {"Unknown": 1},
    "pip_audit/many_vulns.json": {"Unknown": 7},
    # The same line number in two repositories is two problems; the critical one is closed.
    "semgrep/sca-deployments-vulns.json": {"High": 21},
    # Three of its four results carry an external suppression without status: accepted (3.35.3).
    "sarif/SuppressionTestCurrent.sarif": {"Medium": 1},
    # Its only result is suppressed, with status `accepted`.
    "sarif/appendix_k4.sarif": {},
    # The level knows three severities; the results' own `securityRisk` knows all five.
    "sarif/blackduck_nested_fingerprints.sarif": {"Critical": 1, "High": 2, "Medium": 1, "Low": 1},
}


@pytest.mark.skipif(not CASES, reason="REPORTS_DIR names no folder with expected.json")
@pytest.mark.parametrize("case", CASES)
def test_it_counts_a_real_report(case):
    name = "generic" if case["file"].startswith("generic/") else ""  # some have no place
    findings = outcomes((FOLDER / case["file"]).read_bytes(), name=name)
    severities = Counter(finding.severity.capitalize() for finding in findings)
    assert severities == BETTER_FOUNDED.get(case["file"], case["severities"])
    assert len({finding.fingerprint for finding in findings}) == len(findings)


@pytest.mark.skipif(not CASES, reason="REPORTS_DIR names no folder with expected.json")
@pytest.mark.parametrize("case", CASES)
def test_it_is_claimed_by_one_format_alone(case):
    report = (FOLDER / case["file"]).read_bytes()
    claimed = claimed_by(report)
    assert len(claimed) == (0 if outline(BytesIO(report)).is_nothing else 1), claimed
