"""trufflehog3 JSON (`trufflehog3 --format json`). Documentation: docs/trufflehog3.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import one_line, text, whole
from findings.formats.values.masking import masked_within
from findings.formats.values.paths import file_of

NAME = "trufflehog3"
LABEL = "trufflehog3 JSON"

_OURS = frozenset({"rule", "path", "line", "secret", "context"})


def recognises(outline: Outline) -> bool:
    return outline.root == "list" and outline.first.get("", frozenset()) >= _OURS


def scanner(_report: BinaryIO) -> str:
    return "trufflehog3"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = ("rule/id", "rule/message")
    yield from read_problems(records(report, "/*"), _secret, required, "path", latest=latest)


def _secret(found: Record) -> FoundSecret:
    secret = text(found.value, "secret")
    leak = masked_within(found.value, secret)
    rule = one_line(text(leak, "rule", "id") or text(leak, "rule", "message"), 200)
    return FoundSecret(
        scanner="trufflehog3",
        rule=rule,
        secret=secret,
        name=text(leak, "rule", "message") or rule,
        severity=severities.from_word(text(leak, "rule", "severity")),
        file=file_of(text(leak, "path")),
        line=whole(leak, "line"),
        commit=one_line(text(leak, "commit"), 100),
        author=one_line(text(leak, "author"), 200),
        date=one_line(text(leak, "date"), 50),
        branch=one_line(text(leak, "branch").removeprefix("origin/"), 200),
    )
