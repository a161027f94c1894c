"""One finding of a generic report, from its columns."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats import severities
from findings.formats.evidence import Evidence
from findings.formats.generic_columns import Columns
from findings.formats.identity import fingerprint
from findings.formats.masking import mask_quoted
from findings.formats.packages import Holder, package_correlation
from findings.formats.values import (
    clip,
    moment,
    number,
    one_line,
    tags,
    text,
    whole,
    without_empty,
)

_SETTLED = ("false_positive", "duplicate", "out_of_scope", "accepted", "mitigated")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,6}")
_SEVERITIES = "critical, high, medium, low, info, none, unknown"


class GenericFinding:
    def __init__(self, columns: Columns, *, report: str, latest: datetime) -> None:
        self._columns = columns
        self._report = report
        self._latest = latest

    @property
    def is_settled(self) -> bool:
        """Whether the sender says that there is nothing to do."""
        return any(self._columns.is_true(field) for field in _SETTLED)

    def problem(self) -> tuple[str, str, str] | None:
        """Column, title and detail of what keeps the record out."""
        if not self._columns.text("title"):
            return self._columns.column("title"), "Missing field", "A finding has a title."
        if self._severity is None:
            said = one_line(self._columns.text("severity"), 50)
            detail = f"{said!r} is none of {_SEVERITIES}." if said else "A finding has a severity."
            return self._columns.column("severity"), "Unknown severity", detail
        if self._type is None:
            known = ", ".join(each.value for each in FindingType)
            said = one_line(self._columns.text("finding_type"), 50)
            detail = f"{said!r} is none of {known}."
            return self._columns.column("finding_type"), "Unknown finding type", detail
        return None

    @cached_property
    def _severity(self) -> Severity | None:
        """As the record says, else by its score, else as the map says of all."""
        score = severities.from_score(self._columns.text("cvss"))
        if score and not self._columns.says_itself("severity"):
            return score
        said = self._columns.text("severity").lower()
        return Severity.UNKNOWN if said == "unknown" else severities.from_word(said)

    @cached_property
    def _type(self) -> FindingType | None:
        """As the record says, else by what it is about."""
        says = self._columns.says
        if said := self._columns.text("finding_type").lower():
            return FindingType(said) if said in set(FindingType) else None
        if says("package"):
            return FindingType.LIBRARY
        if says("image") or (says("resource") and self._cves):
            return FindingType.HOST_AND_CONTAINER
        if says("url"):
            return FindingType.RUNTIME_CODE
        if self._cves:
            return FindingType.LIBRARY
        return FindingType.STATIC_CODE if says("file") else FindingType.MISCONFIGURATION

    @cached_property
    def _cves(self) -> list[str]:
        found = _CVE.findall(self._columns.text("cve")) or _CVE.findall(self._columns.text("title"))
        return sorted({each.upper() for each in found})

    @cached_property
    def _cwes(self) -> list[str]:
        found = (int(each) for each in _DIGITS.findall(self._columns.text("cwe")))
        return [f"CWE-{each}" for each in sorted({each for each in found if each})]

    @cached_property
    def _urls(self) -> list[str]:
        """Without their queries, which hold values."""
        return [each.partition("?")[0] for each in self._columns.texts("url")]

    @cached_property
    def _place(self) -> tuple[str, str]:
        """The resource: its lasting id and its type."""
        said = self._columns.text
        file = "/".join(filter(None, (said("repo"), said("file").removeprefix("./"))))
        image = Holder(name=said("image"), resource_type=CONTAINER_IMAGE).lasting_name
        host = "host" if self._type is FindingType.HOST_AND_CONTAINER else ""
        known = (
            (image, CONTAINER_IMAGE),
            (said("resource"), host),
            (next(iter(self._urls), ""), "url"),
            (file, "file" if said("file") else "repository"),
            (said("service"), "service"),
            (said("package"), "package"),
            (self._report, ""),
        )
        found, kind = next((each for each in known if each[0]), ("unspecified", ""))
        return one_line(found, 1_000), one_line(said("resource_type") or kind, 100)

    def record(self) -> dict[str, Any]:
        said = self._columns.text
        place, kind = self._place
        name = said("resource_name") or said("image") or urlsplit(place).hostname or place
        title = one_line(said("title"), 300)
        is_secret = self._type is FindingType.SECRET
        return {
            "finding_type": self._type and self._type.value,
            "title": mask_quoted(title) if is_secret else title,
            "severity": (self._severity or Severity.UNKNOWN).value,
            "resource_id": place,
            "resource_name": one_line(name, 500),
            "resource_type": kind,
            "fingerprint": self._fingerprint(place, title),
            "description": self._description(is_secret=is_secret),
            "tags": self._tags(),
            "attributes": self._attributes(place),
            "first_seen_at": moment(said("first_seen"), latest=self._latest),
        }

    def _fingerprint(self, place: str, title: str) -> str:
        """The sender's own, else what the finding is about and where; no line, no version."""
        said = self._columns.text
        if own := said("fingerprint"):
            return fingerprint("generic", own)
        what = said("rule") or title
        return fingerprint(
            "generic", self._type, what, self._cves, self._cwes, place, said("package")
        )

    def _description(self, *, is_secret: bool) -> str:
        said = self._columns.text
        mask = mask_quoted if is_secret else str
        evidence = Evidence(mask(said("description")))
        evidence.section("Impact", mask(said("impact")))
        evidence.section("Steps", mask(said("steps")))
        evidence.section("Where", "\n".join(f"- `{one_line(url, 500)}`" for url in self._urls[:20]))
        evidence.section("Remediation", said("remediation"))
        evidence.links(said("references").replace(",", " ").split())
        return evidence.markdown

    def _tags(self) -> list[str]:
        said = self._columns.text
        own = [_tag(tag) for tag in self._columns.texts("tags")[:50]]
        named = list(self._columns.others("tag:").items())[:50]
        is_fixed = self._columns.is_true("fix_available") or bool(said("fix_version"))
        says_fix = self._columns.says("fix_available") or said("fix_version")
        return [
            *tags(
                scanner=(said("scanner") or self._report or "generic").lower(),
                rule=said("rule"),
                cve=self._cves[:20],
                cwe=self._cwes[:20],
                package=said("package"),
                repo=said("repo"),
                image=said("image"),
                service=said("service"),
                fix_available=str(is_fixed).lower() if says_fix else "",
            ),
            *own,
            *tags(**{one_line(key, 100): value for key, value in named if key}),
        ]

    def _attributes(self, place: str) -> dict[str, Any]:
        said = self._columns.text
        package, problem = said("package"), next(iter(self._cves), "")
        related = package_correlation(problem, package, place) if package and problem else ""
        attributes = {
            "correlation_id": related,
            "advisory": {"id": problem, "cve": self._cves[:20], "cwe": self._cwes[:20]},
            "rule": {"id": one_line(said("rule"), 300)},
            "package": {
                "name": one_line(package, 300),
                "version": one_line(said("version"), 200) if package else "",
                "fixed_version": one_line(said("fix_version"), 200),
            },
            "cvss": number(said("cvss")),
            "vulnerability": {
                "cvss_vector": one_line(said("cvss_vector"), 300),
                "epss": number(said("epss")),
            },
            "code_location": {
                "file": clip(said("file"), 1_000),
                "line": whole(said("line")),
            },
            "git": {"repository": one_line(said("repo"), 300)},
            "container_image": {"name": one_line(said("image"), 500)},
            "remediation": {"recommended": one_line(said("remediation"), 1_000)},
            "external_id": clip(said("fingerprint"), 500),
            "scanner": {"name": one_line(said("scanner") or self._report or "generic", 100)},
        }
        return {**self._more(), **without_empty(attributes)}

    def _more(self) -> dict[str, Any]:
        """Columns named `attribute:<key>`."""
        named = list(self._columns.others("attribute:").items())[:50]
        return {one_line(key, 100): clip(text(value), 1_000) for key, value in named if key}


def _tag(written: str) -> str:
    """`key:value` as it is, anything else as a label."""
    key, _, value = written.partition(":")
    is_pair = key.strip() and value.strip()
    return one_line(written if is_pair else f"label:{written}", 500)
