"""Failed checks of Checkov, which writes them into its CycloneDX as vulnerabilities.

Each is of a resource in a file, and that is what its component's package URL names:
`pkg:terraform/acme/infra/main.tf/aws_s3_bucket.logs@sha1:…`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from findings.facts import FindingType, Severity
from findings.formats.readers.cyclonedx_parts import Component, rating_of
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.values.fields import dig, one_line, text
from findings.formats.values.paths import file_of
from findings.formats.values.xml import listed

_CHECKS = ("CKV_", "CKV2_", "BC_")


def is_check(vulnerability: dict[str, Any]) -> bool:
    return text(vulnerability, "id").startswith(_CHECKS)


def check_of(vulnerability: dict[str, Any], component: Component) -> FailedCheck | FoundSecret:
    id_ = one_line(text(vulnerability, "id"), 200)
    platform, file, resource = _place(component)
    severity = rating_of(vulnerability)[0]
    url = _guideline(vulnerability)
    about = text(vulnerability, "description").removeprefix(f"Resource: {component.name}.").strip()
    if id_.startswith("CKV_SECRET"):
        return FoundSecret(
            scanner="Checkov",
            rule=id_,
            name=about or id_,
            kind=about,
            severity=None if severity is Severity.UNKNOWN else severity,
            known_by=component.name,  # an unsalted SHA-1: never shown
            file=file,
            url=url,
        )
    return FailedCheck(
        finding_type=FindingType.IAC,
        scanner="Checkov",
        check=id_,
        name=about,
        url=url,
        severity=severity,
        file=file,
        title=about or id_,
        message=about,
        resource=resource,
        platform=platform,
    )


def _place(component: Component) -> tuple[str, str, str]:
    """Platform, file and resource."""
    path = component.purl.removeprefix("pkg:").partition("@")[0]
    platform, _, rest = path.partition("/")
    file, _, resource = rest.rpartition("/")
    return platform, file_of(unquote(file)) or "file", unquote(resource) or component.name


def _guideline(vulnerability: dict[str, Any]) -> str:
    found = dig(vulnerability, "advisories")
    advisories = found if isinstance(found, list) else listed(found, "advisory")
    return text(advisories, 0, "url")
