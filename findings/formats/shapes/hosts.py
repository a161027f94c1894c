"""What a scan of the network or an agent found on a host: the record that Nessus and Qualys have
in common.

Identity: tool, rule, host, port and protocol; of an audit also its check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned, normalise_mapped
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.values.fields import one_line, tags
from findings.formats.values.identity import Firsts, fingerprint
from findings.formats.values.masking import mask_assigned

_SHOWN = 4_000  # characters of what a check wrote


@dataclass(frozen=True, kw_only=True)
class HostFinding:
    scanner: str
    rule: str  # its number
    name: str  # of the rule
    host: str
    is_web: bool = False  # an application of the web, which was scanned as one
    severity: Severity
    check: str = ""  # of an audit: the finding is about this
    host_name: str = ""  # where the host goes by another
    port: str = ""
    protocol: str = ""
    service: str = ""
    category: str = ""
    address: str = ""
    system: str = ""
    known_by: Sequence[str] = ()  # what else tells it from others
    description: str = ""
    risk: str = ""
    output: str = ""
    solution: str = ""
    cves: Sequence[str] = ()
    cwes: Sequence[str] = ()
    score: float | None = None
    vector: str = ""
    epss: float | None = None
    is_exploited: bool = False
    urls: Sequence[str] = ()
    confidence: str = ""
    first_seen_at: str | None = None

    @property
    def place(self) -> str:
        """`443/tcp`; "" for the host as a whole."""
        if self.port in ("", "0"):
            return ""
        return "/".join(filter(None, (self.port, self.protocol)))

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        at = f" port {self.place}" if self.place else ""
        what = (self.rule, self.check, self.host, self.place, *self.known_by)
        return ResourceFinding(
            scanner=self.scanner,
            finding_type=self._type,
            title=f"{self.check or self.name} on {self.host}{at}",
            severity=self.severity,
            resource=Resource(
                id=self.host,
                name=self.host_name or self.host,
                type="web_application" if self.is_web else "host",
            ),
            fingerprint=fingerprint(self.scanner.lower(), *what),
            rule=self.rule,
            rule_name=self.name,
            opening=self.description,
            seen=mask_assigned(self.output[:_SHOWN]),
            risk=self.risk,
            remediation=self.solution,
            urls=self.urls,
            cves=self.cves,
            cwes=self.cwes,
            first_seen_at=self.first_seen_at,
            more_tags=tags(host=self.host, service=self.service, category=self.category),
            more=self._more(),
        ).record()

    @property
    def _type(self) -> FindingType:
        if self.check:
            return FindingType.MISCONFIGURATION
        return FindingType.RUNTIME_CODE if self.is_web else FindingType.HOST_AND_CONTAINER

    def _more(self) -> dict[str, Any]:
        return {
            "cvss": self.score,
            "confidence": one_line(self.confidence.lower(), 50),
            "vulnerability": {
                "cvss_vector": self.vector,
                "epss": self.epss,
                "is_exploited": self.is_exploited,
            },
            "host": {"address": self.address, "system": self.system, "port": self.place},
        }


class FoundOnHost(NamedTuple):
    pointer: str
    finding: HostFinding | None  # None: the record is no finding


def read_host_findings(
    found: Iterable[FoundOnHost], *, latest: datetime
) -> Iterator[Normalised | Rejected]:
    """Each once; one without the number or the name of its rule does not go in."""
    firsts = Firsts()
    for position, (pointer, finding) in enumerate(found):
        if finding is None:
            continue
        if not finding.rule or not finding.name:
            detail = "The number and the name of its rule are required."
            yield Rejected(position, pointer, "Missing field", detail)
            continue
        record = finding.record()
        if firsts.has(record["fingerprint"]):
            yield normalise_mapped(record, position=position, at=pointer, latest=latest)


def unscanned_hosts(failed: Iterable[FoundOnHost]) -> Iterator[Unscanned]:
    """The hosts that could not be logged in to, of the findings that say so: what can be seen from
    within alone is not gone because it was not seen."""
    firsts = Firsts()
    for _, finding in failed:
        if finding and firsts.has(finding.host):
            yield Unscanned(finding.host, finding.name, "host")
