"""Snyk JSON of `snyk test`, `snyk container test` and `snyk iac test`, of one project or a list.
`snyk code test` writes SARIF. Documentation: docs/snyk.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, only, read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, RefusedReport, records
from findings.formats.values import severities
from findings.formats.values.advisories import cwes_in
from findings.formats.values.fields import dig, number, objects, one_line, text, texts, whole
from findings.formats.values.paths import file_of

NAME = "snyk"
LABEL = "Snyk JSON"

_PROJECTS = ("", "/*", "/applications/*", "/*/applications/*")
_KINDS = ("vulnerabilities", "infrastructureAsCodeIssues")
_CONTEXT = ("projectName", "displayTargetFile", "targetFile", "packageManager", "path", "docker")
_TELLING = frozenset({"projectName", "packageManager", "dependencyCount", "uniqueCount", "ok"})
_SYSTEM = frozenset({"deb", "rpm", "apk", "linux"})
_ARCHIVES = ("docker-archive:", "oci-archive:", "kaniko-archive:")


def recognises(outline: Outline) -> bool:
    keys = outline.keys if outline.root == "object" else outline.first.get("", frozenset())
    if outline.root == "object" and {"ok", "error"} <= keys and "vulnerabilities" not in keys:
        raise RefusedReport("This is the error that Snyk ended with, not a report.")
    if outline.root not in ("object", "list"):
        return False
    return "infrastructureAsCodeIssues" in keys or (
        "vulnerabilities" in keys and len(keys & _TELLING) > 1
    )


def scanner(_report: BinaryIO) -> str:
    return "Snyk"


def target(report: BinaryIO) -> str:
    """The image or project, where there is one."""
    return only(each.name for each in _projects_of(report).values())


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The projects of a list in whose place an error stands. Snyk names those by their folder and
    says neither what was in it nor which findings it had."""
    failed = context(report, "/*/error", "/*/path", "/*/targetFile")
    for project in failed.values():
        if error := text(project, "error"):
            file = text(project, "targetFile")
            name = file or text(project, "path") or "A project"
            yield Unscanned(file_of(file), error if file else f"{name} could not be tested.")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = records(report, *(f"{place}/{kind}/*" for place in _PROJECTS for kind in _KINDS))
    build = partial(_problem, _projects_of(report))
    yield from read_problems(found, build, "id", latest=latest)


class _Project:
    """What was tested: a manifest, an image, or an application inside an image."""

    def __init__(self, around: dict[str, Any], image: str) -> None:
        self.image = image
        self.file = file_of(text(around, "displayTargetFile") or text(around, "targetFile"))
        self.project = one_line(text(around, "projectName"), 300)
        self.ecosystem = one_line(text(around, "packageManager"), 100)

    @property
    def name(self) -> str:
        if self.image:
            return Holder(name=self.image, resource_type=CONTAINER_IMAGE).lasting_name
        return "/".join(filter(None, (self.project, self.file))) or "project"

    @property
    def holder(self) -> Holder:
        if self.image:
            return Holder(name=self.image, resource_type=CONTAINER_IMAGE)
        return Holder(name=self.name, resource_type="file")


def _projects_of(report: BinaryIO) -> dict[Path, _Project]:
    """By their paths in the report."""
    around = context(report, *(f"{place}/{key}" for place in _PROJECTS for key in _CONTEXT))
    images = {path: _image_of(values) for path, values in around.items() if "docker" in values}
    return {
        # An application's path goes on from its image's: (0, "applications", 3).
        path: _Project(values, images.get(path, "") or images.get(path[:-2], ""))
        for path, values in around.items()
    }


def _image_of(around: dict[str, Any]) -> str:
    path = text(around, "path")
    for archive in _ARCHIVES:
        path = path.removeprefix(archive)
    return one_line(path or text(around, "projectName").removeprefix("docker-image|"), 500)


def _problem(projects: dict[Path, _Project], found: Record) -> Problem | None:
    project = projects.get(found.path[:-2]) or _Project({}, "")
    if found.path[-2] == "infrastructureAsCodeIssues":
        return _misconfiguration(found.value, project)
    if text(found.value, "type") == "license":  # not a security problem
        return None
    return _vulnerability(found.value, project)


def _vulnerability(item: dict[str, Any], project: _Project) -> VulnerablePackage:
    is_of_system = text(item, "language") == "linux" or project.ecosystem in _SYSTEM
    package = text(item, "packageName") or text(item, "moduleName") or text(item, "name")
    fixes = texts(item, "fixedIn") or texts(item, "nearestFixedInVersion")
    identifiers = dig(item, "identifiers")
    names = [each for kind in ("CVE", "GHSA") for each in texts(identifiers, kind)]
    word = text(item, "severityWithCritical") or text(item, "severity")
    return VulnerablePackage(
        id=one_line(text(item, "id"), 100),
        scanner="Snyk",
        holder=project.holder,
        is_of_system=is_of_system and bool(project.image),
        package=one_line(package or "package", 300),
        severity=severities.from_word(word) or Severity.UNKNOWN,
        version=one_line(text(item, "version"), 200),
        fixed_versions=[one_line(fix, 100) for fix in fixes[:5]],
        # Of a system's package its vulnerability names a release: "sles:15.3".
        ecosystem=project.ecosystem,
        path=project.file if project.image and not is_of_system else "",
        purl=text(item, "purl"),
        title=text(item, "title"),
        description=text(item, "description"),
        aliases=[one_line(name, 100) for name in names],
        cwes=cwes_in(texts(identifiers, "CWE")),
        cvss_score=number(item, "cvssScore"),
        cvss_vector=one_line(text(item, "CVSSv3"), 300),
        epss=number(item, "epssDetails", "probability"),
        urls=[
            f"https://security.snyk.io/vuln/{text(item, 'id')}",
            *(text(each, "url") for each in objects(item, "references")),
        ],
        through=[" > ".join(texts(item, "from")[:20])],
        is_fixable=dig(item, "isUpgradable") is True or dig(item, "isPatchable") is True,
    )


def _misconfiguration(item: dict[str, Any], project: _Project) -> FailedCheck | None:
    if dig(item, "isIgnored") is True:
        return None
    about = dig(item, "iacDescription")
    issue = text(about, "issue") or text(item, "issue")
    impact = text(about, "impact") or text(item, "impact")
    # The path of a parsed file, without the number of a document in it: it moves.
    path = [step for step in texts(item, "path") if not step.startswith("[DocId")]
    id_ = one_line(text(item, "publicId") or text(item, "id"), 100)
    return FailedCheck(
        finding_type=FindingType.IAC,
        scanner="Snyk",
        check=id_,
        name=text(item, "title"),
        url=text(item, "documentation") or f"https://security.snyk.io/rules/cloud/{id_}",
        severity=severities.from_word(text(item, "severity")) or Severity.UNKNOWN,
        file=project.file or project.name,
        line=whole(item, "lineNumber"),
        title=text(item, "title") or issue or id_,
        message="\n\n".join(filter(None, (issue, impact))),
        remediation=text(about, "resolve") or text(item, "resolve"),
        resource=" > ".join(path),
        platform=text(item, "type") or project.ecosystem,
        provider=text(item, "subType"),
        urls=texts(item, "references"),
    )
