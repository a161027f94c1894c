"""Every sample of every format, and what REPORTS_DIR names: in, again, less one, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from findings.formats.normalised import Normalised
from findings.formats.streams.records import RefusedReport
from findings.imports import run as import_run
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, Import

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "formats/samples"
REAL = Path(os.environ.get("REPORTS_DIR", "/nowhere"))
REPORTS = [
    pytest.param(path, id=f"{path.parent.name}/{path.name}")
    for folder in (SAMPLES, REAL)
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path.name != "expected.json"
]


@pytest.fixture
def without(monkeypatch):
    """Reports are read without the finding of this fingerprint from now on."""
    real = import_run._outcomes

    def leave_out(fingerprint: str) -> None:
        def outcomes(*said) -> Iterator:
            for each in real(*said):
                if not isinstance(each, Normalised) or each.fingerprint != fingerprint:
                    yield each

        monkeypatch.setattr(import_run, "_outcomes", outcomes)

    return leave_out


def counts(run: Import) -> tuple[int, ...]:
    return run.new, run.reopened, run.resolved


@pytest.mark.parametrize("path", REPORTS)
def test_it_takes_a_report_round(path, settings, without):
    settings.IMPORT_HOLD_PERCENT = 100
    sent = ImportOptions(scope="shop", source="ci")
    try:
        first = import_report([path.read_bytes()], sent)
    except RefusedReport as refused:
        pytest.skip(refused.reason)
    known = list(Finding.objects.order_by("pk").values())
    assert counts(first) == (len(known), 0, 0)
    again = import_report([path.read_bytes()], sent)
    assert counts(again) == (0, 0, 0)
    for before, after in zip(known, Finding.objects.order_by("pk").values(), strict=True):
        assert after == before
    if known:
        assert_one_goes_and_returns(path.read_bytes(), sent, first, known[0], without)


def assert_one_goes_and_returns(report, sent, first, gone, without) -> None:
    without(gone["fingerprint"])
    if first.received - first.rejected == 1 and first.rejected:
        with pytest.raises(RefusedReport, match=r"record"):
            import_report([report], sent)  # nothing of it goes in any more
        return
    less = import_report([report], sent)
    is_held = first.rejected > 0
    assert counts(less) == (0, 0, 0 if is_held else 1)
    assert (less.closing, less.missing) == ("held" if is_held else "done", 1)
    without("nothing")
    back = import_report([report], sent)
    assert counts(back) == (0, 0 if is_held else 1, 0)
    assert Finding.objects.exclude(status="open").count() == 0
