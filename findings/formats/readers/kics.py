"""KICS JSON. Documentation: docs/kics.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import one_line, text, whole
from findings.formats.values.paths import file_of, former_file_of

NAME = "kics"
LABEL = "KICS JSON"

_FAILURES = {"files_failed_to_scan": "files", "queries_failed_to_execute": "queries"}
_QUERY = ("query_name", "query_id", "query_url", "severity", "platform", "category",
          "description", "cwe", "cloud_provider")  # fmt: skip


def recognises(outline: Outline) -> bool:
    return {"queries", "files_scanned"} <= outline.keys and "queries" in outline.first


def scanner(_report: BinaryIO) -> str:
    return "KICS"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """KICS counts what failed and names none of it."""
    for found in records(report, *(f"/{name}" for name in _FAILURES)):
        if (count := whole(found.value) or 0) > 0:
            what = _FAILURES[str(found.path[0])]
            yield Unscanned(reason=f"{count:,} {what} failed, and it does not say which.")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    queries = context(report, *(f"/queries/*/{key}" for key in _QUERY))
    found = records(report, "/queries/*/files/*")
    yield from read_problems(found, partial(_result, queries), latest=latest)


def _result(queries: dict[Path, dict[str, Any]], found: Record) -> FailedCheck:
    query, result = queries.get(found.path[:2], {}), found.value
    name, category = text(query, "query_name"), text(query, "category")
    is_secret = name.startswith("Passwords And Secrets")
    severity = severities.from_word(text(query, "severity")) or Severity.UNKNOWN
    if text(query, "severity").upper() == "TRACE":
        severity = Severity.INFO
    cwe = text(query, "cwe")
    return FailedCheck(
        finding_type=FindingType.SECRET if is_secret else FindingType.IAC,
        scanner="KICS",
        check=one_line(text(query, "query_id") or name or "query", 200),
        name=name,
        url=text(query, "query_url"),
        severity=severity,
        file=file_of(text(result, "file_name")),
        former_file=former_file_of(text(result, "file_name")),
        line=whole(result, "line"),
        title=name or "KICS query",
        message=text(query, "description"),
        about="" if is_secret else _seen(result),
        remediation=text(result, "remediation"),
        resource="" if is_secret else _resource(result),
        platform=text(query, "platform"),
        provider=text(query, "cloud_provider"),
        category=category,
        cwes=[f"CWE-{cwe}"] if cwe.isdecimal() else [],
        known_by=text(result, "similarity_id"),
    )


def _seen(result: dict[str, Any]) -> str:
    expected, actual = text(result, "expected_value"), text(result, "actual_value")
    lines = [f"Expected: {expected}" if expected else "", f"Found: {actual}" if actual else ""]
    return "\n\n".join(filter(None, lines))


def _resource(result: dict[str, Any]) -> str:
    names = [text(result, "resource_type"), text(result, "resource_name")]
    named = ".".join(name for name in names if name and name != "n/a")
    return one_line(named or text(result, "search_key"), 500)
