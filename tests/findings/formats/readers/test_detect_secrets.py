from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("baseline.detect-secrets.json")


def test_it_maps_a_secret(report, read):
    verified, other = read(report)
    assert (verified.finding_type, verified.severity) == ("secret", "critical")
    assert (other.severity, other.resource_id) == ("high", "deploy/keys.env")
    assert verified.attributes["code_location"] == {"file": "deploy/keys.env", "line": 3}


def test_it_never_shows_the_digest_of_a_secret(report, read_all):
    everything = repr(read_all(report))
    assert "25910f981e85" not in everything
    assert "bd564db5d5cc" not in everything


def test_it_keeps_out_what_a_person_said_is_none(report, read):
    assert "fixtures" not in repr(read(report))


def test_it_takes_the_file_from_above_where_a_secret_names_none(report, read):
    report["results"]["tests/fixtures.py"][0]["is_secret"] = True
    assert read(report)[2].resource_id == "tests/fixtures.py"


def test_it_knows_a_secret_by_its_digest(report, read):
    before = read(report)[0]
    report["version"] = "2.0.0"
    report["results"]["deploy/keys.env"][0]["line_number"] = 99
    assert read(report)[0].fingerprint == before.fingerprint
    report["results"]["deploy/keys.env"][0]["hashed_secret"] = "another"
    assert read(report)[0].fingerprint != before.fingerprint


def test_it_reads_a_baseline_without_secrets(read_all):
    assert read_all({"version": "1.5.0", "plugins_used": [], "results": {}}) == []
