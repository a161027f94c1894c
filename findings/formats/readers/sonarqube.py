"""SonarQube and SonarCloud: issues and security hotspots as their API lists them.
Documentation: docs/sonarqube.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.credentials import mask_credentials
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.problems import only, read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import objects, one_line, text, whole
from findings.formats.values.paths import file_of

NAME = "sonarqube"
LABEL = "SonarQube issues"

_ISSUE = frozenset({"key", "rule", "component"})
_HOTSPOT = frozenset({"key", "component", "vulnerabilityProbability"})
_BESIDE = frozenset({"paging", "effortTotal", "facets", "p", "ps"})  # of an answer without issues
_PLACES = ("/issues/*", "/hotspots/*")
_SEVERITIES = {
    "BLOCKER": Severity.CRITICAL,
    "CRITICAL": Severity.HIGH,  # the second of five, not the first
    "MAJOR": Severity.MEDIUM,
    "MINOR": Severity.LOW,
    "INFO": Severity.INFO,
}
_OPEN = frozenset({"OPEN", "CONFIRMED", "REOPENED", "TO_REVIEW"})
_IAC = frozenset(
    (
        "ansible",
        "azureresourcemanager",
        "cloudformation",
        "docker",
        "githubactions",
        "kubernetes",
        "terraform",
    )
)  # repositories of rules


def recognises(outline: Outline) -> bool:
    if outline.root != "object":
        return False
    issues, hotspots = (outline.first.get(name) for name in ("issues", "hotspots"))
    if issues or hotspots:
        return (issues or frozenset()) >= _ISSUE or (hotspots or frozenset()) >= _HOTSPOT
    is_answer = issues is not None or hotspots is not None
    return is_answer and "components" in outline.keys and bool(outline.keys & _BESIDE)


def scanner(_report: BinaryIO) -> str:
    return "SonarQube"


def target(report: BinaryIO) -> str:
    """The project, if all issues are of one."""
    places = (f"{place}/project" for place in _PLACES)
    return only(filter(None, (text(found.value) for found in records(report, *places))))


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """A page of an answer says how many issues there are on all of them."""
    totals = (whole(found.value) for found in records(report, "/paging/total", "/total"))
    total = max((each for each in totals if each), default=0)
    held = sum(1 for _ in records(report, *_PLACES))
    if held < total:
        yield Unscanned(reason=f"it holds {held:,} of {total:,} issues", kind="finding")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = ("key", ("message", "rule", "ruleKey"))
    paths = {
        text(found.value, "key"): text(found.value, "path")
        for found in records(report, "/components/*")
    }
    yield from read_problems(
        records(report, *_PLACES),
        lambda found: _issue(found, paths),
        *required,
        latest=latest,
        first_seen="creationDate",
    )


def _issue(found: Record, paths: Mapping[str, str]) -> FailedCheck | None:
    issue = found.value
    status = text(issue, "issueStatus") or text(issue, "status")
    is_hotspot = found.path[0] == "hotspots"
    if (status or "OPEN") not in _OPEN or not (is_hotspot or _is_security(issue)):
        return None
    rule = one_line(text(issue, "rule") or text(issue, "ruleKey"), 200) or "hotspot"
    project = one_line(text(issue, "project"), 300)
    component = mask_credentials(text(issue, "component"))  # once taken apart, none is known
    file = paths.get(component) or component.removeprefix(f"{project}:").rpartition(":")[2]
    message = text(issue, "message")
    return FailedCheck(
        finding_type=_type(rule),
        scanner="SonarQube",
        check=rule,
        severity=_severity(issue),
        file=file_of(file) or "project",
        title=message or rule,
        line=whole(issue, "line") or whole(issue, "textRange", "startLine"),
        line_end=whole(issue, "textRange", "endLine"),
        message=message,
        repository=project,
        category=one_line(text(issue, "securityCategory"), 100),
        known_by=text(issue, "key"),
    )


def _is_security(issue: dict[str, Any]) -> bool:
    """A bug or a smell is none, unless the newer kind of severities says that it is; without any
    word about it an issue is taken for one."""
    impacts = [text(each, "softwareQuality") for each in objects(issue, "impacts")]
    kind = text(issue, "type") or ("" if impacts else "VULNERABILITY")
    return kind == "VULNERABILITY" or "SECURITY" in impacts


def _severity(issue: dict[str, Any]) -> Severity:
    """The impact on security, if it is rated; else the issue's own severity."""
    for impact in objects(issue, "impacts"):
        if text(impact, "softwareQuality") == "SECURITY":
            return severities.from_word(text(impact, "severity")) or Severity.UNKNOWN
    if word := text(issue, "severity"):
        known = _SEVERITIES.get(word.upper()) or severities.from_word(word)
        return known or Severity.UNKNOWN
    return severities.from_word(text(issue, "vulnerabilityProbability")) or Severity.UNKNOWN


def _type(rule: str) -> FindingType:
    repository = rule.partition(":")[0].lower()
    if repository == "secrets":
        return FindingType.SECRET
    return FindingType.IAC if repository in _IAC else FindingType.STATIC_CODE
