"""The columns of the explorer's table: what stands in them, by what they sort and group, and
what a file with findings says in them.

The one list of them. Beside it every tag (`tag:<key>`) and every attribute (`@<path>`) is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from findings.explorer.values import (
    Read,
    attribute_of,
    dated,
    group_or_none,
    of_field,
    package_of,
    plain,
    resource_of,
    tags_of,
    type_of,
    vulnerability_of,
)
from findings.facts import CORE_FIELDS
from findings.grouping import attribute_path, tag_key
from findings.models import Finding
from findings.query.ast import Exists, Field, Root, Term
from findings.query.canonical import write

MAX_COLUMNS = 20
MAX_NAME = 300
NOT_COLUMNS = ("description", "workflow.due_date.is_overdue")
"""A text too long for a cell, and what the column `due` shows."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str  # in addresses
    label: str
    values: Read  # what stands in its cell; none where it is empty
    sort: str = ""  # the order that an index serves; "" where none does
    groups: tuple[str, ...] = ()  # what one may group by here
    field: Field | None = None  # what the query language calls it
    is_number: bool = False  # or a time: it stands at the right
    cells: Mapping[str, Read] | None = None  # heading in a file → its cell, where it is not one
    reads_attributes: bool = False

    @property
    def kind(self) -> str:
        """How it is drawn: a name of ours, or that of all tags and attributes."""
        return self.name if self.name in COLUMNS else "other"

    @property
    def heading(self) -> str:
        """In a file, where a tag may have the name of a column of ours."""
        return self.label if self.name in COLUMNS else self.name

    @property
    def needs_label(self) -> bool:
        """Whether one cannot tell without a head what its values are."""
        return self.name not in (*SHOWN, "tags")

    @property
    def exists(self) -> str:
        """The term that finds what has a value, "" where none does."""
        return write(Term(self.field, Exists())) if self.field else ""

    def in_file(self) -> Mapping[str, Callable[[Finding], str]]:
        """Heading → the text of a finding's cell."""
        cells = self.cells or {self.heading: self.values}
        return {heading: _joined(read) for heading, read in cells.items()}


def assignee_of(finding: Finding) -> str:
    """The name of whose it is, or ""."""
    assignee = (finding.workflow.get("triage") or {}).get("assignee") or {}
    return str(assignee.get("name", ""))


def _joined(read: Read) -> Callable[[Finding], str]:
    return lambda finding: ", ".join(value.text for value in read(finding))


def _attribute(name: str) -> Field:
    return Field(Root.ATTRIBUTE, name)


def _column(
    name: str, label: str, path: str, group: str = "", *, is_number: bool = False
) -> Column:
    """A column that is an attribute."""
    field = _attribute(path)
    groups = (group,) if group else ()
    return Column(
        *(name, label, attribute_of(field, group)),
        groups=groups,
        field=field,
        is_number=is_number,
        reads_attributes=True,
    )


