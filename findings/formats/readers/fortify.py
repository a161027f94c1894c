"""Fortify: the XML of its reports, FPR and FVDL. Documentation: docs/fortify.md.

An FPR arrives as one document, `<FPR>` with what was found (`FVDL`) and what people said of it
(`Audit`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.readers import fortify_fvdl, fortify_report
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.problems import ReadyProblem, read_problems
from findings.formats.streams.records import Outline, Record
from findings.formats.streams.xml_stream import root_tag
from findings.formats.values.advisories import cwes_in
from findings.formats.values.fields import one_line, text, whole
from findings.formats.values.paths import file_of

NAME = "fortify"
LABEL = "Fortify"

_NO_ISSUE = "not an issue"
_CREDENTIALS = ("password management: hardcoded", "key management: hardcoded", "credential manag")


def recognises(outline: Outline) -> bool:
    return fortify_report.recognises(outline) or fortify_fvdl.recognises(outline)


def scanner(_report: BinaryIO) -> str:
    return "Fortify"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from read_problems(_issues(report), _issue, ("Category", "ruleID"), latest=latest)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    if root_tag(report) != fortify_report.ROOT:
        yield from fortify_fvdl.unscanned(report)


def _issues(report: BinaryIO) -> Iterator[Record]:
    """Each with the same fields, whichever of the formats it comes from."""
    is_report = root_tag(report) == fortify_report.ROOT
    yield from fortify_report.issues(report) if is_report else fortify_fvdl.issues(report)


def _issue(found: Record) -> ReadyProblem | None:
    """A report lists some issues twice, as examples and with all: they are one."""
    if found.value["is_suppressed"] or _NO_ISSUE in map(str.lower, found.value["audit"]):
        return None
    return ReadyProblem(_check(found.value).record())


def _check(issue: dict[str, Any]) -> FailedCheck:
    category = one_line(text(issue, "Category") or text(issue, "ruleID"), 200)
    is_secret = category.lower().startswith(_CREDENTIALS)
    return FailedCheck(
        finding_type=FindingType.SECRET if is_secret else FindingType.STATIC_CODE,
        scanner="Fortify",
        check=category,
        severity=issue["severity"] or Severity.UNKNOWN,
        file=file_of(text(issue, "file")) or "project",
        title=category,
        name=category,
        line=whole(issue, "line"),
        message=text(issue, "abstract"),
        about=text(issue, "explanation"),
        code=text(issue, "code"),
        remediation=text(issue, "recommendations"),
        resource=one_line(text(issue, "function"), 500),
        category=one_line(text(issue, "kingdom"), 100),
        cwes=cwes_in([text(issue, "cwe").replace("CWE ID ", "CWE-")]),
        known_by=text(issue, "id"),
    )
