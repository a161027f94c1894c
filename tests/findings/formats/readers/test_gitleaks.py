from __future__ import annotations

import pytest

RAW = ("ghp_0000notARealToken0000000000000000000", "0123456789abcdef-not-real-us11")


@pytest.mark.parametrize("name", ["v8.gitleaks.json", "v7.gitleaks.json"])
def test_it_never_lets_a_secret_out(name, sample, read_all):
    everything = repr(read_all(sample(name)))
    assert not any(raw in everything for raw in RAW)


def test_it_shows_which_secret_it_is(sample, read):
    assert read(sample("v8.gitleaks.json"))[0].attributes["secret"]["masked"] == "ghp_****"


def test_it_knows_a_secret_again_in_another_line_and_commit(sample, read):
    report = sample("v8.gitleaks.json")
    report[0] |= {"StartLine": 99, "Commit": "another"}
    before = read(sample("v8.gitleaks.json"))
    assert read(report)[0].fingerprint == before[0].fingerprint


def test_it_tells_redacted_secrets_apart_by_commit_and_line(sample, read):
    leak = sample("v8.gitleaks.json")[1]
    first, second = read([leak, leak | {"StartLine": 5}])
    assert first.fingerprint != second.fingerprint


def test_it_shows_nothing_of_a_short_secret(sample, read):
    leak = sample("v8.gitleaks.json")[0] | {"Secret": "hunter2", "File": "hunter2.txt"}
    finding = read([leak])[0]
    assert finding.attributes["secret"]["masked"] == "****"
    assert "hunter2" not in repr(finding)
