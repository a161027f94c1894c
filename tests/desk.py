"""The space DESK of the sandbox Jira, which requires fields of every uncommon kind."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox.defaults import (
    OF_AN_APP,
    ORG_TEAM,
    ORG_TEAMS,
    REQUEST_TYPE,
    SECURITY,
)

DESK_ID = "10003"
TEAM_ID = ORG_TEAMS[1].id
REQUIRED: dict[str, Any] = {
    ORG_TEAM.id: TEAM_ID,
    SECURITY.id: {"id": "10501"},
    REQUEST_TYPE.id: "26",
    OF_AN_APP.id: {"score": 7.5, "why": [None, [], {"of": "{tags}"}]},
}
"""What a rule says of them, and what Jira is sent."""
TYPED: dict[str, str] = {
    f"field_{ORG_TEAM.id}": TEAM_ID,
    f"field_{SECURITY.id}": "10501",
    f"field_{REQUEST_TYPE.id}": "26",
    f"field_{OF_AN_APP.id}": '{"score": 7.5,\r\n "why": [null, [], {"of": "{tags}"}]}',
}
"""What a person types and chooses for that."""
