"""The archive: resolved findings go into files, and come back exactly, on their tickets."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.pipeline import evaluate_all
from findings.archive import files, store
from findings.archive.restore import restore
from findings.archive.store import archive_some
from findings.facts import Status
from findings.imports.dry_run import dry_run
from findings.imports.run import ImportOptions, import_report
from findings.models import ArchivedFinding, Finding, FindingEvent, Import, Source
from findings.services import change_status, record
from findings.trends.day_counts import DayCounts
from findings.trends.rollups import refresh
from tests.factories import ExternalIssueFactory, SourceFactory, reported
from tests.together import done_by_two_at_once
from ticketing.following import follow_findings
from ticketing.models import Attachment, Case

pytestmark = pytest.mark.django_db
TABLES = (Finding, FindingEvent, Decision, Attachment)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"
    return settings.ARCHIVE_DIR


@pytest.fixture
def resolved(frozen, make_rule, report, editor):
    """Three findings, of which a rule has ticketed two; all resolved 400 days ago."""
    make_rule(query="env:prod")
    report(2, prefix="a", tags=("env:prod",), description="Old")
    report(1, prefix="b", attributes={"file": {"name": "pom.xml"}})
    evaluate_all()
    resolve(editor)
    frozen.shift(timedelta(days=400))


def resolve(actor):
    change_status(Finding.objects.values_list("pk", flat=True), status=Status.RESOLVED, actor=actor)
    follow_findings()


def archive(**options):
    return archive_some(timezone.now() - timedelta(days=365), **options)


def rows():
    """Everything that is known of findings, as it stands in the tables."""
    generated = {"id"}  # of events
    return {
        model.__name__: sorted(
            (
                sorted((name, str(v)) for name, v in row.items() if name not in generated)
                for row in model.objects.values()
            ),
        )
        for model in TABLES
    }


def the_file(folder):
    [file] = sorted(folder.glob("*.jsonl.gz"))
    return file


def test_it_brings_back_exactly_what_it_took(resolved, folder):
    before, cases = rows(), list(Case.objects.values())
    pks = set(Finding.objects.values_list("pk", flat=True))
    assert archive().archived == 3
    assert not Finding.objects.exists()
    assert not list(violations())

    assert restore(the_file(folder)) == (3, 0, 0)
    assert rows() == before
    assert set(Finding.objects.values_list("pk", flat=True)) == pks
    assert list(Case.objects.values()) == cases
    assert restore(the_file(folder)) == (0, 3, 0)
    assert rows() == before
    assert not ArchivedFinding.objects.exists()
    assert evaluate_all()
    assert rows() == before
    assert not list(violations())


def test_one_that_is_reported_again_comes_back_on_its_ticket(resolved, folder, report, make_rule):
    ids = dict(Finding.objects.values_list("fingerprint", "finding_id"))
    keys = dict(Finding.objects.values_list("fingerprint", "ticket_key"))
    archive()
    make_rule("All of them")

    assert report(2, prefix="a", tags=("env:prod",), description="New").reopened == 2
    follow_findings()
    evaluate_all()

    back = Finding.objects.order_by("pk")
    assert [ids[f.fingerprint] for f in back] == [f.finding_id for f in back]
    assert [keys[f.fingerprint] for f in back] == [f.ticket_key for f in back]
    assert {(f.status, f.description, f.ticket_status) for f in back} == {("open", "New", "open")}
    assert set(Case.objects.values_list("status", flat=True)) == {"OPEN"}
    assert Case.objects.count() == 2
    assert not list(violations())

    # Its file says of the past what the report could not.
    assert restore(the_file(folder)) == (1, 2, 2)
    told = FindingEvent.objects.filter(finding=back[0]).order_by("created_at")
    assert [event.after for event in told] == ["resolved", "open"]
    assert Finding.objects.get(pk=back[0].pk).description == "New"
    assert not list(violations())


def test_one_without_a_ticket_is_decided_again(resolved, report, make_rule):
    archive()
    make_rule("All of them")
    assert report(1, prefix="b").reopened == 1
    evaluate_all()
    assert Finding.objects.get().ticket == "automated"
    assert not list(violations())


@pytest.mark.parametrize("dies_at", ["_sync_folder", "delete"])
def test_nothing_is_deleted_without_its_file(resolved, folder, monkeypatch, dies_at):
    """Whoever dies between the two leaves both: the next run makes the same file again."""

    def die(*_):
        raise OSError("No space left on device")

    before = rows()
    with monkeypatch.context() as patch:
        if dies_at == "delete":
            patch.setattr(store, "_tombstone", die)
        else:
            patch.setattr(files, dies_at, die)
        with pytest.raises(OSError, match="No space"):
            archive()
    assert rows() == before
    assert restore(the_file(folder)) == (0, 3, 0)
    assert rows() == before
    assert archive().archived == 3
    assert restore(the_file(folder)) == (3, 0, 0)
    assert rows() == before


def test_a_later_file_takes_no_earlier_ones_place(resolved, folder, report, editor, frozen):
    """The first and the last came back and were archived again: the file between them stays."""
    archive()
    report(1, prefix="a")
    report(1, prefix="b")
    evaluate_all()
    resolve(editor)
    frozen.shift(timedelta(days=400))
    assert archive().archived == 2
    assert len(list(folder.glob("*.jsonl.gz"))) == 2
    for file in folder.glob("*.jsonl.gz"):
        restore(file)
    assert Finding.objects.count() == 3


def _of_an_open_case():
    Case.objects.update(status="OPEN", closed_at=None)


def _on_a_case_with_an_open_one():
    case = Case.objects.first()
    other = Finding.objects.exclude(pk__in=Attachment.objects.filter(case=case).values("finding"))
    Attachment.objects.filter(finding=other.first()).delete()
    Finding.objects.filter(pk=other.first().pk).update(status="open", resolved_at=None)
    Attachment.objects.create(finding=other.first(), case=case)


def _not_delivered():
    for case in Case.objects.all():
        ExternalIssueFactory(case=case)


@pytest.mark.parametrize(
    ("so_that", "archived"),
    [(_of_an_open_case, 1), (_on_a_case_with_an_open_one, 1), (_not_delivered, 1)],
)
def test_it_leaves_what_a_ticket_needs(resolved, so_that, archived):
    so_that()
    assert archive().archived == archived
    assert set(Attachment.objects.values_list("finding__ticket", flat=True)) == {"automated"} or (
        Attachment.objects.exists()
    )


def test_it_leaves_what_an_import_can_take_back(frozen, settings):
    settings.RETENTION_DAYS = {"import_changes": 500}
    said = {"finding_type": "library_vulnerability", "severity": "high", "title": "Old"}

    def send(*numbers):
        found = [said | {"resource_id": f"r{n}"} for n in numbers]
        document = {"source": "ci", "scope": "shop", "findings": found}
        return import_report([json.dumps(document).encode()], ImportOptions())

    send(1, 2, 3)
    evaluate_all()
    frozen.shift(60)
    send(1, 2)
    frozen.shift(timedelta(days=400))
    assert archive() == (1, 0, archive().cursor)
    settings.RETENTION_DAYS = {"import_changes": 180}
    assert archive().archived == 1
    with gzip.open(the_file(settings.ARCHIVE_DIR)) as file:
        assert json.loads(file.readline())["findings"] == 1
    # A dry run foresees that it comes back.
    report = json.dumps(
        {"source": "ci", "scope": "shop", "findings": [said | {"resource_id": "r3"}]}
    ).encode()
    foreseen = dry_run(BytesIO(report), ImportOptions())
    assert (foreseen.new, foreseen.reopened) == (0, 1)
    done = import_report([report], ImportOptions())
    assert (done.new, done.reopened) == (0, 1)
    assert Import.objects.count() == 3


def test_they_leave_the_counts_of_days(resolved):
    refresh()
    since = (timezone.now() - timedelta(days=500)).date()
    assert sum(DayCounts(since=since).by_day(["new"], since=since).values()) == 3
    archive()
    assert sum(DayCounts(since=since).by_day(["new"], since=since).values()) == 0
    refresh()
    assert sum(DayCounts(since=since).by_day(["new"], since=since).values()) == 0


def test_it_costs_a_constant_number_of_statements(frozen, make_rule, report, editor):
    make_rule(limit=100)
    counts = []
    for number, prefix in ((3, "a"), (30, "b")):
        report(number, prefix=prefix)
        evaluate_all()
        resolve(editor)
        frozen.shift(timedelta(days=400))
        with CaptureQueriesContext(connection) as statements:
            assert archive().archived == number
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 60


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"not gzip", "cannot be read"),
        (gzip.compress(b"{}\n", mtime=0), "not an archive"),
        (gzip.compress(b"nonsense\n", mtime=0), "not JSON"),
        (b"cut", "cannot be read"),
        (b"shorter", "findings and not"),
        (b"later", "of version 2"),
        (b"odd", "is not one"),
    ],
)
def test_it_refuses_what_is_no_file_of_its_own(resolved, folder, tmp_path, content, complaint):
    archive()
    whole = the_file(folder).read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    made = {
        b"cut": whole[:-20],
        b"shorter": gzip.compress(b"".join(lines[:-1])),
        b"later": gzip.compress(lines[0].replace(b'"version":1', b'"version":2')),
        b"odd": gzip.compress(lines[0] + b"{}\n" * 3),
    }
    bad = tmp_path / "bad.gz"
    bad.write_bytes(made.get(content, content))
    with pytest.raises(CommandError, match=complaint):
        call_command("restore_archive", bad)


def test_its_command_says_what_it_did(resolved, folder, capsys):
    call_command("archive_findings", "--older-than", "365", "--dry-run")
    call_command("archive_findings", "--older-than", "365")
    call_command("restore_archive", the_file(folder))
    said = capsys.readouterr().out
    assert "Up to 3 findings" in said
    assert f"3 findings archived in {folder}." in said
    assert "3 findings restored." in said


@pytest.mark.django_db(transaction=True)
def test_two_at_once_archive_each_once(resolved, folder):
    assert done_by_two_at_once(archive) == ["done", "done"]
    assert not Finding.objects.exists()
    assert ArchivedFinding.objects.count() == 3
    assert not list(violations())


@pytest.mark.django_db(transaction=True)
def test_one_that_is_reported_meanwhile_is_there_once(resolved):
    """Either it comes back from the archive, or it is open before it could go."""
    acts = [archive, lambda: record(reported(2, prefix="a"), source=SourceFactory())]

    def do_one() -> None:
        acts.pop()()

    assert done_by_two_at_once(do_one) == ["done", "done"]
    follow_findings()
    evaluate_all()
    assert Finding.objects.filter(status="open").count() == 2
    assert Case.objects.count() == 2
    assert Source.objects.get().has_archived
    assert not list(violations())


@pytest.mark.django_db(transaction=True)
def test_a_file_comes_back_while_its_findings_are_reported(resolved, folder):
    """Whoever is first: each finding is there once, open, with all that happened to it."""
    archive()
    file = the_file(folder)
    acts = [
        lambda: restore(file),
        lambda: record(reported(2, prefix="a"), source=SourceFactory()),
    ]

    def do_one() -> None:
        acts.pop()()

    assert done_by_two_at_once(do_one) == ["done", "done"]
    follow_findings()
    evaluate_all()
    assert sorted(Finding.objects.values_list("status", flat=True)) == ["open", "open", "resolved"]
    assert FindingEvent.objects.filter(after="resolved").count() == 3
    assert Case.objects.count() == 2
    assert not ArchivedFinding.objects.exists()
    assert not list(violations())
