"""What a ticket rule does with a match: the only list of its fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec

NAME = "ticket_creation"
MAX_LIMIT = 500


class Target(StrEnum):
    JIRA = "jira"
    CASE_MANAGEMENT = "case_management"

    @property
    def label(self) -> str:
        return "Jira" if self is Target.JIRA else "Case Management"


class CreateTicket(msgspec.Struct, frozen=True, kw_only=True):
    target: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*Target]})]
    project_id: Annotated[
        UUID,
        msgspec.Meta(
            description="The Case Management project, also of Jira tickets. Whether it exists "
            "shows when the rule first makes a ticket."
        ),
    ]
    max_tickets_per_day: Annotated[
        int,
        msgspec.Meta(extra_json_schema={"format": "int64", "minimum": 1, "maximum": MAX_LIMIT}),
    ]
    assignee_id: UUID | None = None
    fields: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="Fields of the issue, as Jira knows them.")
    ] = None

    @property
    def is_jira(self) -> bool:
        return self.target == Target.JIRA
