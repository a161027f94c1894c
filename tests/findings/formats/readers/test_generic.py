from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from findings.formats import registry
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.column_map import UnknownTable
from findings.formats.shapes.generic_columns import COLUMNS
from tests.findings.formats.conftest import LATEST, SAMPLES, outcomes

LIST, TABLE = "pentest.generic.json", "table.generic.csv"


@pytest.fixture
def read():
    """By name, so that findings need no place."""
    return lambda report: [
        each for each in outcomes(report, name="generic") if isinstance(each, Normalised)
    ]


def test_it_reads_a_list_of_another_tool(sample, read_all):
    *found, rejected = read_all(sample(LIST))
    assert [(each.finding_type, each.severity, each.resource_id) for each in found] == [
        ("runtime_code_vulnerability", "high", "https://shop.example/orders/7"),
        ("library_vulnerability", "critical", "pom.xml"),
        ("static_code_vulnerability", "medium", "src/app.py"),
    ]
    assert (rejected.pointer, rejected.title) == ("/findings/4/severity", "Unknown severity")
    assert "'very bad' is not one of critical" in rejected.detail


def test_it_keeps_what_a_finding_says(sample, read):
    finding = read(sample(LIST))[0]
    assert {"cwe:CWE-639", "label:external", "team:shop", "scanner:pen test 2026"} <= {
        *finding.tags
    }
    assert finding.first_seen_at.isoformat() == "2026-11-02T00:00:00+00:00"
    assert "Data of customers leaks." in finding.description
    assert "- `https://shop.example/invoices/7`" in finding.description
    assert "s3cr3t" not in repr(finding)


def test_it_correlates_a_package_with_other_tools(sample, read):
    finding = read(sample(LIST))[1]
    assert finding.attributes["package"]["fixed_version"] == "5.3.18"
    assert finding.attributes["vulnerability"]["epss"] == 0.94
    assert len(finding.attributes["correlation_id"]) == 32
    assert "fix_available:true" in finding.tags


def test_it_reads_a_table_by_the_names_of_its_columns(read_all):
    tls, ssh, rejected = read_all((SAMPLES / TABLE).read_bytes())
    assert (tls.title, tls.severity, tls.resource_type) == ("Weak TLS", "medium", "host")
    assert tls.description.startswith("Accepts TLS 1.0;\nand 1.1.")
    assert {"team:shop", "cwe:CWE-327"} <= set(tls.tags)
    assert tls.attributes["review.board"] == "yes"
    assert tls.attributes["remediation"]["recommended"] == "Turn it off."
    assert (ssh.finding_type, ssh.resource_type) == ("host_and_container_vulnerability", "host")
    assert (rejected.pointer, rejected.title) == ("/rows/3/title", "Missing field")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_it_takes_any_delimiter(delimiter, read):
    rows = (("NAME", "priority", "File_Path"), ("A", "low", "a.py"))
    report = "\n".join(delimiter.join(row) for row in rows)
    assert [(each.title, each.resource_id) for each in read(report.encode())] == [("A", "a.py")]


@pytest.mark.parametrize(
    "column", ["FalsePositive", "duplicate", "out_of_scope", "Risk Accepted", "IsMitigated"]
)
def test_it_keeps_out_what_is_settled(column, read):
    report = f"title,severity,{column}\nA,low,TRUE\nB,low,FALSE\n"
    assert [each.title for each in read(report.encode())] == ["B"]


def test_it_reads_a_bare_list_and_an_empty_report(sample, read, read_all):
    report = sample(LIST)
    bare = [each.fingerprint for each in read(report["findings"])]
    assert bare == [each.fingerprint for each in read(report)]
    assert read_all({"name": "x", "type": "y", "findings": []}) == []


def test_it_knows_findings_again_in_another_order_and_at_other_lines(sample, read):
    before, report = read(sample(LIST)), sample(LIST)
    report["findings"].reverse()
    for item in report["findings"]:
        item["description"], item["line"] = "Reworded", 941
        item["component_version"] = "9"
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_tells_equal_titles_at_other_places_apart(read):
    report = b"title,severity,url\nA,low,https://a.example/1\nA,low,https://a.example/2\n"
    assert len({each.fingerprint for each in read(report)}) == 2


@pytest.mark.parametrize(
    ("columns", "row", "finding_type"),
    [
        ("cve", "CVE-2024-1000", "library_vulnerability"),
        ("package", "lodash", "library_vulnerability"),
        ("image", "acme/api:1", "host_and_container_vulnerability"),
        ("host,cve", "web-01,CVE-2024-1000", "host_and_container_vulnerability"),
        ("host", "web-01", "misconfiguration"),
        ("url,cve", "https://a.example,CVE-2024-1000", "runtime_code_vulnerability"),
        ("file", "a.py", "static_code_vulnerability"),
        ("file,finding type", "a.py,API_Security", "api_security"),
        ("description", "x", "misconfiguration"),
    ],
)
def test_it_tells_the_type_by_what_a_finding_is_about(columns, row, finding_type, read):
    report = f"title,severity,{columns}\nA,low,{row}\n"
    assert [each.finding_type for each in read(report.encode())] == [finding_type]


