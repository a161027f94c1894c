"""What a ticket rule does with a match: the only list of its fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec

from findings.grouping import GROUP_FIELDS, MAX_FIELDS

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
    group_by: Annotated[
        list[str] | msgspec.UnsetType | None,
        msgspec.Meta(
            description="An extension. One ticket for all findings that have the same value of "
            f"each of these: {', '.join(GROUP_FIELDS)}, `tag:<key>` or `@<attribute>`, up to "
            f"{MAX_FIELDS}. An update that does not mention it keeps it; null: one ticket for "
            "each finding."
        ),
    ] = msgspec.UNSET
    reopens_closed: Annotated[
        bool | msgspec.UnsetType | None,
        msgspec.Meta(
            description="An extension. Of a group whose ticket is closed: open that again for "
            "another finding, instead of creating a ticket that follows it."
        ),
    ] = msgspec.UNSET

    def with_unsaid(self, before: CreateTicket | None) -> CreateTicket:
        """With the extensions that are not mentioned as they were before."""
        old_fields, old_reopens = (
            (before.group_by, before.reopens_closed) if before else (None, None)
        )
        fields = old_fields if self.group_by is msgspec.UNSET else self.group_by
        reopens = old_reopens if self.reopens_closed is msgspec.UNSET else self.reopens_closed
        return msgspec.structs.replace(
            self, group_by=fields or None, reopens_closed=(fields and reopens) or None
        )

    @property
    def grouping(self) -> tuple[str, ...]:
        """The fields that findings of one ticket share; none: one ticket for each finding."""
        return tuple(self.group_by or ())

    @property
    def is_jira(self) -> bool:
        return self.target == Target.JIRA
