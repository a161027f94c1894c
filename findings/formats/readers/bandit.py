"""Bandit JSON. Documentation: docs/bandit.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck, first_sentence
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import dig, one_line, text, whole
from findings.formats.values.paths import file_of, former_file_of

NAME = "bandit"
LABEL = "Bandit JSON"

_NUMBERED = re.compile(r"^\s*(\d+)\s?", re.MULTILINE)
_ERROR = frozenset({"filename", "reason"})
HARD_CODED = frozenset({"B105", "B106", "B107"})  # passwords; B108, a temporary file, is not


def recognises(outline: Outline) -> bool:
    first = outline.first.get("results")
    if first is None:
        return False
    if first:
        return first >= {"test_id", "issue_text"}
    return "metrics" in outline.keys or outline.first.get("errors", frozenset()) >= _ERROR


def scanner(_report: BinaryIO) -> str:
    return "Bandit"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    for found in records(report, "/errors/*"):
        yield Unscanned(file_of(text(found.value, "filename")), text(found.value, "reason"))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = records(report, "/results/*")
    yield from read_problems(found, _issue, "test_id", latest=latest)


def _issue(found: Record) -> FailedCheck:
    issue: dict[str, Any] = found.value
    test = one_line(text(issue, "test_id"), 100)
    message = text(issue, "issue_text")
    if test in HARD_CODED:
        message = message.partition(":")[0]  # goes on with the password
    code, flagged = _code(text(issue, "code"), issue)
    cwe = whole(issue, "issue_cwe", "id")
    lines = _lines_of(issue)
    return FailedCheck(
        finding_type=FindingType.SECRET if test in HARD_CODED else FindingType.STATIC_CODE,
        scanner="Bandit",
        check=test,
        name=text(issue, "test_name"),
        url=text(issue, "more_info"),
        severity=severities.from_word(text(issue, "issue_severity")) or Severity.UNKNOWN,
        confidence=text(issue, "issue_confidence"),
        file=file_of(text(issue, "filename")),
        former_file=former_file_of(text(issue, "filename")),
        line=min(lines, default=None),  # where Bandit's SARIF has it; `line_number` is within
        line_end=max(lines, default=None),
        title=first_sentence(message) or test,
        message=message,
        code=code,
        cwes=[f"CWE-{cwe}"] if cwe else [],
        known_by=" ".join(flagged.split()),
    )


def _code(numbered: str, issue: dict[str, Any]) -> tuple[str, str]:
    """The code without Bandit's line numbers, and of it the lines that the issue is about."""
    lines = numbered.splitlines()
    about = _lines_of(issue)
    flagged = [line for line in lines if _number(line) in about] or lines
    return _bare(lines), _bare(flagged)


def _lines_of(issue: dict[str, Any]) -> set[int]:
    line_range = dig(issue, "line_range")
    found = line_range if isinstance(line_range, list) else []
    lines = map(whole, [*found, dig(issue, "line_number")])
    return {line for line in lines if line is not None}


def _number(line: str) -> int | None:
    found = _NUMBERED.match(line)
    return int(found[1][:15]) if found else None


def _bare(lines: list[str]) -> str:
    return "\n".join(_NUMBERED.sub("", line, count=1) for line in lines)
