from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Unscanned
from findings.formats.registry import recognise, target_of, unscanned
from findings.formats.streams.records import RefusedReport

MAPPING = {
    "code.gitlab.json": [
        ("static_code_vulnerability", "medium", "src/hash.py", "Use of a broken hash"),
        ("secret", "critical", "src/db.py", "Hardcoded password"),
    ],
    "secrets.gitlab.json": [
        ("secret", "critical", "deploy/.env", "GitLab personal access token in deploy/.env"),
    ],
    "packages.gitlab.json": [
        (
            "library_vulnerability",
            "low",
            "web/yarn.lock",
            "CVE-2017-16137 in debug: Regular Expression Denial of Service",
        ),
    ],
    "image.gitlab.json": [
        (
            "host_and_container_vulnerability",
            "high",
            "registry.example:5000/acme/shop",
            "CVE-2019-3462 in apt",
        ),
    ],
    "site.gitlab.json": [
        (
            "runtime_code_vulnerability",
            "info",
            "https://shop.example",
            "Missing Content-Security-Policy at https://shop.example/cart",
        ),
    ],
    "old.gitlab.json": [
        ("static_code_vulnerability", "high", "A.java", "Unsafe reflection"),
    ],
}
TAGS = {
    "code.gitlab.json": {"scanner:semgrep", "rule:bandit.B303", "cwe:CWE-327", "language:python"},
    "secrets.gitlab.json": {"scanner:gitleaks", "rule:gitlab_personal_access_token"},
    "packages.gitlab.json": {"cve:CVE-2017-16137", "package:debug", "fix_available:true"},
    "image.gitlab.json": {"image:registry.example:5000/acme/shop:7", "fix_available:true"},
    "site.gitlab.json": {"host:shop.example", "cwe:CWE-16", "rule:16.8"},
    "old.gitlab.json": {"scanner:find security bugs", "rule:UNSAFE"},
}


@pytest.mark.parametrize("name", MAPPING)
def test_it_maps_each_kind_of_report(name, sample, read):
    found = read(sample(name))
    assert MAPPING[name] == [
        (each.finding_type, each.severity, each.resource_id, each.title) for each in found
    ]
    assert TAGS[name] <= set(found[0].tags)


def test_it_names_the_package_and_its_fix(sample, read):
    package = read(sample("packages.gitlab.json"))[0].attributes["package"]
    assert (package["ecosystem"], package["purl"]) == ("yarn", "pkg:npm/debug@1.0.5")
    assert package["fixed_version"] == "2.6.9, 3.1.0"
    assert read(sample("image.gitlab.json"))[0].attributes["package"]["fixed_version"] == "1.4.9"


@pytest.mark.parametrize("name", ["code.gitlab.json", "secrets.gitlab.json", "site.gitlab.json"])
def test_it_keeps_no_secret(name, sample, read_all):
    everything = repr(read_all(sample(name)))
    assert "s3cr3t-0000" not in everything
    assert "correct-horse" not in everything


def test_it_knows_a_problem_again_by_the_signature_of_its_scope(sample, read):
    report = sample("code.gitlab.json")
    before = read(report)[0]
    report["vulnerabilities"][0] |= {"id": "99", "description": "Said anew."}
    assert read(report)[0].fingerprint == before.fingerprint


@pytest.mark.parametrize(
    ("name", "target"),
    [("image.gitlab.json", ""), ("site.gitlab.json", "https://shop.example")],
)
def test_it_says_what_was_scanned(name, target, sample):
    file = BytesIO(json.dumps(sample(name)).encode())
    assert target_of(recognise(file), file) == target


def test_it_says_that_a_failed_scan_is_incomplete(sample):
    report = sample("code.gitlab.json")
    report["scan"] |= {"status": "failure", "messages": [{"level": "fatal", "value": "no disk"}]}
    file = BytesIO(json.dumps(report).encode())
    assert list(unscanned(recognise(file), file)) == [Unscanned(reason="no disk")]


def test_it_refuses_a_kind_that_is_not_read(sample, read_all):
    report = sample("code.gitlab.json")
    report["scan"]["type"] = "coverage_fuzzing"
    with pytest.raises(RefusedReport, match="report of coverage fuzzing, which is not read"):
        read_all(report)


def test_it_reads_a_report_without_findings(sample, read_all):
    assert read_all(sample("code.gitlab.json") | {"vulnerabilities": []}) == []


def _leaves(value, path=()):
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key)


def test_it_masks_a_secret_in_every_field_that_quotes_it(sample, read_all):
    secret = sample("secrets.gitlab.json")["vulnerabilities"][0]["raw_source_code_extract"]
    for path in _leaves(sample("secrets.gitlab.json")["vulnerabilities"][0]):
        report = sample("secrets.gitlab.json")
        value = report["vulnerabilities"][0]
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = secret if path == ("raw_source_code_extract",) else f"a {secret} b"
        assert secret not in repr(read_all(report)), path


def test_it_takes_what_a_scanner_of_secrets_found_for_secrets(sample, read):
    """Before GitLab had reports of secrets they came as those of code."""
    leak = {"category": "sast", "name": "Password in URL", "severity": "Critical"}
    leak |= {"cve": "compose.yml:4dd25c:Password in URL", "scanner": {"name": "TruffleHog"}}
    leak |= {"identifiers": [], "location": {"file": "docker-compose.yml", "start_line": 19}}
    (found,) = read({"version": "2.3", "vulnerabilities": [leak]})
    assert (found.finding_type, found.title) == ("secret", "Password in URL in docker-compose.yml")
    leak["location"]["start_line"] = 20
    assert read({"version": "2.3", "vulnerabilities": [leak]})[0].fingerprint == found.fingerprint


def test_it_reads_a_vulnerability_whose_component_is_missing(sample, read):
    report = sample("packages.gitlab.json")
    item = report["vulnerabilities"][0]
    item |= {"cve": "service/go.sum:gopkg.in/yaml.v2:gemnasium:7368f513"}
    item["location"] = {"file": "service/go.sum", "dependency": {"package": {}}}
    found = read(report)[0]
    assert found.finding_type == "library_vulnerability"
    assert found.attributes["package"]["name"] == "gopkg.in/yaml.v2"
