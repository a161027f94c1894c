from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import by_name, recognise, target_of, unscanned
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

SCAN = (SAMPLES / "scan.qualys.xml").read_bytes()
REPORT = (SAMPLES / "report.qualys.xml").read_bytes()
CSV = (SAMPLES / "scan.qualys.csv").read_bytes()
every = pytest.mark.parametrize("report", [SCAN, REPORT, CSV], ids=["scan", "report", "csv"])


def _table(*rows, above=""):
    written = StringIO()
    table = csv.DictWriter(written, fieldnames=rows[0], quoting=csv.QUOTE_ALL)
    table.writeheader()
    table.writerows(rows)
    return (above + written.getvalue()).encode()


def _pci(**cells):
    row = {"IP": "10.0.0.5", "HOSTNAME": "shop.example", "QID": "86476", "TYPE": "POTENTIAL"}
    row |= {"VULN TITLE": "Web Server Stopped Responding", "SEVERITY": "Medium", "PORT": "80"}
    more = {"PROTOCOL": "tcp", "FALSE POSITIVE STATUS": "Requested", "Q_SEVERITY": "2"}
    return row | more | cells


def _vmdr(cve, **cells):
    row = {"CVE": cve, "CVE-Description": "Remote code", "CVSSv3.1 Base (nvd)": "10.0"}
    row |= {"QID": "730143", "Title": "Apache Log4j Code Execution", "Severity": "5"}
    row |= {"Type Detected": "Confirmed", "First Detected": "Dec 15, 2021 10:00 AM"}
    row |= {"Protocol": "TCP", "Port": "8080", "Status": "ACTIVE", "Asset Id": "200000001"}
    return row | {"Asset Name": "APP01", "Asset IPV4": "10.1.0.5,10.1.0.6", "Ignored": "No"} | cells


@every
def test_it_reads_each_detection_of_each_host(report, read):
    assert [(each.severity, each.title) for each in read(report)][:3] == [
        ("info", "Operating System Detected on 10.0.0.5"),
        ("critical", "OpenSSL Denial of Service & Code Execution on 10.0.0.5 port 443/tcp"),
        ("medium", "Obsolete Software Detected on 10.0.0.5"),
    ]


@every
def test_it_maps_a_detection(report, read):
    _, found, potential = read(report)[:3]
    assert found.finding_type == "host_and_container_vulnerability"
    assert (found.resource_id, found.resource_name) == ("10.0.0.5", "shop.example")
    assert (found.resource_type, found.attributes["host"]["port"]) == ("host", "443/tcp")
    expected = {"scanner:qualys", "rule:38900", "host:10.0.0.5", "cve:CVE-2023-2650"}
    assert expected | {"category:Web server", "cve:CVE-2023-1255"} <= set(found.tags)
    assert found.attributes["cvss"] == 9.8
    assert [each.attributes["confidence"] for each in (found, potential)] == [
        "confirmed",
        "potential",
    ]


@every
def test_it_reads_the_markup_of_its_texts(report, read):
    found = read(report)[1]
    advice = "Upgrade to 3.0.9. Patch: OpenSSL 3.0.9 (https://www.openssl.org/news/a)"
    assert found.attributes["remediation"]["recommended"] == advice
    assert found.description.startswith("OpenSSL is a library.")
    assert "It is vulnerable." in found.description
    assert "correct-horse" not in repr(found)


@every
def test_it_is_the_same_finding_and_scope_in_all(report, read):
    assert [each.fingerprint for each in read(report)][:3] == [
        each.fingerprint for each in read(SCAN)
    ]
    file = BytesIO(report)
    assert target_of(recognise(file), file) == "Shop"


@pytest.mark.parametrize(
    ("number", "severity"), [(5, "critical"), (4, "high"), (3, "medium"), (2, "low"), (1, "info")]
)
def test_it_reads_the_numbers_of_severities(number, severity, read):
    scan = SCAN.replace(b'"38900" severity="5"', b'"38900" severity="%d"' % number)
    report = REPORT.replace(b"<SEVERITY>5<", b"<SEVERITY>%d<" % number)
    rows = CSV.replace(b'"Vuln","5"', b'"Vuln","%d"' % number)
    assert {read(each)[1].severity for each in (scan, report, rows)} == {severity}


