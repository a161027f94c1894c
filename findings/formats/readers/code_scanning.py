"""Code scanning alerts as GitHub's REST API lists them. Documentation: docs/code_scanning.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.problems import only, read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.credential_words import HARD_CODED
from findings.formats.values.fields import one_line, text, texts, whole
from findings.formats.values.github import repository_of
from findings.formats.values.paths import file_of

NAME = "code-scanning"
LABEL = "GitHub code scanning alerts"

_OURS = frozenset({"rule", "tool", "most_recent_instance"})
_LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.INFO,
    "none": Severity.NONE,
}  # as in SARIF, from which GitHub has them
_IAC = frozenset({"checkov", "kics", "tfsec", "terrascan", "hadolint", "kubesec", "kube-linter"})


def recognises(outline: Outline) -> bool:
    return outline.root == "list" and outline.first.get("", frozenset()) >= _OURS


def scanner(report: BinaryIO) -> str:
    """The tool, if all alerts are of one."""
    names = (one_line(text(found.value), 100) for found in records(report, "/*/tool/name"))
    return only(names) or "GitHub code scanning"


def target(report: BinaryIO) -> str:
    """The repository, if all alerts are of one."""
    return only(filter(None, (repository_of(found.value) for found in records(report, "/*"))))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = ("state", ("rule/id", "rule/name"), "number")
    yield from read_problems(
        records(report, "/*"), _alert, *required, latest=latest, first_seen="created_at"
    )


def _alert(found: Record) -> FailedCheck | None:
    alert = found.value
    if text(alert, "state") != "open":
        return None
    rule, instance = alert["rule"], alert.get("most_recent_instance")
    place = instance.get("location") if isinstance(instance, dict) else None
    words = text(rule, "full_description") or text(rule, "description")
    cwes = cwes_in(texts(rule, "tags"))
    tool = one_line(text(alert, "tool", "name"), 100) or "GitHub code scanning"
    return FailedCheck(
        finding_type=_type(rule, tool, cwes),
        scanner=tool,
        check=one_line(text(rule, "id") or text(rule, "name"), 200),
        severity=_severity(rule),
        file=file_of(text(place, "path")) or "repository",
        title=text(rule, "description") or text(instance, "message", "text"),
        name=text(rule, "name"),
        url=text(rule, "help_uri"),
        line=whole(place, "start_line"),
        line_end=whole(place, "end_line"),
        message=text(instance, "message", "text"),
        about=words,
        repository=repository_of(alert),
        cwes=cwes,
        urls=[text(alert, "html_url")],
        category=one_line(text(instance, "category"), 100),
        known_by=text(alert, "number"),
    )


def _type(rule: dict[str, Any], tool: str, cwes: list[str]) -> FindingType:
    names = [text(rule, "id"), text(rule, "name")]
    if cves_in(names) or ghsas_in(names):
        return FindingType.LIBRARY
    if not HARD_CODED.isdisjoint(cwes) or "secrets" in texts(rule, "tags"):
        return FindingType.SECRET
    return FindingType.IAC if tool.lower() in _IAC else FindingType.STATIC_CODE


def _severity(rule: dict[str, Any]) -> Severity:
    word = severities.from_word(text(rule, "security_severity_level"))
    return word or _LEVELS.get(text(rule, "severity").lower(), Severity.UNKNOWN)
