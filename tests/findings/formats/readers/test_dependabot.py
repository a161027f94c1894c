from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of


@pytest.fixture
def report(sample):
    return sample("repository.dependabot.json")


def test_it_reads_open_alerts_alone(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        (
            "library_vulnerability",
            "high",
            "CVE-2018-6188 in django: Django leaks information",
        ),
        ("library_vulnerability", "medium", "GHSA-aaaa-bbbb-cccc in @acme/ui: UI is unsafe"),
    ]


def test_it_maps_an_alert(report, read):
    found = read(report)[0]
    assert (found.resource_id, found.resource_type) == ("github.com/acme/shop", "repository")
    assert found.first_seen_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    expected = {"repo:github.com/acme/shop", "cwe:CWE-200", "language:python", "package:django"}
    assert expected | {"fix_available:true", "scanner:dependabot"} <= set(found.tags)
    package = found.attributes["package"]
    assert (package["purl"], package["path"]) == ("pkg:pypi/django", "api/requirements.txt")
    assert package["fixed_version"] == "2.0.2"
    assert (found.attributes["cvss"], found.attributes["vulnerability"]["epss"]) == (7.5, 0.03)
    assert found.attributes["advisory"]["aliases"] == ["CVE-2018-6188", "GHSA-rf4j-j272-fj86"]


def test_it_knows_an_alert_again_by_another_number(report, read):
    before = read(report)[0]
    report[0] |= {"number": 9, "html_url": "https://github.com/acme/shop/security/dependabot/9"}
    assert read(report)[0].fingerprint == before.fingerprint


def test_it_tells_repositories_apart(report, read):
    before = read(report)[0]
    report[0]["repository"] = {"full_name": "acme/site"}
    found = read(report)[0]
    assert found.resource_id == "github.com/acme/site"
    assert found.fingerprint != before.fingerprint


def test_it_says_which_repository_was_scanned(report):
    file = BytesIO(json.dumps(report[:5]).encode())
    assert target_of(recognise(file), file) == "github.com/acme/shop"
