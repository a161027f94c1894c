from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of


@pytest.fixture
def report(sample):
    return sample("repository.code-scanning.json")


def test_it_reads_open_alerts_alone(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        ("static_code_vulnerability", "critical", "SQL query built from user input"),
        ("static_code_vulnerability", "info", "Unused import"),
        ("secret", "high", "Hard-coded credentials"),
        ("library_vulnerability", "medium", "openssl: a flaw"),
    ]


def test_it_maps_an_alert(report, read):
    found = read(report)[0]
    assert found.resource_id == "github.com/acme/shop/shop/views.py"
    expected = {"scanner:codeql", "rule:py/sql-injection", "cwe:CWE-89", "language:python"}
    assert expected | {"repo:github.com/acme/shop"} <= set(found.tags)
    assert found.attributes["code_location"] == {
        "file": "shop/views.py",
        "line": 12,
        "line_end": 12,
    }
    assert "Building a query from user input is unsafe." in found.description
    assert "<https://github.com/acme/shop/security/code-scanning/1>" in found.description


def test_it_names_the_tool_of_each_alert(report, read):
    assert read(report)[3].attributes["scanner"]["name"] == "Trivy"
    for alerts, name in ((report, "GitHub code scanning"), (report[:3], "CodeQL")):
        file = BytesIO(json.dumps(alerts).encode())
        assert recognise(file).scanner(file) == name


def test_it_knows_an_alert_again_after_its_message_and_line_changed(report, read):
    before = read(report)[0]
    report[0]["most_recent_instance"] |= {"message": {"text": "Said anew."}}
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_says_which_repository_was_scanned(report):
    file = BytesIO(json.dumps(report).encode())
    assert target_of(recognise(file), file) == "github.com/acme/shop"
