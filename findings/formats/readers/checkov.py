"""Checkov JSON: one report, or a list with one for each kind of file. Documentation:
docs/checkov.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in
from findings.formats.values.fields import dig, number, one_line, text, texts, whole
from findings.formats.values.paths import file_of, former_file_of

NAME = "checkov"
LABEL = "Checkov JSON"

_SUMMARY = frozenset({"passed", "failed", "skipped", "checkov_version"})  # of no file at all
_OF_KIND = "/*/summary/parsing_errors"
_NOT_IN_FILES = ("github_configuration", "gitlab_configuration", "bitbucket_configuration")


def recognises(outline: Outline) -> bool:
    if outline.root == "list":
        return outline.first.get("", frozenset()) >= {"check_type", "results"}
    return {"check_type", "results"} <= outline.keys or outline.keys >= _SUMMARY


def scanner(_report: BinaryIO) -> str:
    return "Checkov"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The files that were not parsed, or that there are some where only their number is given."""
    files = records(report, "/results/parsing_errors/*", "/*/results/parsing_errors/*")
    named = [file_of(text(found.value)) for found in files]
    yield from (Unscanned(file, "It could not be parsed.") for file in named)
    counts = records(report, "/parsing_errors", "/summary/parsing_errors", _OF_KIND)
    number = sum(whole(found.value) or 0 for found in counts)
    if number > 0 and not named:
        yield Unscanned(reason=f"{number:,} files could not be parsed, and it does not say which.")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    kinds = context(report, "/check_type", "/*/check_type")
    found = records(report, "/results/failed_checks/*", "/*/results/failed_checks/*")
    yield from read_problems(found, partial(_failed, kinds), "check_id", latest=latest)


def _failed(kinds: dict[Path, dict[str, Any]], found: Record) -> Problem | None:
    kind = one_line(text(kinds.get(found.path[:-3], {}), "check_type"), 100)
    check = found.value
    if isinstance(dig(check, "vulnerability_details"), dict):
        is_licence = bool(text(check, "vulnerability_details", "license"))
        return None if is_licence else _vulnerability(check, kind)
    if kind == "secrets" or text(check, "check_id").startswith("CKV_SECRET"):
        return _secret(check)
    return _check(check, kind)


def _secret(check: dict[str, Any]) -> FoundSecret:
    name = text(check, "check_name")
    return FoundSecret(
        scanner="Checkov",
        rule=one_line(text(check, "check_id"), 200),
        name=name,
        kind=name,
        severity=severities.from_word(text(check, "severity")),
        known_by=text(check, "resource"),  # an unsalted SHA-1: never shown
        file=_file_of(check),
        former_file=_former_file_of(check),
        line=whole(check, "file_line_range", 0),
        url=text(check, "guideline"),
    )


def _check(check: dict[str, Any], kind: str) -> FailedCheck:
    id_ = one_line(text(check, "check_id"), 200)
    name = text(check, "check_name")
    is_in_file = kind not in _NOT_IN_FILES
    about = text(check, "description") or text(check, "short_description")
    return FailedCheck(
        finding_type=FindingType.IAC if is_in_file else FindingType.MISCONFIGURATION,
        scanner="Checkov",
        check=id_,
        name=name,
        url=text(check, "guideline"),
        severity=severities.from_word(text(check, "severity")) or Severity.UNKNOWN,
        file=_file_of(check),
        former_file=_former_file_of(check),
        line=whole(check, "file_line_range", 0),
        line_end=whole(check, "file_line_range", 1),
        title=name or id_,
        message=name,
        about=about,
        code=_code_of(check),
        remediation="\n".join(texts(check, "details")),
        resource=text(check, "resource"),
        platform=kind,
    )


def _file_of(check: dict[str, Any]) -> str:
    """Relative to where Checkov ran, which tells two folders apart."""
    path = text(check, "repo_file_path")
    is_below = path and "/.." not in path
    return file_of(path if is_below else text(check, "file_path")).lstrip("/") or "file"


def _former_file_of(check: dict[str, Any]) -> str:
    """Relative to the folder that was checked."""
    return former_file_of(text(check, "file_path")).lstrip("/") or "file"


def _code_of(check: dict[str, Any]) -> str:
    block = dig(check, "code_block")
    lines = block if isinstance(block, list) else []
    return "".join(line[1] for line in lines if _is_line(line)).replace("\0", "")


def _is_line(line: Any) -> bool:
    return isinstance(line, list) and len(line) == 2 and isinstance(line[1], str)


def _vulnerability(check: dict[str, Any], kind: str) -> VulnerablePackage:
    """Of the package scan that Checkov does for users of its platform."""
    details = check["vulnerability_details"]
    id_ = one_line(text(details, "id") or text(check, "check_id"), 100)
    is_image = kind == "sca_image"
    word = text(details, "severity") or text(check, "severity")
    fix = text(details, "lowest_fixed_version")
    image = text(details, "image_details", "name") if is_image else ""
    return VulnerablePackage(
        id=id_,
        scanner="Checkov",
        holder=Holder(
            name=one_line(image, 500) or _file_of(check),
            resource_type=CONTAINER_IMAGE if is_image else "file",
        ),
        is_of_system=is_image and text(details, "package_type") == "os",
        package=one_line(text(details, "package_name") or "package", 300),
        severity=severities.from_word(word) or Severity.UNKNOWN,
        version=one_line(text(details, "package_version"), 200),
        fixed_versions=[] if fix in ("", "N/A") else [one_line(fix, 100)],
        ecosystem="" if is_image else one_line(text(details, "package_type"), 100),
        description=text(details, "description") or text(check, "description"),
        aliases=cves_in([id_]),
        cvss_score=number(details, "cvss"),
        cvss_vector=one_line(text(details, "vector"), 300),
        urls=[text(details, "link"), text(check, "guideline")],
        former_holder=None if is_image else _former_file_of(check),
    )
