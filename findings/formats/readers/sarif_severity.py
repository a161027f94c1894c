"""The severity of a SARIF result.

SARIF's `level` has no critical, and tools fill it each in their own way. What a tool says in a
property or its message goes before it; and where a tool has a format of its own, the level means
here what its words mean there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from findings.facts import FindingType, Severity
from findings.formats.readers.sarif_rules import Rule
from findings.formats.readers.sarif_runs import Run
from findings.formats.shapes.found_secrets import severity_of_secret
from findings.formats.values import severities
from findings.formats.values.fields import dig, text, texts
from findings.formats.values.scanners import scanner_tag

_LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.INFO,
    "none": Severity.NONE,
}
_LOW_NOTES = {"note": Severity.LOW}  # the lowest of three or four severities
_LEVELS_OF_TOOLS: Mapping[str, dict[str, Severity]] = {
    "bandit": _LOW_NOTES,
    "checkov": {"error": Severity.UNKNOWN},  # what it writes where it knows no severity
    "gosec": _LOW_NOTES,
    "kics": _LOW_NOTES | {"none": Severity.INFO},
    "semgrep": _LOW_NOTES,
    "snyk": _LOW_NOTES,
    "tfsec": _LOW_NOTES,
    "trivy": _LOW_NOTES,
}
_MESSAGES: Mapping[str, re.Pattern[str]] = {
    # Their `security-severity` is one of several scores, not the severity that they chose.
    "grype": re.compile(r"^An? (\w+) vulnerability in "),
    "trivy": re.compile(r"^Severity: (\w+)\s*$", re.MULTILINE),
}
_PROPERTIES = (
    "severity",
    "issue_severity",  # Bandit
    "zizmor/severity",
    "securityrisk",  # Black Duck
    "cvssv4_baseseverity",  # Dependency-Check, with the next two
    "cvssv3_baseseverity",
    "cvssv2_severity",
)
_STATED_BY_NOBODY = ("checkov", "gitleaks")  # a level of theirs is the same for every secret


def severity_of(
    result: dict[str, Any], run: Run, rule: Rule, finding_type: FindingType
) -> Severity:
    tool = scanner_tag(run.tool)
    if found := _in_message(result, tool):
        return found
    for properties in (dig(result, "properties"), rule.properties):
        if found := _in_properties(properties):
            return found
    level = text(result, "level") or run.level_of(result, rule)
    if finding_type is FindingType.SECRET and (not level or tool in _STATED_BY_NOBODY):
        return severity_of_secret(rule.id, *texts(result, "properties", "tags"))
    if text(result, "kind") == "informational":
        level = level or "note"
    levels = _LEVELS | _LEVELS_OF_TOOLS.get(tool, {})
    return levels.get(level or "warning", Severity.UNKNOWN)


def _in_message(result: dict[str, Any], tool: str) -> Severity | None:
    pattern = _MESSAGES.get(tool)
    found = pattern.search(text(result, "message", "text")[:4_000]) if pattern else None
    return severities.from_word(found[1]) if found else None


def _in_properties(properties: Any) -> Severity | None:
    """By score, else by a word, of those properties that are known to say it."""
    from_score = severities.from_score(dig(properties, "security-severity"))
    if from_score is not None or not isinstance(properties, dict):
        return from_score
    named = {name.lower(): text(properties, name) for name in properties}
    named["severity"] = named.get("severity") or text(properties, "problem", "severity")  # Snyk
    words = (severities.from_word(named.get(name, "")) for name in _PROPERTIES)
    return next(filter(None, words), None)
