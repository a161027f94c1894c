"""SARIF 2.1.0 (OASIS), from any tool.

Read: every result of every run that says that something is wrong and was not suppressed: kind
`fail`, `open`, `review` or `informational`; not `pass`, not `notApplicable`, not with baseline
state `absent`. Rules may stand after the results: one pass gathers the tools, one the results.

Severity: `security-severity` of the result or its rule by CVSS band; a severity word in the
result's or the rule's properties; level: error high, warning medium, note info, none none.

Identity: rule, file, and what the tool gives as `fingerprints`, else `partialFingerprints`, else
the snippet, else the message; equal ones are counted (`identity.Occurrences`). No line number is
in it, so it survives moved lines. The repository is in it where the run names one
(versionControlProvenance); reports that do not should be sent under one source per repository.

Secrets: a result about a credential is stored without its snippet and with quotes masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats import severities
from findings.formats.evidence import Evidence
from findings.formats.identity import Occurrences, fingerprint
from findings.formats.masking import mask_from, mask_in
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.packages import package_correlation
from findings.formats.sarif_details import (
    Package,
    cwes_in_taxa,
    further_places,
    own_identity,
    package_of,
    steps_of,
)
from findings.formats.sarif_rules import Rule, Run, cwes_in, location_of, message_of, runs_of
from findings.formats.stream import Outline, RefusedReport, records
from findings.formats.values import dig, objects, one_line, tags, text, texts, without_empty

NAME = "sarif"
LABEL = "SARIF 2.1.0"

_KINDS_WITHOUT_FINDING = ("pass", "notApplicable")
_LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.INFO,
    "none": Severity.NONE,
}
_SEVERITY_PROPERTIES = ("severity", "securityrisk")  # ends of names: `issue_severity`, …


def recognises(outline: Outline) -> bool:
    if "runs" not in outline.first or not outline.keys & {"version", "$schema"}:
        return False
    version = str(outline.scalars.get("version", ""))
    if version != "2.1.0":
        raise RefusedReport(
            f"This is SARIF {version[:20]}; SARIF 2.1.0 is read."
            if version
            else "This SARIF report names no version; 2.1.0 is read."
        )
    return True


def scanner(report: BinaryIO) -> str:
    """The name of the first run's tool."""
    names = (text(found.value) for found in records(report, "/runs/*/tool/driver/name"))
    return next(names, "")


def target(report: BinaryIO) -> str:
    """The repositories, images and categories of the runs, as GitHub tells analyses apart."""
    named = {run.repository or run.lasting_image for run in runs_of(report).values()}
    for found in records(report, "/runs/*/automationDetails/id"):
        named.add(text(found.value).rpartition("/")[0])
    return " ".join(sorted(named - {""}))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    runs = runs_of(report)
    occurrences = Occurrences()
    for position, found in enumerate(records(report, "/runs/*/results/*")):
        if not isinstance(found.value, dict):
            detail = "A result is an object."
            yield Rejected(position, found.pointer, "Not an object", detail)
        elif _is_problem(found.value):
            run = runs.get(found.path[1]) or Run()
            result = _Result(found.value, run, run.rule(found.value))
            record = result.record()
            record["fingerprint"] = occurrences.name(record["fingerprint"])
            yield normalise(record, position=position, at=found.pointer, latest=latest)


def _is_problem(result: dict[str, Any]) -> bool:
    if text(result, "kind") in _KINDS_WITHOUT_FINDING:
        return False
    return text(result, "baselineState") != "absent" and not _is_suppressed(result)


def _is_suppressed(result: dict[str, Any]) -> bool:
    """SARIF 3.27.23: suppressed, unless one of the suppressions is not accepted (yet)."""
    suppressions = objects(result, "suppressions")
    return bool(suppressions) and not any(
        text(one, "status") in ("underReview", "rejected") for one in suppressions
    )


