from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise, target_of, unscanned

REPORT = "account.asff.json"
CONTROL, ACTIVITY, PACKAGE, ACCESS = range(4)


def test_it_reads_what_is_open_and_failed(sample, read_all):
    found = read_all(sample(REPORT))
    assert [each.severity for each in found[:4]] == ["high", "high", "high", "low"]
    assert [each.finding_type for each in found[:4]] == [
        "misconfiguration",
        "workload_activity",
        "host_and_container_vulnerability",
        "identity_risk",
    ]
    assert (found[4].position, found[4].pointer) == (7, "/Findings/7/Title")


@pytest.mark.parametrize(
    ("kind", "finding_type"),
    [
        ("Sensitive Data Identifications/Security/SensitiveData:S3Object-Credentials", "secret"),
        ("Sensitive Data Identifications/PII/SensitiveData:S3Object-Personal", "misconfiguration"),
        ("Software and Configuration Checks/Access Keys", "misconfiguration"),
    ],
)
def test_it_takes_credentials_that_were_identified_for_secrets(kind, finding_type, sample, read):
    report = sample(REPORT)
    report["Findings"][CONTROL] |= {"Types": [kind], "Title": "The S3 object contains data."}
    assert read(report)[CONTROL].finding_type == finding_type


def test_it_describes_a_failed_control(sample, read):
    finding = read(sample(REPORT))[CONTROL]
    assert finding.resource_id == "arn:aws:s3:::acme-invoices"
    assert finding.attributes["rule"]["id"] == "S3.8"
    assert finding.attributes["cloud_resource"]["others"] == ["arn:aws:s3:::acme-exports"]
    assert "NIST.800-53.r5 AC-21" in finding.attributes["compliance"]
    assert finding.first_seen_at.isoformat() == "2026-09-12T08:00:00+00:00"
    assert {"account:111122223333", "region:eu-central-1", "rule:S3.8"} <= set(finding.tags)
    assert "Turn on block public access." in finding.description


def test_it_names_a_detection_by_what_it_saw(sample, read):
    finding = read(sample(REPORT))[ACTIVITY]
    assert finding.attributes["rule"]["id"] == "Backdoor:EC2-C&CActivity.B!DNS"
    assert finding.resource_name == "shop-worker"
    assert "scanner:guardduty" in finding.tags


def test_it_takes_a_vulnerability_of_an_image_as_one_of_its_repository(sample, read):
    report = sample(REPORT)
    finding = read(report)[PACKAGE]
    assert finding.resource_id == "111122223333/acme/api"
    assert finding.attributes["package"]["fixed_version"] == "1:9.2p1-2+deb12u3"
    assert "cve:CVE-2024-6387" in finding.tags
    inspector = report["Findings"][5]
    inspector["Id"] += "-of-the-next-build"
    inspector["Resources"][0]["Details"]["AwsEcrContainerImage"]["ImageTags"] = ["1.5"]
    assert read(report)[PACKAGE].fingerprint == finding.fingerprint


def test_it_finds_the_vulnerability_in_a_title(sample, read):
    report = sample(REPORT)
    report["Findings"][5]["Vulnerabilities"] = []
    assert read(report)[PACKAGE].attributes["package"]["name"] == "openssh-server"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda findings: {"findings": findings},
        lambda findings: {"Findings": findings, "NextToken": "x"},
        lambda findings: findings,
        lambda findings: {
            "version": "0",
            "detail-type": "Security Hub Findings - Imported",
            "detail": {"findings": findings},
        },
    ],
    ids=["lower", "page", "list", "event"],
)
def test_it_reads_findings_however_they_are_wrapped(wrap, sample, read):
    report = sample(REPORT)
    assert read(wrap(report["Findings"])) == read(report)


def test_it_reads_events_and_findings_one_after_another(sample, read_all):
    report = sample(REPORT)
    event = {"detail-type": "Security Hub Findings - Imported", "source": "aws.securityhub"}
    events = [event | {"detail": {"findings": [item]}} for item in report["Findings"]]
    for documents in (events, report["Findings"]):
        found = read_all("\n".join(map(json.dumps, documents)).encode())
        assert found[:-1] == read_all(report)[:-1]
        assert found[-1].pointer in ("/7/detail/findings/0/Title", "/7/Title")


def test_it_reads_a_single_finding(sample, read):
    report = sample(REPORT)
    assert read(report["Findings"][0]) == read(report)[:1]


def test_it_reads_an_account_without_findings(read_all):
    assert read_all({"Findings": []}) == []


def test_it_knows_findings_again_in_another_order_and_later(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["Findings"].reverse()
    for item in report["Findings"]:
        item["UpdatedAt"], item["Description"] = "2026-11-23T08:00:00Z", "Reworded"
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


@pytest.mark.parametrize(
    ("normalized", "severity"),
    [(0, "info"), (1, "low"), (40, "medium"), (70, "high"), (90, "critical"), (None, "unknown")],
)
def test_it_falls_back_to_the_normalized_severity(normalized, severity, sample, read):
    report = sample(REPORT)
    report["Findings"][0]["Severity"] = {"Normalized": normalized}
    assert read(report)[CONTROL].severity == severity


def test_it_leaves_out_what_guardduty_archived_and_inspector_closed(sample, read):
    report = sample(REPORT)
    guardduty, inspector = report["Findings"][4:6]
    guardduty["ProductFields"] = {"aws/guardduty/service/archived": "true"}
    inspector["ProductFields"] = {"aws/inspector/FindingStatus": "CLOSED"}
    assert len(read(report)) == len(read(sample(REPORT))) - 2


def test_it_rejects_a_version_that_is_not_read(sample, read_all):
    report = sample(REPORT)
    report["Findings"][0]["SchemaVersion"] = "2030-01-01"
    found = read_all(report)[0]
    assert isinstance(found, Rejected)
    assert found.pointer == "/Findings/0/SchemaVersion"
    assert found.detail == "This is ASFF 2030-01-01; 2018-10-08 is read."


def test_it_takes_a_finding_without_a_time_it_can_believe(sample, read):
    report = sample(REPORT)
    for name in ("FirstObservedAt", "CreatedAt"):
        report["Findings"][0][name] = "2200-01-01T00:00:00Z"
    assert read(report)[CONTROL].first_seen_at is None


def _said(report):
    file = BytesIO(json.dumps(report).encode())
    found = recognise(file)
    return found.scanner(file), target_of(found, file)


def _covers(report):
    file = BytesIO(json.dumps(report).encode())
    return not list(unscanned(recognise(file), file))


def test_it_says_whose_findings_they_are(sample):
    report = sample(REPORT)
    assert _said(report) == ("AWS Security Hub", "111122223333 eu-central-1")
    assert _said(report["Findings"][:4]) == ("Security Hub", "111122223333 eu-central-1")
    report["Findings"][0]["AwsAccountId"] = "444455556666"
    assert _said(report)[1] == ""


def test_it_takes_an_event_for_news_of_nothing_else(sample):
    first = sample(REPORT)["Findings"][0]
    event = {"detail-type": "Security Hub Findings - Imported", "detail": {"findings": [first]}}
    assert _said(event)[1] == _said(first)[1] == "111122223333 eu-central-1"
    assert [_covers(each) for each in (event, first, [first])] == [False, False, True]
