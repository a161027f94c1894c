"""SARIF 2.1.0 (OASIS), from any tool.

Read: every result of every run that says that something is wrong and was not suppressed: kind
`fail`, `open`, `review` or `informational`; not `pass`, not `notApplicable`, not with baseline
state `absent`. Rules may stand after the results: one pass gathers the tools, one the results.

Severity: what Trivy and Grype say in their messages; `security-severity` of the result or its rule
by CVSS band; a severity word in a known property of theirs; level: error high, warning medium, note
info, none none, and of some tools as their own formats have it (`sarif_severity`).

Identity: rule, file with what was scanned, and what the tool gives as `fingerprints`, else
`partialFingerprints`, else the snippet, else the message; equal ones are counted
(`identity.Occurrences`). No line number is in it, so it survives moved lines. The repository is in
it where the run names one (versionControlProvenance); reports that do not should be sent under one
source per repository.

Secrets: a result about a credential is stored without its snippet and with quotes masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType
from findings.formats.credentials import is_one_credential, mask
from findings.formats.normalised import Normalised, Rejected, Unscanned, normalise_mapped
from findings.formats.readers.sarif_details import (
    Package,
    confidence_of,
    cwes_in_taxa,
    further_places,
    own_identity,
    package_of,
    steps_of,
)
from findings.formats.readers.sarif_invocations import is_of_unreadable_file, unscanned_by
from findings.formats.readers.sarif_rules import Rule, message_of
from findings.formats.readers.sarif_runs import Location, Run, location_of, runs_of
from findings.formats.readers.sarif_severity import severity_of
from findings.formats.shapes.checks import first_sentence
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.found_secrets import ADVICE
from findings.formats.shapes.packages import Holder, package_correlation
from findings.formats.streams.records import Outline, RefusedReport, records
from findings.formats.values.advisories import cwes_in
from findings.formats.values.credential_words import finds_credentials, may_quote_credentials
from findings.formats.values.fields import dig, objects, one_line, tags, text, texts, without_empty
from findings.formats.values.identity import Occurrences, fingerprint
from findings.formats.values.masking import (
    mask_from,
    mask_in,
    mask_quoted,
    masked_within,
    secrets_in,
)
from findings.formats.values.scanners import scanner_tag
from findings.formats.values.sentences import (
    first_line,
    plain,
    title_from,
    title_word,
    without_tables,
)

NAME = "sarif"
LABEL = "SARIF 2.1.0"

_KINDS_WITHOUT_FINDING = ("pass", "notApplicable")
# Their rules have a template: one of several ("`{library}`: …"), or "Semgrep Finding: " and the id.
_TEMPLATES = frozenset({"ruff", "semgrep"})
_FIRST_CWES = frozenset({"CWE-259", "CWE-321", "CWE-522", "CWE-798"})  # part of the identity


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
    """The repositories, images, directories and categories of the runs, as GitHub tells analyses
    apart."""
    return _target(report, {run.places.scanned for run in runs_of(report).values()})


def former_target(report: BinaryIO) -> str:
    """Of recipe 1: without directories."""
    return _target(report, set())


def _target(report: BinaryIO, directories: set[str]) -> str:
    named = {run.repository or run.lasting_image for run in runs_of(report).values()} | directories
    for found in records(report, "/runs/*/automationDetails/id"):
        named.add(text(found.value).rpartition("/")[0])
    return " ".join(sorted(named - {""}))


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """What the runs failed at, by their invocations and notifications. See docs/sarif.md."""
    yield from unscanned_by(report)


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    runs = runs_of(report)
    occurrences = Occurrences()
    for position, found in enumerate(records(report, "/runs/*/results/*")):
        if not isinstance(found.value, dict):
            detail = "A result is an object."
            yield Rejected(position, found.pointer, "Not an object", detail)
            continue
        run = runs.get(found.path[1]) or Run()
        if _is_problem(found.value) and not is_of_unreadable_file(found.value, run):
            for nth, value in enumerate(_by_place(found.value)):
                record = _Result(value, run, run.rule(value)).record()
                if nth:  # recipe 1 read the first place alone
                    record["former_fingerprints"] = ()
                if occurrences.tell_apart(record, _region(value)):
                    yield normalise_mapped(
                        record, position=position, at=found.pointer, latest=latest
                    )


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


def _by_place(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The result once for each of its locations, that one first.

    Each is a finding: when one place is fixed, the others are the findings that they were.
    """
    places = objects(result, "locations")
    if len(places) < 2:
        return [result]
    return [
        result | {"locations": [place, *places[:nth], *places[nth + 1 :]]}
        for nth, place in enumerate(places)
    ]


