"""Files that are sound and odd: read, and the import says how. And reports without findings."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from findings.formats.streams.records import RefusedReport
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, Import
from tests.findings.formats.conftest import SAMPLES

pytestmark = pytest.mark.django_db

UNREAD = "Columns not read: Owner."
SHORT = "The last row of the table is short and has no line end: the file may be cut off."
ROWS = "Title,Severity,Host,Owner\nÉtat,High,a,me\nTwo,Low,b,\n"


def sarif(*rules: str, properties=None) -> bytes:
    results = [
        {"ruleId": rule, "message": {"text": "é"}, "properties": properties or {}}
        | {"locations": [{"physicalLocation": {"artifactLocation": {"uri": f"{rule}.py"}}}]}
        for rule in rules
    ]
    runs = [{"tool": {"driver": {"name": "Tool"}}, "results": results}]
    return json.dumps({"version": "2.1.0", "runs": runs}, ensure_ascii=False).encode()


def take(content: bytes, **sent) -> Import:
    return import_report([content], ImportOptions(**{"source": "ci", "scope": "shop", **sent}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("content", [sarif("A", "B"), ROWS.encode()], ids=["json", "csv"])
def test_it_reads_another_encoding_and_says_so(content, encoding):
    take(content)
    label = "Windows-1252" if encoding == "cp1252" else "UTF-16"
    again = take(content.decode().encode(encoding))
    assert (again.new, again.seen_again, again.rejected) == (0, 2, 0)
    notes = [f"The file was in {label} and was read so."]
    assert again.notes == notes + [UNREAD] * (content == ROWS.encode())


def test_it_reads_a_short_last_row_and_lets_a_person_decide_what_is_gone():
    assert take(ROWS.encode()).notes == [UNREAD]
    done = take(b"Title,Severity,Host,Owner\nTwo,Low,b")
    assert (done.seen_again, done.closing, done.notes) == (1, "held", [SHORT, UNREAD])
    assert done.closing_note.endswith("from this report, and the file may be cut off.")
    whole = ROWS.strip().removesuffix(",").encode()
    again = take(whole)
    assert (again.seen_again, again.closing, again.notes) == (2, "done", [SHORT, UNREAD])


def test_it_sees_a_short_last_row_under_lines_that_stand_above_a_table():
    report = (SAMPLES / "scan.qualys.csv").read_bytes().rstrip()
    assert take(report).notes == []
    assert take(report.removesuffix(b',"","Local"')).notes == [SHORT]


@pytest.mark.parametrize("number", [2**64, -(2**70), 10**900], ids=["one", "negative", "long"])
def test_it_reads_a_report_with_a_number_over_64_bits(number):
    content = sarif("A", properties={"similarityId": number, "score": 7.5})
    assert (take(content).new, take(sarif("A")).seen_again) == (1, 1)
    finding = {"title": "x", "finding_type": "misconfiguration", "severity": "low"}
    finding |= {"resource_id": "a", "attributes": {"n": number}}
    own = {"findings": [finding, finding | {"attributes": {}}]}
    done = take(json.dumps(own).encode())
    assert (done.new, [each["source"]["pointer"] for each in done.errors]) == (
        1,
        ["/findings/0/attributes/n"],
    )


@pytest.mark.parametrize("nothing", [b"", b"[]", b"null", b'{"errors": [], "results": []}'])
def test_it_takes_a_clean_scan_whose_format_and_scope_are_named(settings, nothing):
    settings.IMPORT_HOLD_PERCENT = 100
    take(sarif("A"), source="other")
    bandit = {"test_id": "B1", "issue_text": "x", "filename": "a.py"}
    take(json.dumps({"results": [bandit], "errors": []}).encode(), format_name="bandit")
    done = take(nothing, format_name="bandit")
    assert (done.format, done.received, done.resolved) == ("bandit", 0, 1)
    assert Finding.objects.filter(status="open").count() == 1


def test_it_takes_an_empty_file_for_the_scanner_that_wrote_that_format(settings):
    settings.IMPORT_HOLD_PERCENT = 100
    take(sarif("A"))
    bandit = {"test_id": "B1", "issue_text": "x", "filename": "a.py"}
    take(json.dumps({"results": [bandit], "errors": []}).encode())
    assert take(b"", format_name="sarif").resolved == 1
    assert Finding.objects.get(status="open").resource_id == "a.py"


@pytest.mark.parametrize("sent", [{}, {"format_name": "sarif", "scope": ""}, {"scope": "shop"}])
def test_it_refuses_an_empty_file_of_which_less_is_said(sent):
    with pytest.raises(RefusedReport, match=r"The file is empty"):
        take(b"", **sent)


def test_it_takes_an_fpr_in_as_it_is_written():
    parts = (SAMPLES / "results.fortify.xml").read_bytes().removeprefix(b"<FPR>").split(b"<ns2:")
    audit = b"<ns2:" + b"<ns2:".join(parts[1:]).removesuffix(b"</FPR>\n")
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        archive.writestr("src-archive/Db.java", "class Db {}")
        for name, part in (("audit.fvdl", parts[0]), ("audit.xml", audit)):
            archive.writestr(name, b'<?xml version="1.0" encoding="UTF-8"?>\n' + part)
    done = take(written.getvalue())
    assert (done.format, done.new, done.rejected) == ("fortify", 2, 1)
