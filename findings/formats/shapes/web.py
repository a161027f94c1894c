"""A weakness that a scan of a running web application or API saw at an address.

Identity: tool, rule, name, site, method, path and parameter. Queries and bodies are not taken: they
hold values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from findings.facts import FindingType, Severity
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.values.fields import one_line, tags
from findings.formats.values.identity import fingerprint


@dataclass(frozen=True, kw_only=True)
class WebFinding:
    COUNTS_REPEATS: ClassVar = True

    scanner: str
    title: str
    severity: Severity
    resource: Resource
    rule: str = ""
    method: str = ""
    path: str = ""
    parameter: str = ""
    description: str = ""
    seen: str = ""
    remediation: str = ""
    cwes: Sequence[str] = ()
    urls: Sequence[str] = ()
    confidence: str = ""

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`, for `normalise`."""
        site = self.resource
        name = one_line(self.title, 250)
        at = f" at {site.id.rstrip('/')}/{self.path.lstrip('/')}" if self.path else f" at {site.id}"
        what = (self.rule, name.lower(), site.id, self.method, self.path, self.parameter)
        return ResourceFinding(
            scanner=self.scanner,
            finding_type=FindingType.RUNTIME_CODE,
            title=f"{name}{at}",
            severity=self.severity,
            resource=site,
            fingerprint=fingerprint(self.scanner.lower(), *what),
            rule=self.rule,
            rule_name=name,
            opening=self.description,
            seen=self.seen,
            remediation=self.remediation,
            urls=self.urls,
            cwes=self.cwes,
            more_tags=tags(host=site.name),
            more={
                "web": {"site": one_line(site.id, 1_000), "places": [self._place()]},
                "confidence": one_line(self.confidence.lower(), 50),
            },
        ).record()

    def _place(self) -> str:
        parameter = f"({self.parameter})" if self.parameter else ""
        address = f"{self.resource.id.rstrip('/')}/{self.path.lstrip('/')}"
        return one_line(" ".join(filter(None, (self.method, address, parameter))), 500)
