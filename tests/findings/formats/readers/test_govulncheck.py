from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.readers import govulncheck
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

MESSAGES = (SAMPLES / "messages.govulncheck.jsonl").read_text()


@pytest.fixture
def messages():
    decoder, found, rest = json.JSONDecoder(), [], MESSAGES.strip()
    while rest:
        message, end = decoder.raw_decode(rest)
        found.append(message)
        rest = rest[end:].lstrip()
    return found


def test_it_maps_a_vulnerability_by_its_farthest_reach(messages, read):
    called, imported = read(messages)
    assert called.attributes["vulnerability"]["reachability"] == "called"
    assert "example.com/shop/web.*Server.locale > golang.org/x/text/language.Parse" in (
        called.description
    )
    assert "Called from `web/locale.go`, line 12." in called.description
    assert imported.attributes["vulnerability"]["reachability"] == "imported, not called"
    assert {"cve:CVE-2021-38561", "package:golang.org/x/text", "language:go"} <= set(called.tags)
    assert called.attributes["package"]["fixed_version"] == "v0.3.7"


def test_it_reads_the_same_of_a_stream_and_of_a_list(messages, read):
    assert read(MESSAGES.encode()) == read(messages)


def test_it_finds_nothing_where_only_the_database_has_an_entry(messages, read):
    assert "GO-2020-0015" not in repr(read(messages))


def test_it_keeps_a_finding_whose_entry_is_missing(messages, read):
    kept = [each for each in messages if "osv" not in each]
    assert sorted(each.fingerprint for each in read(kept)) == sorted(
        each.fingerprint for each in read(messages)
    )


def test_it_rejects_a_finding_without_a_module(messages, read_all):
    messages.append({"finding": {"osv": "GO-2021-0113", "trace": []}})
    assert read_all(messages)[-1].pointer == f"/{len(messages) - 1}/finding/trace/0/module"


def test_it_reads_the_document_of_before_1_0(sample, read):
    (found,) = read(sample("old.govulncheck.json"))  # two symbols, one problem
    assert found.attributes["vulnerability"]["reachability"] == "called"
    assert found.attributes["package"]["version"] == "v1.19.0"
    assert found.attributes["package"]["fixed_version"] == "1.18.7, 1.19.2"


def test_it_knows_a_vulnerability_again_across_versions(messages, sample, read):
    old = sample("old.govulncheck.json")
    old["Vulns"][0] |= {"OSV": {"id": "GO-2021-0113"}, "ModPath": "golang.org/x/text"}
    assert read(old)[0].fingerprint == read(messages)[0].fingerprint


def test_it_names_the_project(messages, sample, read):
    called, imported = read(messages)
    assert called.resource_id == imported.resource_id == "example.com/shop"
    for report in (MESSAGES.encode(), json.dumps(sample("old.govulncheck.json")).encode()):
        assert govulncheck.target(BytesIO(report)) == "example.com/shop"


def test_it_tells_the_project_by_where_a_way_begins_before_1_1(messages, read):
    found = read([each for each in messages if "SBOM" not in each])
    assert {each.resource_id for each in found} == {"example.com/shop"}


def test_it_takes_the_package_where_nothing_names_the_project(messages, read):
    kept = [each for each in messages if "SBOM" not in each]
    for message in kept:
        message.get("finding", {"trace": []})["trace"][1:] = []
    assert {each.resource_id for each in read(kept)} == {"golang.org/x/text", "stdlib"}


def test_it_takes_a_severity_where_an_entry_has_one(messages, read):
    entry = next(each["osv"] for each in messages if "osv" in each)
    entry["severity"] = [
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}
    ]
    assert read(messages)[0].severity == "high"


def test_it_reads_a_scan_that_found_nothing(messages, read_all):
    assert read_all(messages[:3]) == []
    assert read_all("\n".join(map(json.dumps, messages[:3])).encode()) == []


def test_it_does_not_take_any_configuration_for_a_report(read_all):
    with pytest.raises(RefusedReport, match="none of the reports"):
        read_all({"config": {"debug": True}})
