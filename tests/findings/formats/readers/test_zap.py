from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Normalised
from findings.formats.registry import recognise, target_of
from tests.findings.formats.conftest import SAMPLES

REPORT = "site.zap.json"


def _bytes(name):
    return (SAMPLES / name).read_bytes()


@pytest.mark.parametrize("name", ["site.zap.json", "site.zap.xml"])
def test_it_reads_each_alert_of_each_site(name, read_all):
    found = read_all(_bytes(name))
    findings = [each for each in found if isinstance(each, Normalised)]
    assert [(each.title, each.severity) for each in findings] == [
        ("Cookie Without Secure Flag at https://shop.example", "low"),
        ("SQL Injection at https://shop.example", "high"),
        ("Cookie Without Secure Flag at http://admin.shop.example:8080", "low"),
    ]
    assert len(found) == 4


def test_it_points_at_an_alert_without_a_name(read_all):
    pointers = [
        next(each.pointer for each in read_all(_bytes(name)) if not isinstance(each, Normalised))
        for name in ("site.zap.json", "site.zap.xml")
    ]
    assert pointers == [
        "/site/0/alerts/3/name",
        "/OWASPZAPReport/site[1]/alerts[1]/alertitem[4]/name",
    ]


def test_it_reads_xml_and_json_the_same(read):
    assert read(_bytes("site.zap.xml")) == read(_bytes("site.zap.json"))


def test_it_describes_an_alert(sample, read):
    finding = read(sample(REPORT))[0]
    assert finding.finding_type == "runtime_code_vulnerability"
    assert (finding.resource_id, finding.resource_name) == ("https://shop.example", "shop.example")
    assert set(finding.tags) == {"cwe:CWE-614", "host:shop.example", "rule:10011", "scanner:zap"}
    assert finding.attributes["web"]["places"] == [
        "GET https://shop.example/cart (sid)",
        "POST https://shop.example/login (user)",
    ]
    assert finding.description.startswith("A cookie has been set without the secure flag.")
    assert "<https://owasp.org/www-community/controls/SecureCookieAttribute>" in finding.description


@pytest.mark.parametrize("name", ["site.zap.json", "site.zap.xml"])
def test_it_keeps_no_cookie_credential_or_query(name, read):
    report = _bytes(name)
    assert b"s3cr3t" in report
    assert "s3cr3t" not in repr(read(report))


def test_it_knows_an_alert_again_at_other_places(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["@version"] = "2.99.0"
    for site in report["site"]:
        site["alerts"].reverse()
        for alert in site["alerts"]:
            alert["instances"], alert["alertRef"] = [], alert["pluginid"] + "-1"
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_names_the_site_wherever_its_name_stands(sample, read):
    report = sample(REPORT)
    moved = [{"alerts": site["alerts"], **site} for site in report["site"]]
    assert read(dict(report, site=moved)) == read(report)


@pytest.mark.parametrize(("sites", "target"), [(1, "https://shop.example"), (2, "")])
def test_it_says_which_site_was_scanned(sites, target, sample):
    report = sample(REPORT)
    report["site"] = report["site"][:sites]
    file = BytesIO(json.dumps(report).encode())
    assert target_of(recognise(file), file) == target


@pytest.mark.parametrize("cwe", ["0", "-1", "²", "9" * 5_000])
def test_it_leaves_out_a_weakness_that_is_none(read_all, cwe):
    report = json.loads(_bytes(REPORT))
    report["site"][0]["alerts"][0]["cweid"] = cwe
    found = read_all(json.dumps(report).encode())[0]
    assert "cwe" not in json.dumps(dict(found.attributes)).lower()


def test_it_reads_a_site_whose_name_is_no_address(sample, read):
    report = sample(REPORT)
    report["site"][0]["@name"] = "https://[shop.example"
    assert read(report)[0].resource_name == "https://[shop.example"
