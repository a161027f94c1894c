"""detect-secrets baselines. Documentation: docs/detect_secrets.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.fields import dig, one_line, text, whole
from findings.formats.values.paths import file_of, former_file_of

NAME = "detect-secrets"
LABEL = "detect-secrets JSON"


def recognises(outline: Outline) -> bool:
    return {"plugins_used", "results"} <= outline.keys


def scanner(_report: BinaryIO) -> str:
    return "detect-secrets"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = records(report, "/results/{}/*")
    yield from read_problems(found, _secret, "type", "hashed_secret", latest=latest)


def _secret(found: Record) -> FoundSecret | None:
    item = found.value
    if dig(item, "is_secret") is False:  # a person said so: `detect-secrets audit`
        return None
    return FoundSecret(
        scanner="detect-secrets",
        rule=one_line(text(item, "type"), 200),
        known_by=text(item, "hashed_secret"),  # an unsalted SHA-1: never shown
        file=file_of(text(item, "filename") or str(found.path[1])),
        former_file=former_file_of(text(item, "filename") or str(found.path[1])),
        line=whole(item, "line_number"),
        is_verified=True if dig(item, "is_verified") is True else None,
    )
