"""What the audit log needs by the clock."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from config.accounts.audit.chain import link_waiting, prune
from config.accounts.audit.events import record_event


def keep_log() -> None:
    """Link what a process that died left unlinked, and delete what is older than agreed."""
    link_waiting()
    if gone := prune(timezone.now()):
        days = settings.AUDIT_RETENTION_DAYS
        record_event("audit", "pruned", count=gone, details={"older_than_days": days})