def _region(result: dict[str, Any]) -> Any:
    """What tells equal results apart: where in the file they are, else all that they say."""
    region = dig(result, "locations", 0, "physicalLocation", "region")
    return region or {key: value for key, value in result.items() if key not in _GUIDS}


_GUIDS = ("guid", "correlationGuid")


class _Result:
    """One result beside its run and its rule, on the way to a record."""

    def __init__(self, result: dict[str, Any], run: Run, rule: Rule) -> None:
        self.result = result
        self.run = run
        self.rule = rule
        self.location = location_of(result, run)
        self.first_type, self.resource_type = run.type_of(rule, self.location)
        self.former_file = self.location.former_file or self.location.logical
        self.image = run.image
        if self.resource_type == CONTAINER_IMAGE and not run.image:  # Snyk names it as the file
            self.image, self.location = self.location.file, Location(logical=self.location.logical)
        self.snippet = text(dig(result, "locations", 0), *_SNIPPET)
        self.raw_message = message_of(result, rule)
        self.cwes = sorted({*rule.cwes, *_cwes_of(result)}, key=lambda cwe: int(cwe[4:]))
        self.type = self._type()
        self.is_credential = self.type is FindingType.SECRET or self._may_quote_credentials()
        self.message = self._message()
        self.package = Package() if self.is_credential else package_of(result, self.message)

    def _type(self) -> FindingType:
        found = self.run.refined_type(self.first_type, self.rule, self.location)
        if found not in (FindingType.STATIC_CODE, FindingType.IAC):
            return found
        says = finds_credentials(called=(), sentences=(self.raw_message,), cwes=self.cwes)
        return FindingType.SECRET if says or is_one_credential(self.snippet) else found

    def _may_quote_credentials(self) -> bool:
        return self.rule.may_quote_credentials or may_quote_credentials(
            (self.raw_message,), cwes=self.cwes
        )

    @property
    def _lasting_image(self) -> str:
        return Holder(name=self.image, resource_type=CONTAINER_IMAGE).lasting_name

    def _message(self) -> str:
        message = self.raw_message
        return plain(mask_from(message, self.snippet) if self.is_credential else message)

    def record(self) -> dict[str, Any]:
        record = self._record()
        if self.is_credential:  # any field may quote it
            record |= masked_within(record, *secrets_in(self.snippet))
        return record | {
            "fingerprint": self._identity(
                self.first_type, self._lasting_image, self.location.file or self.location.logical
            ),
            "former_fingerprints": (self._former_fingerprint(),),
        }

    def _record(self) -> dict[str, Any]:
        file = self.location.file or self.location.logical
        resource = "/".join(filter(None, (self.run.repository, file)))
        if self.resource_type == CONTAINER_IMAGE:
            resource = self._lasting_image
        return {
            "finding_type": self.type.value,
            "title": one_line(self._title(), 300),
            "severity": severity_of(self.result, self.run, self.rule, self.type).value,
            "resource_id": one_line(resource or self.run.tool, 1_000),
            "resource_name": one_line(resource or self.run.tool, 500),
            "resource_type": self.resource_type,
            "description": self._description(),
            "tags": self._tags(),
            "attributes": self._attributes(),
        }

    def _title(self) -> str:
        """The rule's sentence; the message's first where the rule has none or only a template."""
        rule, package = self.rule, self.package.name
        about = f"{rule.cves[0]} in {package}" if rule.cves and package else ""
        message = first_sentence(first_line(self.message))
        is_template = scanner_tag(self.run.tool) in _TEMPLATES
        said = (message, rule.sentence) if is_template else (rule.sentence, message)
        return title_from((*said, about)) or title_word((message, rule.name, rule.id)) or "Result"

    def _former_fingerprint(self) -> str:
        """Of recipe 1."""
        former_type = self.run.former_type_of(self.rule)
        return self._identity(former_type, self.run.lasting_image, self.former_file)

    def _identity(self, finding_type: FindingType, image: str, file: str) -> str:
        """Of the type by tool and rule alone: what is learned later to tell it makes no new one."""
        message = [self._first_message(finding_type), self.location.logical]
        what = own_identity(self.result) or " ".join(self.snippet.split()) or message
        return fingerprint(finding_type, self.rule.id, self.run.repository, image, file, what)

    def _first_message(self, finding_type: FindingType) -> str:
        is_masked = finding_type is FindingType.SECRET or not _FIRST_CWES.isdisjoint(self.rule.cwes)
        return mask_quoted(self.raw_message) if is_masked else self.raw_message

    def _description(self) -> str:
        evidence = Evidence(self.message)
        evidence.section("About this rule", self._about())
        evidence.section("Where", self.location.sentence)
        if self.snippet and not self.is_credential:
            evidence.code("Code", self.snippet)
        if not self.is_credential:
            evidence.section("Flow", "\n".join(steps_of(self.result)))
            evidence.section("Also at", "\n".join(further_places(self.result)))
        evidence.section("Remediation", self._remediation())
        evidence.links([self.rule.help_uri, *texts(self.result, "hostedViewerUri")])
        return evidence.markdown

    def _about(self) -> str:
        rule = self.rule
        known = (self.message, self._title(), rule.short, "")
        said = [plain(rule.description), "" if rule.advice else without_tables(plain(rule.help))]
        return "\n\n".join(dict.fromkeys(each for each in said if each.strip() not in known))

    def _remediation(self) -> str:
        fixes = [text(fix, "description", "text") for fix in objects(self.result, "fixes")]
        said = plain("\n\n".join(filter(None, fixes))) or self.rule.advice
        if self.type is FindingType.SECRET and not said:
            return ADVICE
        return mask_in(said, self.snippet) if self.is_credential else said

    def _tags(self) -> list[str]:
        rule = self.rule
        return tags(
            scanner=scanner_tag(self.run.tool),
            rule=rule.id,
            repo=self.run.repository,
            image=self.image,
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
                "secret": self._secret(),
                "rule": {"id": rule.id, "name": rule.name, "url": rule.help_uri},
                "code_location": place,
                "confidence": one_line(confidence_of(self.result, rule.words), 50),
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
                "container_image": {"name": self.image},
                "remediation": {"recommended": one_line(self._remediation(), 1_000)},
                "scanner": {"name": self.run.tool, "version": self.run.tool_version},
            }
        )

    def _secret(self) -> dict[str, str]:
        if self.type is not FindingType.SECRET:
            return {}
        found = next(iter(secrets_in(self.snippet)), "")
        return {"type": one_line(self.rule.name or self.rule.id, 200), "masked": mask(found)}

    def _correlation_id(self) -> str:
        """Only of a known CVE in a known package: rules of two tools never match."""
        if not self.package.name or not self.rule.cves:
            return ""
        place = self._lasting_image or self.location.file
        return package_correlation(self.rule.cves[0], self.package.name, place)


_SNIPPET = ("physicalLocation", "region", "snippet", "text")


def _cwes_of(result: dict[str, Any]) -> list[str]:
    named = cwes_in(texts(result, "properties", "cwe") + texts(result, "properties", "tags"))
    return [*named, *cwes_in_taxa(result)]
