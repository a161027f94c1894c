"""What a mute rule says. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from automation.kinds.description import Description

LATEST = 253_402_300_799_999  # the last millisecond of the year 9999


class Reason(StrEnum):
    DUPLICATE = "duplicate"
    FALSE_POSITIVE = "false_positive"
    NO_FIX = "no_fix"
    OTHER = "other"
    PENDING_FIX = "pending_fix"
    RISK_ACCEPTED = "risk_accepted"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


class MuteFinding(msgspec.Struct, frozen=True, kw_only=True):
    reason: Reason
    reason_description: Description | None = None
    expire_at: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0,
                le=LATEST,
                description="When the rule expires, in epoch milliseconds.",
                extra_json_schema={"format": "int64"},
            ),
        ]
        | None
    ) = None

    @property
    def expires(self) -> datetime | None:
        """When the rule stops, and what it muted opens again; None: never."""
        return (
            None if self.expire_at is None else datetime.fromtimestamp(self.expire_at / 1000, UTC)
        )
