"""All writes to findings. Each function is one transaction and costs a constant number of
statements, however many findings it is given; news goes out on commit."""

from __future__ import annotations

from findings.services.locks import lock, lock_workflows
from findings.services.mutes import remove_due_dates
from findings.services.pipeline import (
    CLAIMED,
    Claimed,
    TicketUpdate,
    claim_unevaluated,
    settle_evaluated,
    store_tickets,
)
from findings.services.reports import Recorded, record, reporter_of
from findings.services.triage import assign, change_status, end_mutes, mute, unmute

__all__ = (
    "CLAIMED",
    "Claimed",
    "Recorded",
    "TicketUpdate",
    "assign",
    "change_status",
    "claim_unevaluated",
    "end_mutes",
    "lock",
    "lock_workflows",
    "mute",
    "record",
    "remove_due_dates",
    "reporter_of",
    "settle_evaluated",
    "store_tickets",
    "unmute",
)
