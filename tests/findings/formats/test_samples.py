"""One small report of each format: what it is taken for, and what comes of each record."""

from __future__ import annotations

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise, target_of
from tests.findings.formats.conftest import LATEST, SAMPLES

CODE, IAC, LIBRARY = "static_code_vulnerability", "iac_misconfiguration", "library_vulnerability"
PACKAGE, MISCONFIGURATION = "host_and_container_vulnerability", "misconfiguration"

TABLE = {
    "code.sarif": (
        "sarif",
        "CodeQL",
        [(CODE, "high"), (CODE, "info"), (CODE, "info"), ("secret", "low"), "/runs/0/results/6"],
    ),
    "njsscan.sarif": ("sarif", "nodejsscan", [(CODE, "high"), (CODE, "high")]),
    "image.trivy.json": (
        "trivy",
        "Trivy",
        [
            (PACKAGE, "high"),
            "/Results/0/Vulnerabilities/1/VulnerabilityID",
            (LIBRARY, "critical"),
            (IAC, "high"),
            ("secret", "critical"),
        ],
    ),
    "cluster.trivy.json": ("trivy", "Trivy", [(MISCONFIGURATION, "medium"), (PACKAGE, "low")]),
    "legacy.trivy.json": ("trivy", "Trivy", [(PACKAGE, "unknown")]),
    "image.grype.json": (
        "grype",
        "Grype",
        [(LIBRARY, "high"), (PACKAGE, "info"), "/matches/2/artifact/name"],
    ),
    "v8.gitleaks.json": (
        "gitleaks",
        "Gitleaks",
        [("secret", "critical"), ("secret", "high"), "/2"],
    ),
    "v7.gitleaks.json": ("gitleaks", "Gitleaks", [("secret", "high")]),
    "own.json": (
        "json",
        "nightly-scan",
        [(MISCONFIGURATION, "critical"), "/findings/1/severity", ("identity_risk", "low")],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_it_reads_each_record_of_a_sample(name):
    format_name, scanner, expected = TABLE[name]
    with (SAMPLES / name).open("rb") as file:
        found = recognise(file)
        outcomes = list(found.read(file, latest=LATEST))
        assert (found.NAME, found.scanner(file)) == (format_name, scanner)
    assert expected == [
        each.pointer if isinstance(each, Rejected) else (each.finding_type, each.severity)
        for each in outcomes
    ]


TARGETS = {
    "code.sarif": "github.com/acme/shop",
    "image.trivy.json": "ghcr.io/acme/api",
    "cluster.trivy.json": "kind",
    "image.grype.json": "registry.example:5000/acme/api",
    "v7.gitleaks.json": "acme/site",
    "v8.gitleaks.json": "",
    "legacy.trivy.json": "",
    "own.json": "",
}


@pytest.mark.parametrize("name", TARGETS)
def test_it_says_what_was_scanned(name):
    report = (SAMPLES / name).open("rb")
    with report:
        assert target_of(recognise(report), report) == TARGETS[name]
