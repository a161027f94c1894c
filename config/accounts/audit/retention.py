"""What the audit log needs by the clock."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from config.accounts.audit.chain import prune_some
from config.accounts.audit.events import record_event
from config.lib.retention import Dealt


def prune(cutoff: datetime, _: object) -> Dealt:
    """They go from the end of the chain, so that nothing has to be remembered."""
    number = prune_some(cutoff)
    return Dealt(number, number)


def record_pruning(number: int) -> None:
    """The log says that its oldest rows were deleted: once a night."""
    days = settings.AUDIT_RETENTION_DAYS
    record_event("audit", "pruned", count=number, details={"older_than_days": days})
