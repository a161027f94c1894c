from __future__ import annotations

from io import BytesIO

import pytest

from findings.formats.normalised import Rejected
from findings.formats.registry import by_name, unscanned
from tests.findings.formats.conftest import SAMPLES

XML = (SAMPLES / "hosts.nessus.xml").read_bytes()
CSV = (SAMPLES / "hosts.nessus.csv").read_bytes()
both = pytest.mark.parametrize("report", [XML, CSV], ids=["xml", "csv"])


@both
def test_it_reads_each_item_of_each_host(report, read):
    assert [(each.finding_type, each.severity, each.title) for each in read(report)] == [
        (
            "host_and_container_vulnerability",
            "high",
            "OpenSSL 3.0.x < 3.0.9 on 10.0.0.5 port 443/tcp",
        ),
        ("host_and_container_vulnerability", "info", "OS Identification on 10.0.0.5"),
        ("misconfiguration", "high", "1.1 Ensure a separate partition on 10.0.0.5"),
    ]


@both
def test_it_maps_a_plugin(report, read):
    found = read(report)[0]
    assert (found.resource_id, found.resource_type) == ("10.0.0.5", "host")
    assert {"scanner:nessus", "rule:99001", "host:10.0.0.5", "cve:CVE-2023-2650"} <= set(found.tags)
    assert found.attributes["advisory"]["cve"] == ["CVE-2023-1255", "CVE-2023-2650"]
    assert found.attributes["cvss"] == 7.5
    assert found.attributes["host"]["port"] == "443/tcp"
    assert found.attributes["remediation"]["recommended"] == "Upgrade to OpenSSL 3.0.9 or later."
    assert "<https://www.openssl.org/news/b>" in found.description


def test_it_maps_what_only_the_xml_has(read):
    found = read(XML)[0]
    assert {"cwe:CWE-79", "service:www", "category:Web Servers"} <= set(found.tags)
    assert found.attributes["host"]["system"] == "Linux Kernel 5.10"
    assert found.attributes["vulnerability"]["cvss_vector"].startswith("CVSS:3.0/AV:N")


def test_it_is_the_same_finding_in_both(read):
    assert [each.fingerprint for each in read(XML)] == [each.fingerprint for each in read(CSV)]


@pytest.mark.parametrize(
    ("report", "pointer"),
    [(XML, "/NessusClientData_v2/Report[1]/ReportHost[1]/ReportItem[5]"), (CSV, "/rows/4")],
    ids=["xml", "csv"],
)
def test_it_points_at_an_item_without_a_plugin(report, pointer, read_all):
    assert [each.pointer for each in read_all(report) if isinstance(each, Rejected)] == [pointer]


def test_it_keeps_no_credential(read_all):
    everything = repr(read_all(XML))
    assert "correct-horse" not in everything
    assert "s3cr3t" not in everything


@pytest.mark.parametrize(
    ("number", "severity"), [(0, "info"), (1, "low"), (2, "medium"), (3, "high"), (4, "critical")]
)
def test_it_reads_a_severity_given_as_a_number(number, severity, read):
    """A person may have given a plugin another than its own; some tables have no word for it."""
    xml = XML.replace(b'severity="3" pluginID="99001"', b'severity="%d" pluginID="99001"' % number)
    rows = CSV.replace(b",5.0,High,", b",5.0,%d," % number)
    assert [read(each)[0].severity for each in (xml, rows)] == [severity, severity]


def test_it_tells_hosts_and_ports_apart(read):
    other = XML.replace(b'port="443"', b'port="8443"')
    assert read(other)[0].fingerprint != read(XML)[0].fingerprint
    other = XML.replace(b'<ReportHost name="10.0.0.5"', b'<ReportHost name="10.0.0.6"')
    assert read(other)[0].fingerprint != read(XML)[0].fingerprint


def test_it_reads_a_table_of_the_security_center(read):
    columns = "Plugin,Plugin Name,Severity,IP Address,Port,Protocol,DNS Name,NetBIOS Name,Synopsis"
    columns += ",Steps to Remediate,First Discovered,CVSS V3 Base Score"
    row = (
        '1,Old TLS,High,{},443,TCP,,GROUP\\DB,It is old.,Upgrade it.,"Feb 9, 2024 10:48:42 UTC",7.5'
    )
    found = read("\n".join([columns, row.format("10.0.0.1"), row.format("10.0.0.2")]).encode())
    assert [each.resource_id for each in found] == ["10.0.0.1", "10.0.0.2"]
    assert found[0].attributes["remediation"]["recommended"] == "Upgrade it."
    assert (found[0].attributes["cvss"], f"{found[0].first_seen_at:%d %m}") == (7.5, "09 02")


def test_it_takes_a_scan_of_the_web_for_one(read):
    columns = "Plugin ID,CVE,CVSS,CVSSv3,Risk,Host,Protocol,Port,Name,Synopsis"
    rows = f"{columns}\n98104,,7.5,7.1,high,shop.example,http,,Cross-Site Scripting,It is there.\n"
    system = b'<tag name="system-type">web_application</tag></HostProperties>'
    xml = XML.replace(b"</HostProperties>", system, 1)
    xml = xml.replace(b"<cwe>79</cwe>", b"<xref>WASC:8</xref><xref>CWE:79</xref>")
    assert "cwe:CWE-79" in read(xml)[0].tags
    for report in (rows.encode(), xml):
        found = read(report)[0]
        expected = ("runtime_code_vulnerability", "web_application")
        assert (found.finding_type, found.resource_type) == expected


@both
def test_it_says_on_which_hosts_local_checks_were_not_run(report):
    file = BytesIO(report.replace(b"11936", b"21745"))
    assert [(each.target, each.kind) for each in unscanned(by_name("nessus"), file)] == [
        ("10.0.0.5", "host")
    ]