_SERVICE, _TEAM = Field(Root.TAG, "service"), Field(Root.TAG, "team")
_KEY = _attribute("ticket.key")
SEVERITY = Column(
    "severity",
    "Severity",
    of_field(_attribute("severity"), "@severity"),
    sort="severity",
    groups=("@severity",),
)
FINDING = Column("finding", "Finding", plain(lambda finding: finding.title), groups=("title",))
_ALL = (
    Column("type", "Type", type_of, groups=("@finding_type",)),
    Column(
        "owner",
        "Service / team",
        lambda finding: (
            *of_field(_SERVICE, "service")(finding),
            *of_field(_TEAM, "team")(finding),
        ),
        groups=("service", "team"),
        cells={"Service": of_field(_SERVICE), "Team": of_field(_TEAM)},
    ),
    Column("status", "Status", of_field(_attribute("status"))),
    Column(
        *("due", "Due", dated("due_at", "%Y-%m-%d")),
        sort="due",
        field=_attribute("workflow.due_date.due_at"),
    ),
    Column(
        *("assignee", "Assignee", of_field(_attribute("workflow.triage.assignee.name"))),
        field=_attribute("workflow.triage.assignee.name"),
    ),
    Column("source", "Source", plain(lambda finding: finding.source.name)),
    Column("resource", "Resource", resource_of, groups=("resource",)),
    Column("cve", "CVE", vulnerability_of, groups=("vulnerability",)),
    Column(
        *("package", "Package", package_of),
        groups=("package",),
        field=_attribute("package.name"),
        reads_attributes=True,
    ),
    _column("fix", "Fixed in", "package.fixed_version"),
    _column("cvss", "CVSS", "cvss", is_number=True),
    _column("epss", "EPSS", "vulnerability.epss", is_number=True),
    _column("rule", "Scanner rule", "rule.id", "rule"),
    Column("tags", "Tags", tags_of),
    Column(
        "ticket",
        "Ticket",
        plain(lambda finding: finding.ticket_key or finding.ticket.replace("none", "")),
        field=_KEY,
        cells={
            "Ticket": plain(lambda finding: finding.ticket_key),
            "Ticket made": plain(lambda finding: finding.ticket.replace("_", " ")),
            "Ticket status": plain(lambda finding: finding.ticket_status),
        },
    ),
    Column("seen", "First seen", dated("first_seen_at"), sort="first_seen", is_number=True),
    Column("changed", "Changed", dated("detection_changed_at"), sort="changed", is_number=True),
    Column("opened", "Opened", dated("opened_at"), sort="opened", is_number=True),
    Column("last", "Last seen", dated("last_seen_at"), is_number=True),
)
COLUMNS: Mapping[str, Column] = {column.name: column for column in _ALL}
SHOWN = ("type", "owner", "status", "ticket", "seen")
"""What stands in the table unless the address says otherwise."""
ALWAYS: Mapping[str, Callable[[Finding], str]] = {
    "Id": lambda finding: finding.finding_id,
    "Severity": lambda finding: finding.severity,
    "Finding": lambda finding: finding.title,
    "Resource": lambda finding: finding.resource_name or finding.resource_id,
}


def column_of(name: str) -> Column | None:
    """None for what is no column."""
    if known := COLUMNS.get(name):
        return known
    if len(name) > MAX_NAME:
        return None
    if name.startswith("tag:") and (key := tag_key(name)):
        return _custom(name, key, Field(Root.TAG, key))
    path = attribute_path(name)
    if not path or path in NOT_COLUMNS:
        return None
    return _custom(name, path, _attribute(path))


def _custom(name: str, label: str, field: Field) -> Column:
    group = group_or_none(name)
    read = of_field(field, group) if _is_core(field) else attribute_of(field, group)
    groups = (group,) if group else ()
    return Column(name, label, read, groups=groups, field=field, reads_attributes=True)


def _is_core(field: Field) -> bool:
    return field.root is Root.TAG or field.name in CORE_FIELDS


def columns_named(text: str) -> tuple[str, ...]:
    """The columns that an address names, each once; those of every day for none."""
    if not text:
        return SHOWN
    names = (unquote(name).replace("\0", "�") for name in text[:10_000].split(","))
    return tuple(dict.fromkeys(name for name in names if column_of(name)))[:MAX_COLUMNS]


def named(names: Iterable[str]) -> str:
    """As `columns_named` reads it; "none" for none. A comma within a name is written %2C."""
    return ",".join(quote(name, safe=" :@./-_~") for name in names) or "none"


def columns_of(names: Sequence[str]) -> list[Column]:
    return [column for name in names if (column := column_of(name))]


def column_typed(text: str) -> Column | None:
    """What a person means who types `CVSS`, `cost-center`, `tag:cost-center` or `@package.name`."""
    text = text.strip().replace("\0", "�")
    by_label = {column.label.lower(): column for column in _ALL}
    return by_label.get(text.lower()) or column_of(text) or column_of(f"tag:{text}")
