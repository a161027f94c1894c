from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from findings.formats.normalised import Normalised
from findings.formats.registry import FORMATS, recognise
from findings.formats.streams.records import outline

SAMPLES = Path(__file__).parent / "samples"
JSON_SAMPLES = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".json", ".sarif"))
LATEST = datetime(2026, 11, 24, tzinfo=UTC)


def outcomes(report: bytes | dict | list, *, name: str = "") -> list:
    """Everything read of a report, given as bytes or as JSON values."""
    content = report if isinstance(report, bytes) else json.dumps(report).encode()
    file = BytesIO(content)
    return list(recognise(file, name=name).read(file, latest=LATEST))


def claimed_by(report: bytes) -> list[str]:
    """The formats that take the report for theirs; generic only where no other does."""
    shape = outline(BytesIO(report))
    found = [each.NAME for each in FORMATS if each.recognises(shape)]
    return [name for name in found if name != "generic"] or found


@pytest.fixture
def sample():
    """`sample("code.sarif")` is that report as JSON values, to be changed by a test."""
    return lambda name: json.loads((SAMPLES / name).read_bytes())


@pytest.fixture
def read():
    """`read(report)` is the list of its findings; the records that do not go in are left out."""
    return lambda report: [each for each in outcomes(report) if isinstance(each, Normalised)]


@pytest.fixture
def read_all():
    """`read_all(report)` is the list of its findings and rejected records."""
    return outcomes
