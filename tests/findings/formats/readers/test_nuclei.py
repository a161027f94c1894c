from __future__ import annotations

import json

import pytest

from tests.findings.formats.conftest import SAMPLES

LINES = (SAMPLES / "lines.nuclei.jsonl").read_bytes()


@pytest.fixture
def matches():
    return [json.loads(line) for line in LINES.splitlines()]


def test_it_maps_a_match_of_a_known_vulnerability(read):
    found = read(LINES)[0]
    assert (found.finding_type, found.severity) == ("host_and_container_vulnerability", "critical")
    assert (found.resource_id, found.resource_type) == ("wiki.example.com", "host")
    assert {"cve:CVE-2023-22515", "cwe:CWE-20", "label:kev"} <= set(found.tags)
    assert found.attributes["cvss"] == 10
    assert "Update to 8.3.3 or later." in found.description


def test_it_tells_an_attack_on_an_application_from_an_exposed_token_or_setting(sample, read):
    report = sample("list.nuclei.json")
    attack, token = read(report)
    assert (attack.finding_type, token.finding_type) == ("runtime_code_vulnerability", "secret")
    report[1]["template-id"] = report[1]["info"]["name"] = "git-config"
    report[1]["info"]["tags"] = "exposure,config,git"
    assert read(report)[1].finding_type == "misconfiguration"


def test_it_stores_no_request_answer_or_payload(read):
    assert "not-to-be-stored" not in repr(read(LINES))
    assert "token=abc" not in repr(read(LINES))


def test_it_stores_no_password_of_an_address(sample, read):
    assert "hidden" not in repr(read(sample("list.nuclei.json")))


def test_it_masks_what_was_extracted_where_it_may_be_a_secret(sample, read):
    found = read(sample("list.nuclei.json"))[1]
    assert "`ghp_****`" in found.description
    assert "notARealToken" not in repr(found)


def test_it_shows_what_was_extracted_elsewhere(read):
    assert "`nginx/1.25.3`" in read(LINES)[1].description


def test_it_takes_one_matcher_at_one_place_for_one_finding(matches, read):
    assert len(read(matches)) == 2
    matches[2]["matcher-name"] = "apache"
    assert len(read(matches)) == 3


def test_it_knows_a_match_again_with_another_payload(matches, read):
    before = read(matches)[0]
    matches[0]["matched-at"] = "https://wiki.example.com/setup/setupadministrator.action?token=xyz"
    matches[0]["timestamp"] = "2026-11-02T08:11:00Z"
    assert read(matches)[0].fingerprint == before.fingerprint


def test_it_knows_a_match_again_when_its_template_learns_of_a_cve(matches, read):
    before = read(matches)[1]
    matches[1]["info"]["classification"] = {"cve-id": ["CVE-2026-1001"]}
    found = read(matches)[1]
    assert found.fingerprint == before.fingerprint
    assert found.finding_type != before.finding_type


def test_it_names_the_host_without_its_port(matches, read):
    matches[0]["host"] = "https://[2001:db8::7]:8443/"
    assert "host:[2001:db8::7]" in read(matches)[0].tags


def test_it_reads_the_same_of_lines_and_of_a_list(matches, read):
    assert read(LINES) == read(matches)


def test_it_takes_the_host_from_where_it_matched(matches, read):
    for match in matches:
        del match["host"]
    assert {each.resource_id for each in read(matches)} == {"wiki.example.com"}


def test_it_reads_a_single_line(matches, read):
    assert len(read(json.dumps(matches[0]).encode())) == 1


def test_it_keeps_out_what_did_not_match(matches, read):
    assert "iis" not in repr(read(matches))


@pytest.mark.parametrize(
    "wrong",
    [{"info": None}, {"info": {"tags": 7, "reference": {}}}, {"extracted-results": "one"},
     {"matched-at": "://@?#"}, {"host": "http://[::1"}, {"info": {"classification": []}}],
)  # fmt: skip
def test_it_reads_a_match_with_wrong_fields(wrong, matches, read):
    assert len(read([matches[0] | wrong])) == 1
