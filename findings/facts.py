"""What the engine, the query language and the explorer see of a finding.

Pure: no framework, no clock, no I/O. A finding is one JSON document whose root holds the
core fields below and, beside them, the finding's own `attributes`; core fields win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID


class FindingType(StrEnum):
    """Types on the wire. Container images and hosts share one; see `TypeChoice`."""

    API_SECURITY = "api_security"
    ATTACK_PATH = "attack_path"
    HOST_AND_CONTAINER = "host_and_container_vulnerability"
    IAC = "iac_misconfiguration"
    IDENTITY_RISK = "identity_risk"
    LIBRARY = "library_vulnerability"
    MISCONFIGURATION = "misconfiguration"
    RUNTIME_CODE = "runtime_code_vulnerability"
    SECRET = "secret"  # noqa: S105  the name of a finding type
    STATIC_CODE = "static_code_vulnerability"
    WORKLOAD_ACTIVITY = "workload_activity"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """6 for critical down to 0 for unknown: what "sort by severity" means."""
        return len(Severity) - 1 - list(Severity).index(self)


class Status(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in-progress"
    MUTED = "muted"
    RESOLVED = "resolved"
    AUTO_CLOSED = "auto_closed"

    @property
    def is_open(self) -> bool:
        """Whether the finding still asks for work: it keeps its case open."""
        return self in (Status.OPEN, Status.IN_PROGRESS)

    @property
    def is_gone(self) -> bool:
        """Whether seeing the finding again opens it again."""
        return self in (Status.RESOLVED, Status.AUTO_CLOSED)


OPEN_STATUSES = tuple(s.value for s in Status if s.is_open)
GONE_STATUSES = tuple(s.value for s in Status if s.is_gone)


class Ticket(StrEnum):
    """Whether a finding has a ticket, and who made it."""

    NONE = "none"
    AUTOMATED = "automated"
    MANUAL = "manual"
    TEST = "test"
    OVER_LIMIT = "over_limit"

    @property
    def is_attached(self) -> bool:
        return self in (Ticket.AUTOMATED, Ticket.MANUAL, Ticket.TEST)


CONTAINER_IMAGE = "container_image"
"""The resource type that makes a host-and-container finding a container image's."""


class TypeChoice(NamedTuple):
    """A finding type as a person sees it: the wire type, split where the wire has one for two."""

    value: str
    label: str
    icon: str
    wire: FindingType
    resource_is_image: bool | None = None


TYPE_CHOICES: tuple[TypeChoice, ...] = (
    TypeChoice(
        "runtime_code_vulnerability",
        "Runtime Code Vulnerability",
        "bug-play",
        FindingType.RUNTIME_CODE,
    ),
    TypeChoice(
        "static_code_vulnerability",
        "Static Code Vulnerability",
        "file-code",
        FindingType.STATIC_CODE,
    ),
    TypeChoice("library_vulnerability", "Library Vulnerability", "package", FindingType.LIBRARY),
    TypeChoice("secret", "Secret", "key-round", FindingType.SECRET),
    TypeChoice("iac_misconfiguration", "Infrastructure as Code", "layers", FindingType.IAC),
    TypeChoice(
        "container_image_vulnerability",
        "Container Image Vulnerability",
        "container",
        FindingType.HOST_AND_CONTAINER,
        resource_is_image=True,
    ),
    TypeChoice(
        "host_vulnerability",
        "Host Vulnerability",
        "server",
        FindingType.HOST_AND_CONTAINER,
        resource_is_image=False,
    ),
    TypeChoice(
        "misconfiguration", "Misconfiguration", "sliders-horizontal", FindingType.MISCONFIGURATION
    ),
    TypeChoice("attack_path", "Attack Path", "waypoints", FindingType.ATTACK_PATH),
    TypeChoice("identity_risk", "Identity Risk", "fingerprint", FindingType.IDENTITY_RISK),
    TypeChoice("api_security", "API Security", "webhook", FindingType.API_SECURITY),
    TypeChoice("workload_activity", "Workload Activity", "activity", FindingType.WORKLOAD_ACTIVITY),
)


def type_choice(finding_type: str, resource_type: str) -> TypeChoice:
    """The choice that a finding with this wire type and resource type belongs to."""
    is_image = resource_type == CONTAINER_IMAGE
    for choice in TYPE_CHOICES:
        if choice.wire == finding_type and choice.resource_is_image in (None, is_image):
            return choice
    raise ValueError(f"no finding type {finding_type!r}")


class Kind(StrEnum):
    """How the values of a core field compare."""

    EXACT = "exact"  # case-sensitive text
    NAME = "name"  # one of a closed list of lower-case names: any case
    TIME = "time"  # a point in time
    FLAG = "flag"  # true or false


class CoreField(NamedTuple):
    column: str  # the attribute of `Facts`, and the column, see `lookup`
    kind: Kind = Kind.EXACT
    made_of: tuple[str, ...] = ()  # of a flag, which is derived: the columns that say it

    @property
    def columns(self) -> tuple[str, ...]:
        return self.made_of or (self.column,)