class _Result:
    """One result beside its run and its rule, on the way to a record."""

    def __init__(self, result: dict[str, Any], run: Run, rule: Rule) -> None:
        self.result = result
        self.run = run
        self.rule = rule
        self.location = location_of(result, run)
        self.type, self.resource_type = run.type_of(rule, self.location)
        self.is_credential = self.type is FindingType.SECRET or rule.is_about_credentials
        self.snippet = text(dig(result, "locations", 0), *_SNIPPET)
        self.message = self._message()
        self.package = Package() if self.is_credential else package_of(result, self.message)
        self.cwes = sorted({*rule.cwes, *_cwes_of(result)}, key=lambda cwe: int(cwe[4:]))

    def _message(self) -> str:
        message = message_of(self.result, self.rule)
        if not self.is_credential:
            return message
        return mask_from(message, self.snippet)

    def record(self) -> dict[str, Any]:
        file = self.location.file or self.location.logical
        resource = "/".join(filter(None, (self.run.repository, file)))
        if self.resource_type == CONTAINER_IMAGE:
            resource = self.run.lasting_image
        return {
            "finding_type": self.type.value,
            "title": one_line(self._title(), 300),
            "severity": self._severity().value,
            "resource_id": one_line(resource or self.run.tool, 1_000),
            "resource_name": one_line(resource or self.run.tool, 500),
            "resource_type": self.resource_type,
            "fingerprint": self._fingerprint(file),
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _title(self) -> str:
        """The rule's sentence; the first line of the message where the rule has only a name."""
        first_line = self.message.strip().partition("\n")[0]
        return self.rule.sentence or first_line or self.rule.name or self.rule.id or "Result"

    def _severity(self) -> Severity:
        for properties in (dig(self.result, "properties"), self.rule.properties):
            if found := _severity_in(properties):
                return found
        level = text(self.result, "level") or self.rule.level
        if text(self.result, "kind") == "informational":
            level = level or "note"
        return _LEVELS.get(level or "warning", Severity.UNKNOWN)

    def _fingerprint(self, file: str) -> str:
        own = own_identity(self.result)
        what = own or " ".join(self.snippet.split()) or [self.message, self.location.logical]
        return fingerprint(
            self.type, self.rule.id, self.run.repository, self.run.lasting_image, file, what
        )

    def _description(self) -> str:
        evidence = Evidence(self.message)
        if self.rule.description not in (self.message, self._title()):
            evidence.section("About this rule", self.rule.description)
        evidence.section("Where", self.location.sentence)
        if self.snippet and not self.is_credential:
            evidence.code("Code", self.snippet)
        if not self.is_credential:
            evidence.section("Flow", "\n".join(steps_of(self.result)))
            evidence.section("Also at", "\n".join(further_places(self.result)))
        evidence.section("Remediation", self._remediation())
        evidence.links([self.rule.help_uri, *texts(self.result, "hostedViewerUri")])
        return evidence.markdown

    def _remediation(self) -> str:
        fixes = [text(fix, "description", "text") for fix in objects(self.result, "fixes")]
        said = "\n\n".join(filter(None, fixes)) or self.rule.help
        return mask_in(said, self.snippet) if self.is_credential else said

    def _tags(self) -> list[str]:
        rule = self.rule
        return tags(
            scanner=self.run.tool.lower(),
            rule=rule.id,
            repo=self.run.repository,
            image=self.run.image,
            branch=self.run.branch,
            language=self.location.language,
            cve=rule.cves[:20],
            cwe=self.cwes[:20],
            package=self.package.name,
            fix_available="true" if self.package.fixed else "",
        )

    def _attributes(self) -> dict[str, Any]:
        rule, location = self.rule, self.location
        place = {
            "file": location.file,
            "line": location.line,
            "line_end": location.line_end,
            "function": location.logical,
        }
        package = self.package
        return without_empty(
            {
                "correlation_id": self._correlation_id(),
                "rule": {"id": rule.id, "name": rule.name, "url": rule.help_uri},
                "code_location": place,
                "advisory": {"cve": rule.cves[:20], "cwe": self.cwes[:20]},
                "cvss": rule.security_severity,
                "package": {
                    "name": package.name,
                    "version": package.version,
                    "fixed_version": package.fixed,
                },
                "git": {
                    "repository": self.run.repository,
                    "branch": self.run.branch,
                    "commit": self.run.commit,
                },
                "container_image": {"name": self.run.image},
                "remediation": {"recommended": one_line(self._remediation(), 1_000)},
                "scanner": {"name": self.run.tool, "version": self.run.tool_version},
            }
        )

    def _correlation_id(self) -> str:
        """Only of a known CVE in a known package: rules of two tools never match."""
        if not self.package.name or not self.rule.cves:
            return ""
        place = self.run.lasting_image or self.location.file
        return package_correlation(self.rule.cves[0], self.package.name, place)


_SNIPPET = ("physicalLocation", "region", "snippet", "text")


def _cwes_of(result: dict[str, Any]) -> list[str]:
    named = cwes_in(texts(result, "properties", "cwe") + texts(result, "properties", "tags"))
    return [f"CWE-{each}" for each in {*named, *cwes_in_taxa(result)}]


def _severity_in(properties: Any) -> Severity | None:
    from_score = severities.from_score(dig(properties, "security-severity"))
    if from_score is not None or not isinstance(properties, dict):
        return from_score
    names = [name for name in properties if name.lower().endswith(_SEVERITY_PROPERTIES)]
    words = (severities.from_word(text(properties, name)) for name in names)
    return next(filter(None, words), None)