def test_it_masks_what_a_secret_quotes(read):
    report = b"title,severity,finding_type,description\nKey,high,secret,Found 'hunter2-hunter2'\n"
    assert "hunter2" not in repr(read(report))


def test_it_leaves_our_own_json_to_its_reader(sample, read_all):
    report = sample("own.json")
    assert any(isinstance(each, Rejected) for each in read_all(report, name="json"))
    assert any(isinstance(each, Normalised) for each in read_all(report, name="json"))


@pytest.mark.parametrize("field", COLUMNS)
def test_it_documents_the_names_of_every_column(field):
    text = (Path(registry.__file__).parent / "docs" / "generic.md").read_text()
    assert [name for name in COLUMNS[field] if name not in text] == []


def test_it_reads_a_finding_at_what_is_no_address(read):
    (found,) = read([{"title": "A", "severity": "low", "url": "https://[shop.example"}])
    assert found.resource_name == "https://[shop.example"


ROW = {"title": "A", "severity": "high", "host": "srv1"}


@pytest.mark.parametrize(
    ("cells", "is_open"),
    [
        ({}, True),
        ({"active": True}, True),
        ({"Active": "TRUE"}, True),
        ({"active": False}, False),
        ({"Active": "False"}, False),
        ({"Status": "OPEN"}, True),
        ({"Status": "IN_PROGRESS"}, True),
        ({"State": "Texas"}, True),
        ({"Status": "RESOLVED"}, False),
        ({"Status": "Inactive, Mitigated"}, False),
        ({"Finding Status": "Risk-Accepted"}, False),
        ({"severity": "OK"}, False),
    ],
)
def test_it_keeps_out_what_is_not_open(cells, is_open, read_all):
    assert len(read_all([ROW | cells])) == is_open


@pytest.mark.parametrize(
    ("word", "severity"),
    [("WARN", "info"), ("FATAL", "info"), ("LOW", "low"), ("Untriaged", "unknown")],
)
def test_it_reads_the_place_and_words_of_testssl(word, severity, read_all):
    header, row = '"id","fqdn/ip","port","severity","finding","cve","cwe"', "SSLv2,web-1/10.0.0.1"
    (found,) = read_all(f'{header}\n{row},443,{word},"offered",,\n'.encode())
    assert (found.resource_id, found.severity, found.title) == (
        "web-1/10.0.0.1",
        severity,
        "offered",
    )


def test_it_reads_lists_of_endpoints_and_ids(read_all):
    endpoints = [
        {"protocol": "https", "host": "shop.example", "port": 8443, "path": "login"},
        {"host": "api.example"},
        "https://wiki.example/",
    ]
    ids = [{"vulnerability_id": "CVE-2024-1"}, "CVE-2024-1000", {"id": "CVE-2024-1001"}]
    record = {"title": "A", "severity": "high", "endpoints": endpoints, "vulnerability_ids": ids}
    (found,) = read_all({"findings": [record]})
    assert found.resource_id == "https://shop.example:8443/login"
    assert "- `api.example`" in found.description
    assert {"cve:CVE-2024-1000", "cve:CVE-2024-1001"} <= set(found.tags)


WITHOUT_A_PLACE = [
    b"Title,Severity,Owner\nA,high,Bob\n",
    b'{"findings": [{"title": "A", "severity": "high", "resources": [{"id": "i-1"}]}]}',
    b'[{"title": "A", "severity": "high"}]',
]


@pytest.mark.parametrize("report", WITHOUT_A_PLACE)
def test_it_refuses_what_it_cannot_place_unless_it_is_named(report):
    with pytest.raises(UnknownTable, match="No column of the table says where") as refused:
        outcomes(report)
    assert len(refused.value.columns) in (2, 3)
    (found,) = outcomes(report, name="generic")
    assert found.resource_id == "unspecified"
    named = registry.recognise(BytesIO(report), columns={"title": "title"})
    assert len(list(named.read(BytesIO(report), latest=LATEST))) == 1


def test_it_takes_the_name_of_a_report_for_the_place(read_all):
    report = {"name": "pen test", "findings": [{"title": "A", "severity": "high"}]}
    assert read_all(report)[0].resource_id == "pen test"


def test_it_names_the_columns_that_are_not_read():
    report = b"Title,Severity,Host,Owner,tag:team,Box,Zone\nA,high,srv1,Bob,shop,b,z\n"
    known = registry.recognise(BytesIO(report))
    assert registry.unread_columns_of(known, BytesIO(report)) == ["Owner", "Box", "Zone"]
    mapped = registry.recognise(BytesIO(report), columns={"resource": "Box"})
    assert registry.unread_columns_of(mapped, BytesIO(report)) == ["Host", "Owner", "Zone"]
