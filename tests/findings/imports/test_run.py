from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from django.utils import timezone

from findings.formats.streams.records import RefusedReport
from findings.imports import queue
from findings.imports.dry_run import dry_run
from findings.imports.run import MAX_ERRORS, ImportOptions, import_report
from findings.imports.spool import ReportTooLarge, spooled
from findings.models import Finding, Import, Source

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "formats" / "samples"
CODE = (SAMPLES / "code.sarif").read_bytes()


def _own(count: int, **changes) -> bytes:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} | changes for n in range(count)]
    return json.dumps({"source": "nightly", "findings": findings}).encode()


def test_it_records_a_report_and_keeps_the_account():
    done = import_report([CODE], ImportOptions(file_name="code.sarif", by="ci"))
    assert (done.format, done.source.name, done.state) == ("sarif", "codeql", "done")
    assert (done.received, done.new, done.rejected) == (5, 4, 1)
    assert done.errors[0]["source"] == {"pointer": "/runs/0/results/6"}
    assert Import.objects.get().started_by == "ci"
    assert Finding.objects.filter(source__name="codeql").count() == 4


def test_it_finds_the_same_findings_in_the_same_report():
    import_report([CODE], ImportOptions())
    again = import_report([CODE], ImportOptions())
    assert (again.new, again.seen_again, again.reopened) == (0, 4, 0)
    assert Finding.objects.count() == 4


def test_it_tags_findings_with_their_source():
    import_report([CODE], ImportOptions(source="shop  ci\n"))
    assert all("source:shop ci" in finding.tags for finding in Finding.objects.all())


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_it_unpacks_gzip_whatever_the_chunks(step):
    packed = gzip.compress(CODE[:900]) + gzip.compress(CODE[900:])
    chunks = [packed[start : start + step] for start in range(0, len(packed), step)]
    assert import_report(chunks, ImportOptions()).new == 4


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"", "The file is empty."),
        (CODE[:-40], "cut off"),
        (gzip.compress(CODE, mtime=0)[:-20], "The gzip file ends in the middle"),
        (gzip.compress(CODE, mtime=0)[:40] + b"no gzip at all" * 40, "cannot be unpacked"),
        (b'{"things": []}', "none of the reports"),
    ],
)
def test_it_leaves_nothing_of_a_refused_file_but_its_row(report, reason):
    with pytest.raises(RefusedReport, match=reason):
        import_report([report], ImportOptions(file_name="x.json"))
    refused = Import.objects.get()
    assert (refused.state, refused.file_name, refused.received) == ("refused", "x.json", 0)
    assert reason in refused.reason
    assert not Finding.objects.exists()
    assert not Source.objects.exists()


def test_it_refuses_a_file_over_the_limit(settings):
    settings.IMPORT_MAX_BYTES = len(CODE) - 1
    with pytest.raises(ReportTooLarge):
        import_report([CODE], ImportOptions())


def test_it_refuses_a_gzip_bomb_before_it_has_unpacked():
    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(ReportTooLarge, match="over 200 times"), spooled([bomb], limit=10**9):
        pytest.fail("the bomb was unpacked")


def test_it_counts_errors_that_it_does_not_keep():
    report = json.loads(_own(MAX_ERRORS + 5, severity="urgent"))
    report["findings"] += json.loads(_own(1))["findings"]
    done = import_report([json.dumps(report).encode()], ImportOptions())
    assert (done.rejected, len(done.errors), done.new) == (MAX_ERRORS + 5, MAX_ERRORS, 1)


@pytest.mark.parametrize("count", [1, MAX_ERRORS + 5])
def test_it_refuses_a_report_of_which_nothing_goes_in(count):
    known = import_report([_own(3)], ImportOptions())
    bad = _own(count, severity="urgent")
    with pytest.raises(RefusedReport, match=r"/findings/0/severity: 'urgent' is not one of"):
        import_report([bad], ImportOptions())
    with spooled([bad], limit=10**9) as file, pytest.raises(RefusedReport, match="record"):
        dry_run(file, ImportOptions())
    refused = Import.objects.exclude(pk=known.pk).get()
    assert (refused.state, refused.rejected, refused.closing) == ("refused", count, "none")
    assert len(refused.errors) == min(count, MAX_ERRORS)
    assert refused.source is None
    assert Finding.objects.filter(status="open").count() == 3


def test_it_rejects_what_was_first_seen_in_the_future():
    with pytest.raises(RefusedReport, match="/findings/0/first_seen_at: A time lies between"):
        import_report([_own(1, first_seen_at="9998-01-01T00:00:00Z")], ImportOptions())


def test_it_costs_a_constant_number_of_statements_a_batch(django_assert_max_num_queries):
    with django_assert_max_num_queries(3 * 12 + 22):
        assert import_report([_own(3_000)], ImportOptions()).new == 3_000


def test_it_keeps_the_batches_before_a_crash_and_completes_them_when_sent_again(monkeypatch):
    monkeypatch.setattr("findings.imports.run.BATCH", 2)
    calls = iter([True, False])
    real = import_report.__globals__["receive"]

    def crash_in_the_second(*args, **kwargs):
        if next(calls, True):
            return real(*args, **kwargs)
        raise ConnectionError("the database is gone")

    monkeypatch.setattr("findings.imports.run.receive", crash_in_the_second)
    with pytest.raises(ConnectionError):
        import_report([_own(5)], ImportOptions())
    assert (Import.objects.get().state, Finding.objects.count()) == ("running", 2)
    assert queue.take_due()
    Import.objects.update(due_at=timezone.now())  # as it falls due some hours later
    assert queue.take_due()
    assert Import.objects.get().reason == "It ended after 2 records. Send the report again."
    again = import_report([_own(5)], ImportOptions())
    assert (again.new, again.seen_again, Finding.objects.count()) == (3, 2, 5)
