"""Semgrep JSON: of `semgrep scan` and `ci`, and the supply chain findings of its API.
Documentation: docs/semgrep.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck, first_sentence
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.credential_words import HARD_CODED
from findings.formats.values.fields import dig, objects, one_line, text, texts, whole
from findings.formats.values.paths import file_of, former_file_of
from findings.formats.values.platforms import platform_of

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
_NOT_BY_CHOICE = frozenset(
    ("analysis_failed_parser_or_internal_error", "exceeded_size_limit", "too_big",
     "too_many_matches", "insufficient_permissions")
)  # fmt: skip
_CLOSED = frozenset({"CLOSED", "IGNORED", "FIXED", "REMOVED"})


def recognises(outline: Outline) -> bool:
    if outline.first.get("vulns", frozenset()) >= {"advisory", "matchedDependency"}:
        return True
    first = outline.first.get("results")
    if first is None:
        return False
    if not first:
        is_error = outline.first.get("errors", frozenset()) >= {"level", "type"}
        return is_error or ("errors" in outline.keys and bool(outline.keys & {"paths", "version"}))
    return first >= {"check_id", "extra"}


def scanner(_report: BinaryIO) -> str:
    return "Semgrep"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The files with errors, and those skipped for a reason that nobody chose. An error without
    a file is about a rule or about the whole scan."""
    for found in records(report, "/errors/*", "/paths/skipped/*"):
        item = found.value
        file = file_of(text(item, "path") or text(item, "spans", 0, "file"))
        if found.path[0] == "errors":
            if file or text(item, "level").lower() == "error":
                # Not the message, which quotes the code.
                yield Unscanned(file, text(item, "type") or text(item, "type", 0))
        elif text(item, "reason").lower() in _NOT_BY_CHOICE:
            yield Unscanned(file, text(item, "reason").replace("_", " "))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = {"results": ("check_id",), "vulns": ("matchedDependency/name",)}
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
    technologies = texts(metadata, "technology")
    is_tried = text(extra, "validation_state") not in ("", "NO_VALIDATOR")
    kind, platform = type_of(check, file, cwes, technologies, is_tried=is_tried)
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
        former_file=former_file_of(text(result, "path")),
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


def type_of(
    check: str,
    file: str,
    cwes: Sequence[str],
    technologies: Sequence[str] = (),
    *,
    is_tried: bool = False,
) -> tuple[FindingType, str]:
    """The finding type, and of infrastructure as code the platform.

    `is_tried`: Semgrep tried whether what it found works as a credential.
    """
    about = [*map(str.lower, technologies), *check.lower().split(".")]
    if is_tried or {"secrets", "secret"} & set(about) or not HARD_CODED.isdisjoint(cwes):
        return FindingType.SECRET, ""
    platform = platform_of(check, file, technologies)
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
        former_holder=former_file_of(lock_file or text(result, "path")),
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
    path = text(item, "dependencyFileLocation", "path")
    place, former_place = (
        "/".join(filter(None, (repository, file))) or "repository"
        for file in (file_of(path), former_file_of(path))
    )
    cves = cves_in(texts(advisory, "references", "cveIds"))
    manager = text(item, "packageManager")
    fix = text(item, "closestSafeDependency", "versionSpecifier")
    return VulnerablePackage(
        id=one_line(next(iter(cves), "") or text(advisory, "ruleId") or "advisory", 100),
        scanner="Semgrep",
        holder=Holder(name=place, resource_type="file"),
        former_holder=former_place,
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
