"""The command `manage.py import_report`."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from findings.models import Finding, Import

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parent / "formats" / "samples"
COUNTS = ("format", "findings", "new", "seen_again", "reopened", "resolved", "rejected")
CODE = str(SAMPLES / "code.sarif")


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_report", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_it_prints_one_line_of_json():
    printed = _run(CODE, "--json")
    assert printed.count("\n") == 1
    assert json.loads(printed) == {
        "format": "sarif",
        "findings": 4,
        "new": 4,
        "seen_again": 0,
        "reopened": 0,
        "resolved": 0,
        "rejected": 1,
        "held": 0,
        "source": "codeql",
        "scope": "github.com/acme/shop",
        "note": "",
        "notes": [],
        "unscanned": [],
    }
    assert list(json.loads(printed))[:7] == [*COUNTS]


@pytest.mark.parametrize("said", [[], ["--dry-run"]])
def test_it_names_the_columns_that_nothing_is_taken_from(tmp_path, said):
    file = tmp_path / "t.csv"
    file.write_text("Title,Severity,Host,Owner\nOld TLS,low,web-1,me\n")
    errors = io.StringIO()
    call_command("import_report", str(file), *said, stdout=io.StringIO(), stderr=errors)
    assert errors.getvalue().splitlines() == ["Columns not read: Owner."]


def _own(path: Path, *numbers: int) -> str:
    finding = {"finding_type": "misconfiguration", "severity": "low", "title": "Odd"}
    findings = [finding | {"resource_id": f"r{n}"} for n in numbers]
    path.write_text(json.dumps({"source": "nightly", "findings": findings}))
    return str(path)


@pytest.mark.parametrize("first", [(), (1, 2, 3, 4)])
@pytest.mark.parametrize("then", [(), (1,), (1, 2, 3), (1, 2, 3, 4, 5), (6, 7), (1, 2, 3, 3)])
@pytest.mark.parametrize("said", [[], ["--scope", "shop"], ["--scope", "shop", "--partial"]])
def test_it_counts_in_a_dry_run_as_in_earnest(tmp_path, first, then, said):
    file = tmp_path / "r.json"
    _run(_own(file, *first, 1, 2), *said)
    _run(_own(file, *first, 1), *said)
    report = _own(file, *then)
    tried = _run(report, "--json", "--dry-run", *said)
    assert _run(report, "--json", *said) == tried


def test_it_resolves_within_a_scope(tmp_path):
    file = tmp_path / "r.json"
    _run(_own(file, 1, 2, 3), "--scope", "shop")
    assert json.loads(_run(_own(file, 1, 2), "--scope", "site", "--json"))["resolved"] == 0
    _run(_own(file, 1, 2, 3), "--scope", "shop")
    assert json.loads(_run(_own(file, 1, 2), "--scope", "shop", "--json"))["resolved"] == 1


def test_it_says_what_waits_for_a_person(tmp_path):
    file = tmp_path / "r.json"
    _run(_own(file, 1, 2, 3), "--scope", "shop")
    said = json.loads(_run(_own(file), "--scope", "shop", "--json"))
    assert (said["resolved"], said["held"]) == (0, 3)
    assert said["note"] == "3 of 3 findings are missing from this report."


def test_it_names_the_files_that_the_scanner_could_not_read(tmp_path):
    file = tmp_path / "r.json"
    errors = [{"filename": "a.py", "reason": "syntax error"}]
    file.write_text(json.dumps({"errors": errors, "metrics": {}, "results": []}), "utf-16")
    out, errors = io.StringIO(), io.StringIO()
    call_command("import_report", file, "--json", stdout=out, stderr=errors)
    assert json.loads(out.getvalue())["unscanned"] == [
        {"target": "a.py", "reason": "syntax error", "kind": "file"}
    ]
    assert errors.getvalue().splitlines() == [
        "The file was in UTF-16 and was read so.",
        "1 file could not be read: a.py.",
        "Not read: a.py: syntax error",
    ]


def test_it_says_in_words_what_it_did():
    assert "findings 4, new 4" in _run(CODE)


def test_it_takes_a_source():
    _run(CODE, "--source", "shop")
    assert {finding.source.name for finding in Finding.objects.all()} == {"shop"}


def test_it_keeps_nothing_of_a_dry_run():
    assert json.loads(_run(CODE, "--dry-run", "--json"))["new"] == 4
    assert not Finding.objects.exists()
    assert not Import.objects.exists()


def test_it_counts_in_a_dry_run_what_is_known_already():
    _run(CODE)
    counts = json.loads(_run(CODE, "--dry-run", "--json"))
    assert (counts["new"], counts["seen_again"]) == (0, 4)


def test_it_reads_standard_input(monkeypatch):
    packed = gzip.compress(Path(CODE).read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed)))
    assert json.loads(_run("-", "--json"))["new"] == 4


@pytest.mark.parametrize("arguments", [["--format", "trivy"], ["--format", "trivy", "--dry-run"]])
def test_it_exits_with_2_for_a_refused_file(arguments):
    with pytest.raises(CommandError, match="not a Trivy JSON report") as refused:
        _run(CODE, *arguments)
    assert refused.value.returncode == 2


def test_it_exits_with_1_for_a_file_that_is_not_there():
    with pytest.raises(CommandError, match="No such file") as refused:
        _run("/nowhere.sarif")
    assert refused.value.returncode == 1


def _table(path: Path) -> str:
    path.write_text("Issue Name,Level\nOld TLS,High\n")
    return str(path)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_it_reads_a_table_by_a_column_map(tmp_path, more):
    said = "title:Issue Name,severity:Level"
    printed = json.loads(_run(_table(tmp_path / "t.csv"), "--columns", said, "--json", *more))
    assert (printed["format"], printed["new"]) == ("generic", 1)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("titel:Issue Name", "There is no field “titel”"),
        ("title:Issue", "title is in “Issue”, but the file has no such column"),
    ],
)
def test_it_exits_with_2_for_a_column_map_that_does_not_fit(tmp_path, more, said, sentence):
    with pytest.raises(CommandError, match=sentence) as refused:
        _run(_table(tmp_path / "t.csv"), "--columns", said, *more)
    assert refused.value.returncode == 2
