from __future__ import annotations

import json
from base64 import b64encode

import pytest

from tests.findings.formats.conftest import SAMPLES

V3 = (SAMPLES / "v3.trufflehog.jsonl").read_bytes()
V2 = (SAMPLES / "v2.trufflehog.jsonl").read_bytes()


@pytest.fixture
def secrets():
    return [json.loads(line) for line in V3.splitlines()]


def test_it_maps_a_secret_that_was_tried(read):
    found = read(V3)[0]
    assert (found.finding_type, found.severity) == ("secret", "critical")
    assert found.resource_id == "github.com/acme/shop/deploy/keys.env"
    assert {"rule:AWS", "repo:github.com/acme/shop", "verified:true"} <= set(found.tags)
    assert found.attributes["secret"]["details"]["account"] == "595918472158"


def test_it_says_what_was_not_tried_or_could_not_be(read):
    _, untried, failed = read(V3)
    assert "verified:false" in untried.tags
    assert not any(tag.startswith("verified:") for tag in failed.tags)
    assert {untried.severity, failed.severity} == {"high"}


def test_it_maps_a_secret_of_an_image(read):
    found = read(V3)[2]
    assert found.resource_id == "ghcr.io/acme/shop/app/.env"
    assert "image:ghcr.io/acme/shop" in found.tags


@pytest.mark.parametrize("report", [V2, V3], ids=["v2", "v3"])
def test_it_never_lets_a_secret_out(report, read_all):
    everything = repr(read_all(report))
    for raw in ("NOTAREALKEY", "correct-horse", "notarealtoken"):
        assert raw not in everything


def test_it_passes_over_lines_of_its_log(read_all):
    assert "finished scanning" not in repr(read_all(V3))


def test_it_knows_a_secret_again_in_another_line_and_commit(secrets, read):
    before = read(secrets)[0]
    secrets[0]["SourceMetadata"]["Data"]["Git"] |= {"line": 99, "commit": "another"}
    secrets[0] |= {"Verified": False, "RawV2": "as a later version writes it"}
    assert read(secrets)[0].fingerprint == before.fingerprint


def test_it_knows_a_secret_by_what_is_shown_of_it_in_a_redacted_report(secrets, read):
    del secrets[0]["Raw"], secrets[0]["RawV2"]
    other = secrets[0] | {"Redacted": "AKIA1111NOTAREALKEY1"}
    first, second = read([secrets[0], other])
    assert first.fingerprint != second.fingerprint


def test_it_knows_a_secret_that_an_early_version_wrote_in_base64(secrets, read):
    before = read(secrets)[0]
    raw = secrets[0]["Raw"]
    secrets[0] |= {"Raw": b64encode(raw.encode()).decode(), "RawV2": "", "ExtraData": {"id": raw}}
    found = read(secrets)[0]
    assert found.fingerprint == before.fingerprint
    assert raw not in repr(found)


def test_it_maps_each_string_of_version_2_once(read):
    first, second = read(V2)  # found again in an older commit
    assert first.fingerprint != second.fingerprint
    assert first.attributes["secret"]["masked"] == "AKIA****"
    assert {"rule:AWS API Key", "branch:main"} <= set(first.tags)
