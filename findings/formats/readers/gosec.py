"""gosec JSON. Documentation: docs/gosec.md."""

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

NAME = "gosec"
LABEL = "gosec JSON"

_NUMBERED = re.compile(r"^\s*(\d+): ?")
HARD_CODED = "G101"  # credentials


def recognises(outline: Outline) -> bool:
    if "Issues" not in outline.keys:
        return False
    first = outline.first.get("Issues", frozenset())
    return first >= {"rule_id", "details"} or (not first and "Stats" in outline.keys)


def scanner(_report: BinaryIO) -> str:
    return "gosec"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    for found in records(report, "/Golang errors/{}"):
        yield Unscanned(file_of(str(found.path[-1])), text(found.value, 0, "error"))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = records(report, "/Issues/*")
    yield from read_problems(found, _issue, "rule_id", latest=latest)


def _issue(found: Record) -> FailedCheck | None:
    issue: dict[str, Any] = found.value
    if dig(issue, "suppressions") or dig(issue, "nosec") is True:
        return None
    rule = one_line(text(issue, "rule_id"), 100)
    details = text(issue, "details")
    first_line, _, last_line = text(issue, "line").partition("-")
    code, flagged = _code(text(issue, "code"), whole(first_line), whole(last_line))
    cwe = whole(issue, "cwe", "id") or whole(issue, "cwe", "ID")
    return FailedCheck(
        finding_type=FindingType.SECRET if rule == HARD_CODED else FindingType.STATIC_CODE,
        scanner="gosec",
        check=rule,
        url=f"https://securego.io/docs/rules/{rule.lower()}.html" if rule[1:].isdecimal() else "",
        severity=severities.from_word(text(issue, "severity")) or Severity.UNKNOWN,
        confidence=text(issue, "confidence"),
        file=file_of(text(issue, "file")),
        former_file=former_file_of(text(issue, "file")),
        line=whole(first_line),
        line_end=whole(last_line),
        title=first_sentence(details) or rule,
        message=details,
        code=code,
        remediation=text(issue, "autofix"),
        cwes=[f"CWE-{cwe}"] if cwe else [],
        known_by=flagged,
    )


def _code(numbered: str, first: int | None, last: int | None) -> tuple[str, str]:
    """The code without gosec's line numbers (since 2.4), and its lines from first to last."""
    lines = [(_NUMBERED.match(line), line) for line in numbered.splitlines()]
    code = "\n".join(_NUMBERED.sub("", line) for _, line in lines)
    flagged = [
        line[found.end() :]
        for found, line in lines
        if found and first and first <= int(found[1][:15]) <= (last or first)
    ]
    return code, " ".join(" ".join(flagged or [code]).split())
