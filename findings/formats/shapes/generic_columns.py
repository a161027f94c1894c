"""The column map of generic reports: what people call the columns, and what we take them for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from findings.formats.values.fields import text, texts

ColumnMap = Mapping[str, str]
"""The sender's own: our field → the name of a column, `=` and a value for records that say nothing
of it, or "" for none."""
NO_MAP: Final[ColumnMap] = MappingProxyType({})

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "name", "summary", "issue", "finding"),
    "severity": ("severity", "risk", "risk level", "priority"),
    "description": ("description", "details"),
    "finding_type": ("finding type",),
    "resource": (
        "resource id",
        "resource external id",
        "resource",
        "asset",
        "asset id",
        "host",
        "hostname",
        "fqdn",
        "fqdn/ip",
        "dns name",
        "ip",
        "ip address",
    ),
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
    "active": ("active", "is active"),
    "status": ("status", "state", "finding status", "issue status"),
}
"""Our field → names of columns, the likeliest first. Case, spaces, `_` and `-` do not matter."""


def _key(name: str) -> str:
    return "".join(name.lower().split()).replace("_", "").replace("-", "")


_FIELDS = {_key(name): field for field, names in COLUMNS.items() for name in names}
_RANKS = {_key(name): rank for names in COLUMNS.values() for rank, name in enumerate(names)}
_TRUE = frozenset({"true", "yes", "1", "y"})
_FALSE = frozenset({"false", "no", "0", "n"})
_PLACES = ("resource", "resource_name", "url", "file", "image", "repo", "service", "package")
_OWN = ("tag:", "attribute:")


def field_of(column: str) -> str:
    """The field that a column of this name is taken for, or ""."""
    return _FIELDS.get(_key(column), "")


def has_place(columns: Collection[str]) -> bool:
    """Whether a column says where a finding is."""
    return any(field_of(each) in _PLACES for each in columns)


def unread(columns: Collection[str], mapped: ColumnMap) -> list[str]:
    """The columns that are taken for nothing."""
    named = {called(each, columns) for each in mapped.values()}
    settled = {"", *(field for field, column in mapped.items() if not column.startswith("="))}
    return [
        each
        for each in columns
        if field_of(each) in settled and each not in named and not each.lower().startswith(_OWN)
    ]


def column_for(field: str, columns: Collection[str]) -> str:
    """The column that is taken for the field by its name, or ""."""
    found = (each for each in columns if field_of(each) == field)
    return min(found, key=lambda name: _RANKS[_key(name)], default="")


def called(name: str, columns: Collection[str]) -> str | None:
    """The column of this name: the one written like it, else the first that differs in case,
    spaces, `_` and `-`. No column is called ""."""
    if not name or name in columns:
        return name or None
    return next((each for each in columns if _key(each) == _key(name)), None)


class Columns:
    """One record, by our fields. Where several columns mean one field, the likeliest counts.

    What the map of the sender says goes before what the columns are called: a column in it means
    only what it says, and a field in it is in no other column.
    """

    def __init__(self, cells: Mapping[str, Any], mapped: ColumnMap = NO_MAP) -> None:
        self._cells = cells
        self._mapped = mapped
        self._values = {
            field: column[1:] for field, column in mapped.items() if column.startswith("=")
        }
        own = {
            field: column
            for field, name in mapped.items()
            if field not in self._values and (column := called(name, cells)) is not None
        }
        self._columns = {field: column for field, column in own.items() if self._holds(column)}
        settled, taken = mapped.keys() - self._values.keys(), set(own.values())
        for column in sorted(cells, key=lambda name: _RANKS.get(_key(name), 0)):
            field = field_of(column)
            if field not in settled and column not in taken and self._holds(column):
                self._columns.setdefault(field, column)

    def _holds(self, column: str) -> bool:
        return bool(text(self._cells, column)) or isinstance(self._cells[column], list | bool)

    def column(self, field: str) -> str:
        """What the record calls it; if it has none, the map's name, else the field's first."""
        said = "" if field in self._values else self._mapped.get(field, "")
        return self._columns.get(field) or said or COLUMNS[field][0]

    def _value(self, field: str) -> Any:
        if field in self._columns:
            return self._cells[self._columns[field]]
        return self._values.get(field)

    def text(self, field: str) -> str:
        return ", ".join(texts(_flat(self._value(field))))

    def texts(self, field: str) -> list[str]:
        """The items of a list, or of a text with commas."""
        found = texts(_flat(self._value(field)))
        return [part.strip() for each in found for part in each.split(",") if part.strip()]

    def is_true(self, field: str) -> bool:
        value = self._value(field)
        return value is True or text(value).lower() in _TRUE

    def is_false(self, field: str) -> bool:
        value = self._value(field)
        return value is False or text(value).lower() in _FALSE

    def says(self, field: str) -> bool:
        return field in self._columns or field in self._values

    def says_itself(self, field: str) -> bool:
        """Whether the record does, not the map for all of them."""
        return field in self._columns

    def others(self, prefix: str) -> dict[str, str]:
        """What columns named `<prefix><key>` hold, by key: `tag:team`."""
        found = (name for name in self._cells if name.lower().startswith(prefix))
        return {name[len(prefix) :].strip(): text(self._cells, name) for name in found}


def _flat(value: Any) -> Any:
    """A list of objects as one of texts: addresses by their parts, and ids."""
    if not isinstance(value, list):
        return value
    return [_word(each) if isinstance(each, dict) else each for each in value]


def _word(value: dict[str, Any]) -> str:
    if not (host := text(value, "host")):
        names = (text(value, key) for key in ("vulnerability_id", "id", "name", "url"))
        return next(filter(None, names), "")
    scheme, port, path = (text(value, key) for key in ("protocol", "port", "path"))
    place = f"{host}:{port}" if port else host
    address = f"{scheme}://{place}" if scheme else place
    return f"{address}/{path.lstrip('/')}" if path else address
