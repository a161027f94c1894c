from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import recognise, target_of, unscanned
from findings.formats.streams.records import RefusedReport

REPORT = "cloud.ocsf.json"
CHECK, SERVER, CLIENT, CONTROL, DETECTION, CODE = range(6)


def test_it_reads_each_class_as_its_type(sample, read_all):
    *found, rejected = read_all(sample(REPORT))
    assert [(each.finding_type, each.severity) for each in found] == [
        ("misconfiguration", "critical"),
        ("host_and_container_vulnerability", "high"),
        ("host_and_container_vulnerability", "high"),
        ("misconfiguration", "medium"),
        ("workload_activity", "low"),
        ("static_code_vulnerability", "high"),
    ]
    assert (rejected.pointer, rejected.title) == ("/8/class_uid", "Unknown class")


@pytest.mark.parametrize(
    ("pattern", "finding_type"),
    [("AWS Secret Access Key", "secret"), ("Credit Card Number", "misconfiguration")],
)
def test_it_takes_credentials_in_data_for_secrets(pattern, finding_type, sample, read):
    found = {"class_uid": 2006, "data_security": {"detection_pattern": pattern}}
    item = sample(REPORT)[CONTROL] | found
    item["finding_info"] = {"title": "Sensitive data in a bucket", "uid": "d-1"}
    assert read([item])[0].finding_type == finding_type


def test_it_describes_a_failed_check(sample, read):
    finding = read(sample(REPORT))[CHECK]
    assert finding.resource_id == "arn:aws:s3:::acme-invoices"
    assert finding.attributes["compliance"] == ["CIS-3.0: 2.1.4"]
    assert finding.attributes["rule"]["id"] == "s3_bucket_public_access"
    assert {"account:111122223333", "cloud_provider:aws", "scanner:prowler"} <= set(finding.tags)
    assert "Anyone can read the invoices." in finding.description
    assert "due to its policy" in finding.description


def test_it_says_once_what_was_seen_where_the_rule_says_nothing(sample, read):
    item = sample(REPORT)[0]
    item["finding_info"]["desc"] = ""
    assert read([item])[0].description.count("has public access") == 1


def test_it_makes_a_finding_of_every_vulnerable_package(sample, read):
    server, client = read(sample(REPORT))[SERVER : CLIENT + 1]
    assert server.title.startswith("CVE-2024-6387 in openssh-server")
    assert client.attributes["package"]["fixed_version"] == "1:9.2p1-2+deb12u3"
    assert server.attributes["vulnerability"]["epss"] == 0.62
    assert {"cwe:CWE-364", "fix_available:true"} <= set(server.tags)
    assert server.first_seen_at.year == 2026


def test_it_points_into_the_code(sample, read):
    finding = read(sample(REPORT))[CODE]
    assert finding.title == "SQL injection"
    assert finding.attributes["code_location"]["file"] == "src/orders.py"
    assert "cwe:CWE-89" in finding.tags


def test_it_names_the_technique_and_the_device_of_a_detection(sample, read):
    finding = read(sample(REPORT))[DETECTION]
    assert finding.attributes["attack"] == ["T1087"]
    assert (finding.resource_id, finding.resource_type) == ("i-0abc", "host")


def test_it_reads_json_lines_as_the_list(sample, read):
    report = sample(REPORT)
    lines = "\n".join(json.dumps(item) for item in report)
    assert read(lines.encode()) == read(report)


def test_it_reads_a_single_finding(sample, read):
    report = sample(REPORT)
    assert read(report[0]) == read(report)[:1]


def test_it_knows_findings_again_in_another_order_and_version(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report.reverse()
    for item in report:
        item["metadata"]["product"]["version"] = "99"
        item["status_detail"] = "Reworded"
    report[2]["vulnerabilities"][0]["affected_code"][0]["start_line"] = 941
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        ({"status": "Suppressed"}, False),
        ({"status": "", "status_id": 4}, False),
        ({"status": "New", "status_id": 3}, True),  # as Prowler 4.2 wrote it
        ({"state_name": "Resolved", "status": "Success", "status_id": 1}, False),  # 1.0: of Wiz
        ({"state_id": 1, "status": "", "status_id": 4}, True),
        ({"status_code": "MANUAL"}, False),
        ({"activity_id": 3}, False),
        ({"compliance": {"status_id": 1}}, False),
    ],
)
def test_it_keeps_out_what_is_closed_or_passed(change, is_read, sample, read):
    report = [sample(REPORT)[0] | change]
    assert len(read(report)) == is_read


def test_it_refuses_events_that_are_no_findings(read_all):
    with pytest.raises(RefusedReport, match="events, not findings"):
        read_all({"class_uid": 4001, "metadata": {}})


def test_it_rejects_a_finding_without_a_title_alone(sample, read_all):
    report = sample(REPORT)
    report[0]["finding_info"] = {}
    found = read_all(report)
    assert isinstance(found[0], Rejected)
    assert found[0].pointer == "/0/finding_info/title"
    assert len(found) == 7


def _target(report):
    file = BytesIO(report if isinstance(report, bytes) else json.dumps(report).encode())
    return target_of(recognise(file), file)


def _covers(report):
    file = BytesIO(report if isinstance(report, bytes) else json.dumps(report).encode())
    return not list(unscanned(recognise(file), file))


def test_it_says_which_account_the_findings_are_of(sample):
    report = sample(REPORT)
    assert _target(report) == "111122223333"
    report[0]["cloud"]["account"]["uid"] = "444455556666"
    assert _target(report) == ""


def test_it_takes_lines_and_single_findings_for_news_of_nothing_else(sample):
    report = sample(REPORT)
    lines = "\n".join(json.dumps(item) for item in report).encode()
    assert {_target(each) for each in (lines, report[0], report[2])} == {"111122223333"}
    assert [_covers(each) for each in (lines, report[0], report)] == [False, False, True]
