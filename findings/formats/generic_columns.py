"""The column map of generic reports: what people call the columns, and what we take them for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from findings.formats.values import text, texts

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "name", "summary", "issue", "finding"),
    "severity": ("severity", "risk", "risk level", "priority"),
    "description": ("description", "details"),
    "finding_type": ("finding type",),
    "resource": ("resource id", "resource", "asset", "host", "hostname", "ip", "ip address"),
    "resource_name": ("resource name", "asset name"),
    "resource_type": ("resource type", "asset type"),
    "url": ("url", "endpoint", "endpoints", "uri"),
    "file": ("file", "file path", "path", "file name"),
    "line": ("line", "line number"),
    "image": ("image", "container image", "docker image"),
    "repo": ("repo", "repository"),
    "service": ("service", "application", "app"),
    "package": ("package", "component", "component name", "package name", "library"),
    "version": ("version", "component version", "package version", "installed version"),
    "fix_version": ("fix version", "fixed version", "fixed in"),
    "fix_available": ("fix available",),
    "cve": ("cve", "cves", "cve id", "vulnerability ids"),
    "cwe": ("cwe", "cwes", "cwe id"),
    "cvss": ("cvss", "cvss score", "cvssv3 score", "cvssv4 score"),
    "cvss_vector": ("cvss vector", "cvssv3", "cvssv4"),
    "epss": ("epss", "epss score"),
    "remediation": ("mitigation", "remediation", "solution", "recommendation", "fix"),
    "impact": ("impact",),
    "steps": ("steps to reproduce", "proof"),
    "references": ("references", "reference", "links"),
    "rule": ("rule", "rule id", "vuln id from tool", "plugin id", "check id"),
    "fingerprint": ("fingerprint", "unique id from tool", "external id"),
    "tags": ("tags", "labels"),
    "scanner": ("scanner", "tool", "found by"),
    "first_seen": ("first seen", "first seen at", "date"),
    "false_positive": ("false positive", "false p"),
    "duplicate": ("duplicate",),
    "out_of_scope": ("out of scope",),
    "accepted": ("risk accepted", "accepted"),
    "mitigated": ("is mitigated", "mitigated"),
}
"""Our field → names of columns, the likeliest first. Case, spaces, `_` and `-` do not matter."""


def _key(name: str) -> str:
    return "".join(name.lower().split()).replace("_", "").replace("-", "")


_FIELDS = {_key(name): field for field, names in COLUMNS.items() for name in names}
_RANKS = {_key(name): rank for names in COLUMNS.values() for rank, name in enumerate(names)}
_TRUE = frozenset({"true", "yes", "1", "y"})


def field_of(column: str) -> str:
    """The field that a column of this name is taken for, or ""."""
    return _FIELDS.get(_key(column), "")


class Columns:
    """One record, by our fields. Where several columns mean one field, the likeliest counts."""

    def __init__(self, cells: Mapping[str, Any]) -> None:
        self._columns: dict[str, str] = {}
        self._cells = cells
        for column in sorted(cells, key=lambda name: _RANKS.get(_key(name), 0)):
            if text(cells, column) or isinstance(cells[column], list | bool):
                self._columns.setdefault(field_of(column), column)

    def column(self, field: str) -> str:
        """What the record calls it; the field's first name if it has none."""
        return self._columns.get(field) or COLUMNS[field][0]

    def text(self, field: str) -> str:
        return ", ".join(texts(self._cells, self._columns.get(field, "")))

    def texts(self, field: str) -> list[str]:
        """The items of a list, or of a text with commas."""
        found = texts(self._cells, self._columns.get(field, ""))
        return [part.strip() for each in found for part in each.split(",") if part.strip()]

    def is_true(self, field: str) -> bool:
        value = self._cells.get(self._columns.get(field, ""))
        return value is True or text(value).lower() in _TRUE

    def says(self, field: str) -> bool:
        return field in self._columns

    def others(self, prefix: str) -> dict[str, str]:
        """What columns named `<prefix><key>` hold, by key: `tag:team`."""
        found = (name for name in self._cells if name.lower().startswith(prefix))
        return {name[len(prefix) :].strip(): text(self._cells, name) for name in found}