CORE_FIELDS: Mapping[str, CoreField] = {
    "finding_id": CoreField("finding_id"),
    "finding_type": CoreField("finding_type", Kind.NAME),
    "title": CoreField("title"),
    "description": CoreField("description"),
    "severity": CoreField("severity", Kind.NAME),
    "severity_details.base.value": CoreField("source_severity", Kind.NAME),
    "severity_details.adjusted.value": CoreField("source_severity", Kind.NAME),
    "severity_details.user_adjusted.value": CoreField("person_severity", Kind.NAME),
    "status": CoreField("status", Kind.NAME),
    "resource_id": CoreField("resource_id"),
    "resource_name": CoreField("resource_name"),
    "resource_type": CoreField("resource_type"),
    "first_seen_at": CoreField("first_seen_at", Kind.TIME),
    "last_seen_at": CoreField("last_seen_at", Kind.TIME),
    "detection_changed_at": CoreField("detection_changed_at", Kind.TIME),
    "ticket.created_by": CoreField("ticket", Kind.NAME),
    "ticket.key": CoreField("ticket_key"),
    "ticket.rule": CoreField("ticket_rule_id"),
    "ticket.status": CoreField("ticket_status", Kind.NAME),
    "ticket.over_limit": CoreField("ticket_over_limit", Kind.FLAG, ("ticket",)),
    "is_in_security_inbox": CoreField("is_in_security_inbox", Kind.FLAG, ("is_in_inbox", "status")),
    "workflow.mute.is_muted_by_rule": CoreField("is_muted_by_rule", Kind.FLAG, ("mute_rule_id",)),
    "workflow.mute.rule_id": CoreField("mute_rule_id"),
    "workflow.mute.unmuted_rule_id": CoreField("unmuted_rule_id"),
    "workflow.mute.is_lifted": CoreField("is_lifted", Kind.FLAG, ("is_mute_lifted",)),
    "workflow.due_date.due_at": CoreField("due_at", Kind.TIME),
    "workflow.due_date.rule_id": CoreField("due_rule_id"),
    "workflow.due_date.is_overdue": CoreField("is_overdue", Kind.FLAG, ("due_at", "status")),
}
"""Dotted path in the document → where its value is. An empty text is a missing field.
`ticket.created_by` is missing for `none`. Whether a finding is overdue depends on the day: a
query that asks for it is read with `query.clock` first. Everything else under `@` lives in
`workflow` (`@workflow.…`) or in `attributes` (any other path)."""

OF_EVALUATION = ("last_seen_at", "decided_at")
"""Columns of the narrow row that are read with a finding's own."""


def lookup(column: str) -> str:
    """How the ORM reaches a column from a finding. Most are of the finding's own row."""
    return f"evaluation__{column}" if column in OF_EVALUATION else column


FREE_TEXT_FIELDS = ("title", "description", "resource_name")
NOT_IN_RULES = ("workflow", "status", "ticket", "is_in_security_inbox")
"""Roots that a rule's query may not use: they change after the decision."""


class Facts(NamedTuple):
    """A finding as the engine and the predicate see it: its row, and when it was last seen.

    A tuple, because it is made from a row for every finding evaluated: `Facts._make(row)`
    with what `lookup` finds of `Facts._fields`, in their order. Properties are derived.
    """

    finding_type: str
    severity: str
    title: str = ""
    description: str = ""
    status: str = Status.OPEN.value
    resource_id: str = ""
    resource_name: str = ""
    resource_type: str = ""
    tags: Sequence[str] = ()
    attributes: Mapping[str, Any] = MappingProxyType({})
    workflow: Mapping[str, Any] = MappingProxyType({})
    finding_id: str = ""
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    detection_changed_at: datetime | None = None
    ticket: str = Ticket.NONE.value
    ticket_key: str = ""
    ticket_rule_id: UUID | None = None
    ticket_status: str = ""
    source_severity: str = ""
    person_severity: str = ""
    mute_rule_id: UUID | None = None
    unmuted_rule_id: UUID | None = None
    is_mute_lifted: bool = False
    is_in_inbox: bool = False
    due_at: datetime | None = None
    due_rule_id: UUID | None = None

    @property
    def ticket_over_limit(self) -> bool:
        return self.ticket == Ticket.OVER_LIMIT

    @property
    def is_muted_by_rule(self) -> bool:
        return self.mute_rule_id is not None

    @property
    def is_lifted(self) -> bool:
        """A person has undone what a rule muted."""
        return self.is_mute_lifted

    @property
    def is_in_security_inbox(self) -> bool:
        """The Inbox is a list of work: who is in it shows there while the finding is open."""
        return self.is_in_inbox and self.status in OPEN_STATUSES


_AFTER_THE_DECISION = {"workflow"} | {
    column
    for path, field in CORE_FIELDS.items()
    if path.partition(".")[0] in NOT_IN_RULES
    for column in field.columns
}
DECISION_FACTS = tuple(name for name in Facts._fields if name not in _AFTER_THE_DECISION)
"""What is kept with a decision: every column that a rule's query may read, and no other."""


_NOT_IN_JSON = ("ticket", "mute_rule_id", "unmuted_rule_id", "is_", "due_")


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """What `facts_from_json` reads again: the finding, without its ticket and what rules have
    made of it, which its workflow tells as well."""
    values = facts._asdict()
    for name in ("first_seen_at", "last_seen_at", "detection_changed_at"):
        values[name] = values[name].isoformat() if values[name] else None
    values |= {"tags": list(facts.tags), "attributes": dict(facts.attributes)}
    values |= {"workflow": dict(facts.workflow)}
    return {name: value for name, value in values.items() if not name.startswith(_NOT_IN_JSON)}


def facts_from_json(document: Mapping[str, Any]) -> Facts:
    """The facts kept with a decision, as the engine saw them. Times are ISO 8601."""
    values = {name: value for name, value in document.items() if name in Facts._fields}
    for name in ("first_seen_at", "last_seen_at", "detection_changed_at"):
        if values.get(name):
            values[name] = datetime.fromisoformat(values[name])
    # Decisions of the first release kept the severity that was in force, not its source's.
    values.setdefault("source_severity", values["severity"])
    # Until rules set severities, what was not the source's was a person's.
    is_set = values["severity"] != values["source_severity"]
    values.setdefault("person_severity", values["severity"] if is_set else "")
    return Facts(**values)
