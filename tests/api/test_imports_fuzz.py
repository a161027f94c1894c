"""Whatever a file holds: taken in with an exact account, or refused without a trace.

Over HTTP, with the samples of the suite and, where REPORTS_DIR names some, real reports.
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.roles import Permission
from findings.models import Finding, Import, Source

pytestmark = pytest.mark.django_db
SMALL = 30_000  # bytes: what is mutated is read many times
FOLDERS = [
    Path(__file__).parents[1] / "findings/formats",
    Path(os.environ.get("REPORTS_DIR", "/nowhere")),
]
SUFFIXES = {".json", ".sarif", ".xml", ".csv", ".jsonl", ".ndjson"}
SAMPLES = [
    path.read_bytes()
    for folder in FOLDERS
    for path in sorted(folder.rglob("*"))
    if path.suffix in SUFFIXES and path.stat().st_size < SMALL
]
FUZZ = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PIECES = [b'"', b"{", b"}", b"[", b"]", b",", b"\n", b"<", b">", b"&", b"\0", b"\xff", b"null"]


def changed(data: st.DataObject, report: bytearray) -> None:
    start = data.draw(st.integers(0, len(report)))
    end = start + data.draw(st.integers(0, 200))
    piece = st.sampled_from(PIECES) | st.binary(max_size=8)
    report[start:end] = data.draw(piece | st.just(bytes(report[start:end]) * 2))


def packed(data: st.DataObject, report: bytes) -> bytes:
    how = data.draw(st.sampled_from(["plain", "plain", "gzip", "zip"]))
    if how == "gzip":
        return gzip.compress(report, 1)
    if how == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("report", report)
        return target.getvalue()
    return report


@pytest.fixture
def send(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE)}
    kind = "application/octet-stream"
    return lambda body, query="": api.post(
        f"/api/v1/imports{query}", body, content_type=kind, headers=headers
    )


@FUZZ
@given(st.data())
def test_it_takes_in_or_refuses_whatever_it_is_sent(send, data):
    report = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(0, 4))):
        changed(data, report)
    body = bytearray(packed(data, bytes(report)))
    if data.draw(st.booleans()):
        changed(data, body)
    with transaction.atomic():
        tried = send(bytes(body), "?dry_run=true&scope=x")
        assert not Import.objects.exists()
        answer = send(bytes(body), "?scope=x")
        assert_exact(tried, answer)
        transaction.set_rollback(True)


def assert_exact(tried, answer) -> None:
    """All of it is accounted for, as the dry run said; of a refused file there is only a row."""
    run = Import.objects.get()
    if answer.status_code == 201:
        counts = (run.new, run.seen_again, run.reopened, run.rejected)
        assert (run.state, run.received, run.new) == ("done", sum(counts), Finding.objects.count())
        said = tried.json()["data"]["attributes"]
        assert tuple(said[name] for name in ("new", "seen_again", "reopened", "rejected")) == counts
        return
    assert answer.status_code == tried.status_code in (413, 422)
    assert answer.json()["errors"][0]["detail"] == run.reason
    assert run.state == "refused"
    assert not Finding.objects.exists()
    assert not Source.objects.exists()