@pytest.mark.parametrize(
    ("report", "pointer"),
    [
        (SCAN, "/SCAN/IP[1]/VULNS[1]/CAT[1]/VULN[2]"),
        (REPORT, "/ASSET_DATA_REPORT/HOST_LIST[1]/HOST[1]/VULN_INFO_LIST[1]/VULN_INFO[4]"),
        (CSV, "/rows/2"),
    ],
    ids=["scan", "report", "csv"],
)
def test_it_points_at_a_detection_without_a_title(report, pointer, read_all):
    assert [each.pointer for each in read_all(report) if isinstance(each, Rejected)] == [pointer]


def test_it_knows_a_host_by_what_it_is_tracked_by(read):
    agent = read(REPORT)[3]
    assert agent.resource_id == "till-1.example"
    moved = read(REPORT.replace(b'network_id="7">10.0.0.5', b'network_id="7">10.0.0.77'))[3]
    assert moved.fingerprint == agent.fingerprint
    elsewhere = read(REPORT.replace(b'network_id="7"', b'network_id="8"'))[3]
    assert elsewhere.fingerprint != agent.fingerprint


def test_it_reads_a_table_of_pci(read):
    waived = _pci(QID="86477", **{"FALSE POSITIVE STATUS": "Approved"})
    (found,) = read(_table(_pci(), waived))
    assert (found.title, found.severity) == (
        "Web Server Stopped Responding on 10.0.0.5 port 80/tcp",
        "low",
    )


def test_it_reads_a_list_of_vmdr(read):
    gone = _vmdr("CVE-2021-45046", **{"Asset Id": "2", "Status": "FIXED"})
    ignored = _vmdr("CVE-2021-45046", **{"Asset Id": "3", "Ignored": "Yes"})
    rows = (_vmdr("CVE-2021-44228"), _vmdr("CVE-2021-45046"), gone, ignored)
    first, second = read(_table(*rows, above='"Asset Vuln Datalist Report","04 Feb 2026","1"\n'))
    assert (first.resource_id, first.severity) == ("APP01", "critical")
    assert "cve:CVE-2021-44228" in first.tags
    assert f"{first.first_seen_at:%Y-%m-%d}" == "2021-12-15"
    assert first.fingerprint != second.fingerprint


DOWN = SCAN.replace(b"</SCAN>", b'<IP value="10.0.0.8-10.0.0.9" status="down"/></SCAN>')
SILENT = CSV + b'"10.0.0.8","","","","host not alive"\n'
SPAN = b"<RANGE><START>10.0.0.8</START><END>%s</END></RANGE>"
EMPTY = b"<APPENDICES><NO_RESULTS><IP_LIST>%s</IP_LIST></NO_RESULTS></APPENDICES>"


def _without_results(last):
    return REPORT.replace(b"</ASSET_DATA", EMPTY % (SPAN % last) + b"</ASSET_DATA")


@pytest.mark.parametrize(
    ("report", "targets"),
    [
        (DOWN, ["10.0.0.8", "10.0.0.9"]),
        (_without_results(b"10.0.0.9"), ["10.0.0.8", "10.0.0.9"]),
        (_without_results(b"10.0.200.9"), [""]),
        (SILENT, ["10.0.0.8"]),
        (SCAN.replace(b"Operating System Detected", b"Unix Authentication Failed"), ["10.0.0.5"]),
        (SCAN.replace(b">FINISHED<", b">CANCELED<"), [""]),
        (CSV.replace(b'"Finished"', b'"Canceled"'), [""]),
        (b"<SCAN><ERROR number='1'>No</ERROR></SCAN>", [""]),
    ],
)
def test_it_says_what_was_not_scanned(report, targets):
    file = BytesIO(report)
    assert [each.target for each in unscanned(by_name("qualys"), file)] == targets


def test_it_says_what_a_list_of_detections_lacks(read):
    with pytest.raises(RefusedReport, match="names vulnerabilities by number alone"):
        read(b"<HOST_LIST_VM_DETECTION_OUTPUT><RESPONSE/></HOST_LIST_VM_DETECTION_OUTPUT>")
