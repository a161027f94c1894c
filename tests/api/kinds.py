"""The kinds of rules as clients know them: an address, an action, and another one."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.api.rules import NOBODY

AUTOMATION = "/security/findings/automation"


class Kind(NamedTuple):
    type: str
    action: dict[str, Any]
    other: dict[str, Any]

    @property
    def path(self) -> str:
        return f"{AUTOMATION}/{self.type}"

    def said(self, action: Any = None, *, query: str | None = None, **members: Any) -> Any:
        """The document of a rule."""
        rule = {"finding_types": ["misconfiguration"]} | ({"query": query} if query else {})
        attributes = {"name": "R", "rule": rule, "action": action or self.action} | members
        return {"data": {"type": self.type, "attributes": attributes}}

    def order(self, *ids: str) -> Any:
        return {"data": [{"id": each, "type": self.type} for each in ids]}


def _due(days, severity="critical", due_from="first_seen"):
    per_severity = [{"severity": severity, "due_in_days": days}]
    return {"due_from": due_from, "due_days_per_severity": per_severity}


LATER = 4_102_444_800_000  # in 2100
SEVERITY = Kind(
    "severity_modifier_rules",
    {"type": "set", "severity": "low"},
    {"type": "shift", "severity_delta": "up_one", "description": "It faces the internet."},
)
MUTE = Kind(
    "mute_rules",
    {"reason": "risk_accepted"},
    {"reason": "false_positive", "reason_description": "Seen.", "expire_at": LATER},
)
INBOX = Kind("inbox_rules", {}, {"description": "Look at these first."})
DUE = Kind("due_date_rules", _due(7), _due(14, "none") | {"reason_description": "Policy 7."})
TICKET = Kind(
    "ticket_creation_rules",
    {"target": "case_management", "project_id": NOBODY, "max_tickets_per_day": 10},
    {
        "target": "jira",
        "project_id": NOBODY,
        "max_tickets_per_day": 500,
        "assignee_id": NOBODY,
        "fields": {"labels": ["x"]},
    },
)
KINDS = (SEVERITY, MUTE, INBOX, DUE, TICKET)
