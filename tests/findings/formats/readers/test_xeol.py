from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.registry import recognise, target_of


@pytest.fixture
def report(sample):
    return sample("image.xeol.json")


def test_it_reads_each_match(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        (
            "host_and_container_vulnerability",
            "high",
            "Perl 5.32 is maintained only until 2023-07-02: perl",
        ),
        ("library_vulnerability", "high", "Django 3.2 is maintained only until 2024-04-01: django"),
    ]


def test_it_maps_a_match(report, read):
    perl, django = read(report)
    assert (perl.resource_id, perl.resource_type) == (
        "registry.example:5000/acme/shop",
        "container_image",
    )
    assert {"scanner:xeol", "package:perl", "image:registry.example:5000/acme/shop:7"} <= set(
        perl.tags
    )
    assert perl.attributes["end_of_life"] == {
        "product": "Perl",
        "cycle": "5.32",
        "date": "2023-07-02",
    }
    assert "The newest of its own line is 5.32.1." in perl.description
    assert django.attributes["package"]["purl"] == "pkg:pypi/django@3.2.1"


def test_it_says_which_image_was_scanned(report):
    file = BytesIO(json.dumps(report).encode())
    assert target_of(recognise(file), file) == "registry.example:5000/acme/shop"


def test_it_knows_a_match_again_in_the_next_build(report, read):
    before = read(report)
    report["source"]["target"]["userInput"] = "registry.example:5000/acme/shop:8"
    assert [each.fingerprint for each in read(report)] == [each.fingerprint for each in before]


def test_it_tells_its_empty_report_from_one_of_grype(report):
    for name, scanner in (("xeol", "Xeol"), ("grype", "Grype")):
        empty = report | {"matches": [], "descriptor": {"name": name, "version": "1"}}
        file = BytesIO(json.dumps(empty).encode())
        assert recognise(file).scanner(file) == scanner
