"""Files that do not go in, each refused in one sentence."""

from __future__ import annotations

import pytest

from findings.formats.registry import FORMATS
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

REFUSALS = {
    b"": "The file is empty.",
    b"not a report": "The file is neither JSON, XML nor a table.",
    b"<xml/>": "The file is XML, but none of the reports that are read",
    b"<report><item>": "The file ends in the middle of its XML: it was cut off.",
    b"<report><item></report>": "The file is not XML from line 1 on.",
    b"<!DOCTYPE html><html><body>Sign in</body></html>": "The file is an HTML page;",
    b"\n<HTML><body>": "The file is an HTML page;",
    b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x" "y"><html/>': "The file is an HTML page;",
    b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>': "declares entities or a document type",
    b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>': "declares entities",
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>': "declares entities",
    b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://x.test/b.dtd">%b;]><a/>': "declares entities",
    b'<!DOCTYPE a SYSTEM "x.dtd" [<!ATTLIST a b CDATA "c">]><a/>': "declares entities",
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&b;</a>': "The file is not XML from line 1 on.",
    b'<!DOCTYPE a SYSTEM "http://x.test/a.dtd"><a/>': "The file is XML, but none of the reports",
    b"<a>" * 200 + b"</a>" * 200: "The XML is nested deeper than 100 levels.",
    b'<?xml version="1.0" encoding="x-none"?><a/>': "an encoding that is not read; use UTF-8.",
    b"name,age\n\xff,1\n": "The file is not valid UTF-8.",
    b"name,age\nBob,7\n": "The file is CSV, but none of the reports that are read",
    b'name,age\n"Bob,7\n': "The file ends in the middle of a row: it was cut off.",
    b'name,age\n"Bo"b,7\n': "The file cannot be read as CSV from line 2 on.",
    b"a,b\n" + b"x" * (2 * 1024 * 1024): "A line of the CSV has more than 1,048,576 bytes.",
    b'{"a": 1}\n{"b": 2}\n': "The file is JSON lines, but none of the reports that are read",
    b'{"a": 1}\n{"b": ': "The file ends in the middle of its JSON: it was cut off.",
    b'{"a": 1}\n[2]\n': "The file is not JSON.",
    b"%PDF-1.7": "The file is a PDF; export the report as JSON, XML or CSV.",
    b"[NaN]": "The file is not JSON.",
    b'[{"a": 1}] [2]': "The file is not JSON.",
    b'{"title": "\xff"}': "The file is not valid UTF-8.",
    "[]".encode("utf-16"): "The file is UTF-16; save it as UTF-8.",
    b"PK\x03\x04": "The file is a zip archive; send the report itself, or gzip it.",
    b"[" * 200 + b"]" * 200: "The JSON is nested deeper than 100 levels.",
    b"[1e400]": "The JSON holds a number that is too large to be read.",
    b"[" + b"1" * 5_000 + b"]": "The JSON holds a number that is too large to be read.",
    b'{"runs": [], "version": "2.0.0"}': "This is SARIF 2.0.0; SARIF 2.1.0 is read.",
    b'{"SchemaVersion": 3, "ArtifactName": "x"}': "This is Trivy schema 3; schema 2 is read.",
    b'{"findings": [{"title": "x", "risk": "High"}]}': "none of the reports that are read",
    b"[1, 2]": "none of the reports that are read",
    b"7": "none of the reports that are read",
}


@pytest.mark.parametrize("report", REFUSALS, ids=range(len(REFUSALS)))
def test_it_refuses_in_a_sentence(report, read_all):
    with pytest.raises(RefusedReport) as refused:
        read_all(report)
    assert REFUSALS[report] in refused.value.reason


WHOLE = [path for path in sorted(SAMPLES.iterdir()) if path.suffix not in (".csv", ".jsonl")]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name)  # rows and lines stand alone
def test_it_refuses_a_report_cut_anywhere(path, read_all):
    report = path.read_bytes().rstrip()
    for length in range(1, len(report), 97):
        with pytest.raises(RefusedReport, match=r"cut off|not JSON"):  # "tru" is no JSON either
            read_all(report[:length])


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_it_refuses_a_report_named_as_another(path, read_all):
    name = "grype" if "grype" not in path.name else "trivy"
    with pytest.raises(RefusedReport, match="is not a"):
        read_all(path.read_bytes(), name=name)


def test_it_says_what_a_report_named_as_another_is(read_all):
    report = (SAMPLES / "cloud.ocsf.json").read_bytes()
    with pytest.raises(RefusedReport, match=r"is not a Prowler report\. It is OCSF findings\."):
        read_all(report, name="prowler")


@pytest.mark.parametrize("name", ["", "generic"])
def test_it_says_what_a_table_lacks(name, read_all):
    with pytest.raises(RefusedReport, match="one for the severity"):
        read_all(b"what,how bad\nA,very\n", name=name)


def test_it_names_the_formats_when_asked_for_another(read_all):
    names = ", ".join(each.NAME for each in FORMATS)
    with pytest.raises(RefusedReport, match=f"no format 'pdf'; there are {names}"):
        read_all(b"[]", name="pdf")


@pytest.mark.parametrize(
    "report", [b"[]", b"null", b" [ ] \n", b'{"findings": []}', b'{"errors": [], "results": []}']
)
def test_it_takes_an_empty_report_as_one_without_findings(report, read_all):
    assert read_all(report) == []


def test_it_reads_past_a_byte_order_mark(read):
    report = (SAMPLES / "own.json").read_bytes()
    assert read(b"\xef\xbb\xbf" + report) == read(report)


@pytest.mark.parametrize("wrong", [b"\xc0\x80", b"\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("where", [b'{"%s": []}', b'{"findings": ["%s"]}'])
def test_it_says_that_a_text_is_not_utf8(read_all, where, wrong):
    with pytest.raises(RefusedReport, match="not valid UTF-8"):
        read_all(where.replace(b"%s", wrong))
