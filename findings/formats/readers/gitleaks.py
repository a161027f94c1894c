"""Gitleaks JSON of version 8 (`RuleID`, `Secret`) and of 7 and before (`rule`, `offender`).
Documentation: docs/gitleaks.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.problems import only, read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.fields import clip, one_line, text, texts, whole
from findings.formats.values.masking import masked_within
from findings.formats.values.paths import file_of

NAME = "gitleaks"
LABEL = "Gitleaks JSON"

_REDACTED = re.compile(r"REDACTED|\*{3}|\.{3}$")


def recognises(outline: Outline) -> bool:
    first = outline.first.get("", frozenset()) if outline.root == "list" else frozenset()
    return first >= {"RuleID", "Secret"} or first >= {"rule", "offender"}


def scanner(_report: BinaryIO) -> str:
    return "Gitleaks"


def target(report: BinaryIO) -> str:
    """The repository that version 7 names with each leak."""
    return only(_repository_of(found.value) for found in records(report, "/*"))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from read_problems(records(report, "/*"), _leak, ("RuleID", "rule"), latest=latest)


def _leak(found: Record) -> FoundSecret:
    secret = text(found.value, "Secret") or text(found.value, "offender")
    if _REDACTED.search(secret):
        secret = ""
    leak = masked_within(found.value, secret)
    rule = one_line(text(leak, "RuleID") or text(leak, "rule"), 200)
    return FoundSecret(
        scanner="Gitleaks",
        rule=rule,
        secret=secret,
        name=text(leak, "Description") or rule,
        file=file_of(text(leak, "File") or text(leak, "file")),
        former_file=clip(text(leak, "File") or text(leak, "file"), 1_000),
        repository=_repository_of(leak),
        line=whole(leak, "StartLine") or whole(leak, "lineNumber"),
        commit=one_line(text(leak, "Commit") or text(leak, "commit"), 100),
        author=one_line(text(leak, "Author") or text(leak, "author"), 200),
        date=one_line(text(leak, "Date") or text(leak, "date"), 50),
        url=text(leak, "Link") or text(leak, "leakURL"),
        entropy=text(leak, "Entropy"),
        labels=texts(leak, "Tags") or text(leak, "tags").split(","),
    )


def _repository_of(leak: Any) -> str:
    """Without scheme, user and `.git`; "." is where Gitleaks ran and says nothing."""
    repo = text(leak, "repoURL") or text(leak, "repo")
    place = (repo.partition("://")[2] or repo).rpartition("@")[2]
    return "" if place == "." else one_line(place.removesuffix(".git"), 300)
