from __future__ import annotations

import pytest


@pytest.fixture
def report(sample):
    return sample("leaks.trufflehog3.json")


def test_it_reads_each_secret(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        ("secret", "medium", "High Entropy in deploy/keys.env"),
        ("secret", "high", "AWS API Key in deploy/keys.env"),
    ]


def test_it_maps_a_secret(report, read):
    found = read(report)[0]
    assert {"scanner:trufflehog3", "rule:high-entropy", "branch:main"} <= set(found.tags)
    assert found.attributes["git"]["commit"] == "0f0f"
    assert found.attributes["secret"]["masked"] == "s3cr****"
    assert found.attributes["code_location"]["line"] == 2


def test_it_knows_a_secret_again_in_another_line_and_commit(report, read):
    before = read(report)[0]
    report[0] |= {"line": "9", "commit": "1f1f"}
    assert read(report)[0].fingerprint == before.fingerprint
