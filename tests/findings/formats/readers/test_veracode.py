from __future__ import annotations

from io import BytesIO

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise, target_of
from tests.findings.formats.conftest import SAMPLES

XML = (SAMPLES / "application.veracode.xml").read_bytes()


def test_it_reads_open_flaws_and_components_alone(read):
    assert [
        (each.finding_type, each.severity, each.resource_id, each.title) for each in read(XML)
    ] == [
        (
            "static_code_vulnerability",
            "high",
            "shop/com/acme/shop/Db.java",
            "SQL Injection",
        ),
        (
            "runtime_code_vulnerability",
            "critical",
            "https://shop.example",
            "SQL Injection at https://shop.example/cart",
        ),
        (
            "library_vulnerability",
            "critical",
            "shop",
            "CVE-2022-42889 in commons-text",
        ),
    ]


def test_it_maps_a_flaw(read):
    found = read(XML)[0]
    assert {"scanner:veracode", "cwe:CWE-89", "repo:shop", "language:java"} <= set(found.tags)
    assert found.description.startswith("This call is unsafe.")
    assert found.attributes["code_location"]["line"] == 30
    assert found.attributes["remediation"]["recommended"].startswith("Use prepared statements.")
    assert found.first_seen_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_it_maps_a_component(read):
    found = read(XML)[2]
    assert {"cve:CVE-2022-42889", "cwe:CWE-94", "package:commons-text"} <= set(found.tags)
    assert found.attributes["package"]["path"] == "shop.war/lib/commons-text-1.9.jar"
    assert found.attributes["cvss"] == 9.8


def test_it_keeps_no_query(read):
    assert "s3cr3t" not in repr(read(XML))


def test_it_knows_a_flaw_again_in_another_line(read):
    again = XML.replace(b'line="30"', b'line="44"').replace(b"void find", b"void search")
    assert [each.fingerprint for each in read(again)] == [each.fingerprint for each in read(XML)]


def test_it_points_at_a_flaw_without_its_number(read_all):
    (rejected,) = (each for each in read_all(XML) if isinstance(each, Rejected))
    assert rejected.pointer.endswith("/cwe[1]/staticflaws[1]/flaw[4]")


def test_it_says_which_application_was_scanned():
    file = BytesIO(XML)
    assert target_of(recognise(file), file) == "shop"


def test_it_reads_a_flaw_at_what_is_no_address(read):
    assert read(XML.replace(b"https://shop.example", b"https://[shop"))[1].resource_id == "shop"
