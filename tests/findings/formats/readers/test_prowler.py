from __future__ import annotations

import pytest

from findings.formats.normalised import Normalised, Rejected
from findings.formats.registry import recognise, target_of
from tests.findings.formats.conftest import SAMPLES


def _bytes(name):
    return (SAMPLES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v5.prowler.csv", ["critical", "/rows/3"]),
        ("v3.prowler.json", ["critical", "/2"]),
        ("v2.prowler.csv", ["high", "info"]),
        ("v2.prowler.jsonl", ["critical", "critical"]),
    ],
)
def test_it_reads_what_failed_of_every_version(name, expected, read_all):
    found = read_all(_bytes(name))
    assert [e.severity if isinstance(e, Normalised) else e.pointer for e in found] == expected
    assert all(e.finding_type == "misconfiguration" for e in found if isinstance(e, Normalised))


def test_it_is_one_finding_in_csv_json_and_ocsf(read):
    names = ("v5.prowler.csv", "v3.prowler.json", "cloud.ocsf.json")
    assert len({read(_bytes(name))[0].fingerprint for name in names}) == 1


def test_it_describes_a_row(read):
    finding = read(_bytes("v5.prowler.csv"))[0]
    assert finding.resource_name == "acme-invoices"
    assert finding.attributes["compliance"] == ["CIS-3.0: 2.1.4", "ISO27001-2022: A.8.1, A.8.3"]
    assert finding.attributes["scanner"] == {"name": "Prowler", "version": "5.2.0"}
    assert "Anyone can read\nthe invoices." in finding.description
    assert "<https://aws.example/b>" in finding.description
    assert {"cloud_service:s3", "region:eu-central-1"} <= set(finding.tags)


def test_it_takes_check_and_title_of_version_2_apart(read):
    finding = read(_bytes("v2.prowler.csv"))[0]
    assert finding.attributes["rule"]["id"] == "check12"
    assert finding.title == (
        "Ensure multi-factor authentication (MFA) is enabled for all IAM users"
    )


def test_it_knows_a_finding_of_version_2_again_after_days(read):
    report = _bytes("v2.prowler.csv")
    later = report.replace(b"91 days", b"124 days")
    assert [f.fingerprint for f in read(later)] == [f.fingerprint for f in read(report)]


def test_it_takes_commas_and_semicolons(read):
    report = _bytes("v2.prowler.csv").decode()
    assert "," not in report.replace(",", ";")
    assert read(report.replace(",", ";").encode())[0].title == read(report.encode())[0].title


def test_it_merges_rows_about_one_check_and_resource(read):
    header, *rows = _bytes("v5.prowler.csv").decode().split("\n", 1)
    assert len(read("\n".join([header, rows[0], rows[0]]).encode())) == 1


def test_it_rejects_a_check_that_is_no_object(sample, read_all):
    report = [*sample("v3.prowler.json"), None, "FAIL"]
    found = read_all(report)
    assert [each.pointer for each in found if isinstance(each, Rejected)] == ["/2", "/3", "/4"]


def test_it_says_which_account_was_checked():
    for name in ("v5.prowler.csv", "v3.prowler.json", "v2.prowler.csv", "v2.prowler.jsonl"):
        with (SAMPLES / name).open("rb") as file:
            assert target_of(recognise(file), file) == "111122223333"
