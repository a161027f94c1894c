"""Semgrep JSON: of `semgrep scan` and `ci`, and the supply chain findings of its API.
Documentation: docs/semgrep.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats import severities
from findings.formats.advisories import cves_in, cwes_in
from findings.formats.checks import HARD_CODED, FailedCheck, first_sentence
from findings.formats.normalised import Normalised, Rejected
from findings.formats.packages import Holder, VulnerablePackage
from findings.formats.paths import file_of
from findings.formats.reading import Problem, read_problems
from findings.formats.stream import Outline, Record, records
from findings.formats.values import dig, objects, one_line, text, texts, whole

NAME = "semgrep"
LABEL = "Semgrep JSON"

_SEVERITIES = {
    "ERROR": Severity.HIGH,  # the three words of before 1.72
    "WARNING": Severity.MEDIUM,
    "INFO": Severity.LOW,
    "INVENTORY": Severity.INFO,
    "EXPERIMENT": Severity.INFO,
}
_WITHHELD = "requires login"  # stands for what Semgrep gives only to those logged in
_PLATFORMS = ("terraform", "kubernetes", "cloudformation", "dockerfile", "docker-compose")
_CLOSED = frozenset({"CLOSED", "IGNORED", "FIXED", "REMOVED"})


def recognises(outline: Outline) -> bool:
    if outline.first.get("vulns", frozenset()) >= {"advisory", "matchedDependency"}:
        return True
    first = outline.first.get("results")
    if first is None:
        return False
    if not first:
        return "errors" in outline.keys and bool(outline.keys & {"paths", "version"})
    return first >= {"check_id", "extra"}


def scanner(_report: BinaryIO) -> str:
    return "Semgrep"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = {"results": ("check_id", "path"), "vulns": ("matchedDependency/name",)}
    for kind, build in (("results", _result), ("vulns", _api_vulnerability)):
        found = records(report, f"/{kind}/*")
        yield from read_problems(found, build, *required[kind], latest=latest)


def _result(found: Record) -> Problem | None:
    result = found.value
    if dig(result, "extra", "is_ignored") is True:  # `nosemgrep` in the code
        return None
    if isinstance(dig(result, "extra", "sca_info"), dict):
        return _dependency(result)
    return _check(result)


def _check(result: dict[str, Any]) -> FailedCheck:
    check, file = one_line(text(result, "check_id"), 500), file_of(text(result, "path"))
    extra, metadata = dig(result, "extra"), dig(result, "extra", "metadata")
    cwes = cwes_in(texts(metadata, "cwe"))
    kind, platform = _kind(check, file, extra, cwes)
    name = check.rpartition(".")[2]
    message, fix = text(extra, "message"), text(extra, "fix")
    if kind is FindingType.SECRET:  # a rule may put the secret into its message
        message, fix = name.replace("-", " ").capitalize(), ""
    return FailedCheck(
        finding_type=kind,
        scanner="Semgrep",
        check=check,
        name=name,
        url=text(metadata, "source") or text(metadata, "shortlink"),
        severity=_severity(text(extra, "severity")),
        confidence=text(metadata, "confidence"),
        category=text(metadata, "category"),
        file=file,
        line=whole(result, "start", "line"),
        line_end=whole(result, "end", "line"),
        title=first_sentence(message) or check,
        message=message,
        code=_given(text(extra, "lines")),
        remediation=f"Semgrep's fix:\n\n    {fix}" if fix else "",
        platform=platform,
        cwes=cwes,
        urls=[*texts(metadata, "references"), text(metadata, "source-rule-url")],
        known_by=_given(text(extra, "fingerprint")),
    )


def _given(value: str) -> str:
    return "" if value == _WITHHELD else value


def _severity(word: str) -> Severity:
    return _SEVERITIES.get(word.upper()) or severities.from_word(word) or Severity.UNKNOWN


def _kind(check: str, file: str, extra: Any, cwes: list[str]) -> tuple[FindingType, str]:
    """The finding type, and of infrastructure as code the platform."""
    steps = check.lower().split(".")
    technologies = [word.lower() for word in texts(extra, "metadata", "technology")]
    about = [*technologies, *steps]
    is_tried = text(extra, "validation_state") not in ("", "NO_VALIDATOR")
    if is_tried or {"secrets", "secret"} & set(about) or not HARD_CODED.isdisjoint(cwes):
        return FindingType.SECRET, ""
    name = PurePosixPath(file).name.lower()
    if name.endswith(".tf"):
        return FindingType.IAC, "terraform"
    if name.startswith("dockerfile") or name.endswith(".dockerfile"):
        return FindingType.IAC, "dockerfile"
    platform = next((word for word in _PLATFORMS if word in about), "")
    return (FindingType.IAC, platform) if platform else (FindingType.STATIC_CODE, "")


def _dependency(result: dict[str, Any]) -> VulnerablePackage:
    extra, metadata = dig(result, "extra"), dig(result, "extra", "metadata")
    sca = dig(extra, "sca_info")
    matched = dig(sca, "dependency_match", "found_dependency")
    pattern = dig(sca, "dependency_match", "dependency_pattern")
    package = text(matched, "package") or text(pattern, "package") or "package"
    lock_file = text(sca, "dependency_match", "lockfile") or text(matched, "lockfile_path")
    identifier = text(metadata, "sca-vuln-database-identifier")
    message = text(extra, "message")
    fixes = [text(each, package) for each in objects(metadata, "sca-fix-versions")]
    return VulnerablePackage(
        id=one_line(identifier or text(result, "check_id"), 100),
        scanner="Semgrep",
        holder=Holder(name=file_of(lock_file or text(result, "path")), resource_type="file"),
        is_of_system=False,
        package=one_line(package, 300),
        severity=_severity(text(metadata, "sca-severity") or text(extra, "severity")),
        version=one_line(text(matched, "version"), 200),
        fixed_versions=[one_line(fix, 100) for fix in fixes if fix],
        ecosystem=text(matched, "ecosystem"),
        title=first_sentence(message),
        description=message,
        aliases=cves_in([identifier]),
        cwes=cwes_in(texts(metadata, "cwe")),
        urls=[text(metadata, "source"), *texts(metadata, "references")],
        reachability="reachable" if dig(sca, "reachable") is True else "",
    )


def _api_vulnerability(found: Record) -> VulnerablePackage | None:
    """A finding of `/api/v1/deployments/{deployment}/ssc-vulns`."""
    item = found.value
    if text(item, "triage", "status").upper() in _CLOSED:
        return None
    advisory, matched = dig(item, "advisory"), dig(item, "matchedDependency")
    repository = one_line(text(item, "repositoryName"), 300)
    lock_file = file_of(text(item, "dependencyFileLocation", "path"))
    cves = cves_in(texts(advisory, "references", "cveIds"))
    manager = text(item, "packageManager")
    fix = text(item, "closestSafeDependency", "versionSpecifier")
    return VulnerablePackage(
        id=one_line(next(iter(cves), "") or text(advisory, "ruleId") or "advisory", 100),
        scanner="Semgrep",
        holder=Holder(
            name="/".join(filter(None, (repository, lock_file))) or "repository",
            resource_type="file",
        ),
        is_of_system=False,
        package=one_line(text(matched, "name"), 300),
        severity=_severity(text(advisory, "severity")),
        version=one_line(text(matched, "versionSpecifier"), 200),
        fixed_versions=[one_line(fix, 100)] if fix else [],
        # Not the advisory's ecosystem: one advisory may cover packages of several.
        ecosystem=one_line("" if manager == "no_package_manager" else manager, 50),
        title=text(item, "title") or text(advisory, "title"),
        description=text(advisory, "description"),
        aliases=cves,
        cwes=cwes_in(texts(advisory, "references", "cweIds")),
        urls=texts(advisory, "references", "urls"),
        reachability=_words(text(item, "exposureType")),
        repository=repository,
    )


def _words(constant: str) -> str:
    return constant.replace("_", " ").lower()
