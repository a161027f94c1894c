"""A vulnerable package of the npm registry, as the audits of its clients tell of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from findings.facts import Severity
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.values import severities
from findings.formats.values.fields import one_line
from findings.formats.values.purls import purl

MAX_PATHS = 10


def npm_package(
    package: str,
    ids: Sequence[str],
    *,
    scanner: str,
    number_id: str,
    severity: str,
    versions: Sequence[str] = (),
    **more: Any,
) -> VulnerablePackage:
    """`number_id` is the advisory's number at npm, for one that has no other id; `more` are
    further fields of the package."""
    return VulnerablePackage(
        id=one_line(next(iter(ids), f"npm-{number_id}"), 100),
        scanner=scanner,
        holder=Holder(name=package, resource_type="package"),  # the report does not say whose
        is_of_system=False,
        package=package,
        severity=severities.from_word(severity) or Severity.UNKNOWN,
        version=one_line(", ".join(filter(None, versions)), 200),
        ecosystem="npm",
        purl=purl("npm", package, versions[0] if len(versions) == 1 else ""),
        aliases=ids,
        **more,
    )
