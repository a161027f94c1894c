"""One finding of a generic report, from its columns."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cached_property
from typing import Any

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.credentials import mask_credentials
from findings.formats.normalised import UNSPECIFIED
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.generic_columns import Columns
from findings.formats.shapes.packages import Holder, package_correlation
from findings.formats.values import severities
from findings.formats.values.addresses import address_of
from findings.formats.values.credential_words import finds_credentials, is_secret_scanner
from findings.formats.values.fields import (
    clip,
    moment,
    number,
    one_line,
    tags,
    text,
    whole,
    without_empty,
)
from findings.formats.values.identity import fingerprint
from findings.formats.values.masking import mask_quoted
from findings.formats.values.paths import file_of
from findings.formats.values.scanners import scanner_tag
from findings.formats.values.sentences import advice_line, plain

_SETTLED = ("false_positive", "duplicate", "out_of_scope", "accepted", "mitigated")
_CLOSED = frozenset(
    {
        "accepted",
        "closed",
        "done",
        "duplicate",
        "false positive",
        "fixed",
        "ignored",
        "inactive",
        "mitigated",
        "not affected",
        "not applicable",
        "pass",
        "passed",
        "rejected",
        "remediated",
        "resolved",
        "risk accepted",
        "suppressed",
        "wont fix",
        "won't fix",
    }
)
_PASSED = frozenset({"ok", "pass", "passed"})  # where another has a severity
_OF_THE_SCAN = frozenset({"fatal", "warn"})  # testssl's words for what it could not test
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,6}")
_UNSURE = (FindingType.STATIC_CODE, FindingType.MISCONFIGURATION)
_SEVERITIES = "critical, high, medium, low, info, none, unknown"


class GenericFinding:
    def __init__(self, columns: Columns, *, report: str, latest: datetime) -> None:
        self._columns = columns
        self._report = report
        self._latest = latest

    @property
    def is_settled(self) -> bool:
        """Whether the sender says that there is nothing to do."""
        says = self._columns
        return (
            any(says.is_true(field) for field in _SETTLED)
            or says.is_false("active")
            or says.text("severity").lower() in _PASSED
            or any(_spaced(word) in _CLOSED for word in says.texts("status"))
        )

    def problem(self) -> tuple[str, str, str] | None:
        """Column, title and detail of what keeps the record out."""
        if not self._columns.text("title"):
            return self._columns.column("title"), "Missing field", "A finding has a title."
        if self._severity is None:
            said = mask_credentials(one_line(self._columns.text("severity"), 50))
            detail = (
                f"{said!r} is not one of {_SEVERITIES}." if said else "A finding has a severity."
            )
            return self._columns.column("severity"), "Unknown severity", detail
        if self._type is None:
            known = ", ".join(each.value for each in FindingType)
            said = mask_credentials(one_line(self._columns.text("finding_type"), 50))
            detail = f"{said!r} is not one of {known}."
            return self._columns.column("finding_type"), "Unknown finding type", detail
        return None

    @cached_property
    def _severity(self) -> Severity | None:
        """As the record says, else by its score, else as the map says of all."""
        score = severities.from_score(self._columns.text("cvss"))
        if score and not self._columns.says_itself("severity"):
            return score
        said = self._columns.text("severity").lower()
        if said in _OF_THE_SCAN and self._columns.column("resource") == "fqdn/ip":
            return Severity.INFO
        if said in ("untriaged", "undefined"):
            return Severity.UNKNOWN
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
    def _kind(self) -> FindingType | None:
        """The type, also by what is said of the finding where the record names none. It is no
        part of the identity."""
        said = self._columns.text
        if said("finding_type") or self._type not in _UNSURE:
            return self._type
        sentences = (said("title"), said("description").partition("\n")[0])
        cwes = [f"CWE-{each}" for each in _DIGITS.findall(said("cwe"))]
        is_secret = is_secret_scanner(said("scanner") or self._report) or finds_credentials(
            called=(said("rule"), said("title")), sentences=sentences, cwes=cwes
        )
        return FindingType.SECRET if is_secret else self._type

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
        return self._place_of(file_of(self._columns.text("file")))

    def _former_place(self) -> str:
        return self._place_of(self._columns.text("file").removeprefix("./"))[0]

    def _place_of(self, path: str) -> tuple[str, str]:
        said = self._columns.text
        file = "/".join(filter(None, (said("repo"), path)))
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
        found, kind = next((each for each in known if each[0]), (UNSPECIFIED, ""))
        return one_line(found, 1_000), one_line(said("resource_type") or kind, 100)

    def record(self) -> dict[str, Any]:
        said = self._columns.text
        place, kind = self._place
        name = said("resource_name") or said("image") or address_of(place).host or place
        title = one_line(said("title"), 300)
        is_secret = self._kind is FindingType.SECRET
        return {
            "finding_type": self._kind and self._kind.value,
            "title": plain(mask_quoted(title) if is_secret else title),
            "severity": (self._severity or Severity.UNKNOWN).value,
            "resource_id": place,
            "resource_name": one_line(name, 500),
            "resource_type": kind,
            "fingerprint": self._fingerprint(place, title),
            "former_fingerprints": (self._fingerprint(self._former_place(), title),),
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
        evidence = Evidence(plain(mask(said("description"))))
        evidence.section("Impact", plain(mask(said("impact"))))
        evidence.section("Steps", mask(said("steps")))
        evidence.section("Where", "\n".join(f"- `{one_line(url, 500)}`" for url in self._urls[:20]))
        evidence.section("Remediation", plain(mask(said("remediation"))))
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
                scanner=scanner_tag(said("scanner") or self._report or "generic"),
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
            "remediation": {"recommended": advice_line(plain(said("remediation")))},
            "external_id": clip(said("fingerprint"), 500),
            "scanner": {"name": one_line(said("scanner") or self._report or "generic", 100)},
        }
        return {**self._more(), **without_empty(attributes)}

    def _more(self) -> dict[str, Any]:
        """Columns named `attribute:<key>`."""
        named = list(self._columns.others("attribute:").items())[:50]
        return {one_line(key, 100): clip(text(value), 1_000) for key, value in named if key}


def _spaced(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def _tag(written: str) -> str:
    """`key:value` as it is, anything else as a label."""
    key, _, value = written.partition(":")
    is_pair = key.strip() and value.strip()
    return one_line(written if is_pair else f"label:{written}", 500)
