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
CODE = str(SAMPLES / "code.sarif")


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_report", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_it_prints_one_line_of_json():
    assert json.loads(_run(CODE, "--json")) == {
        "format": "sarif",
        "findings": 4,
        "new": 4,
        "seen_again": 0,
        "reopened": 0,
        "resolved": 0,
        "rejected": 1,
    }


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
