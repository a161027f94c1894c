"""Entry points of the queue. Imported by nobody; safe to run at any time, any number of times."""

from __future__ import annotations

from config.accounts.audit.retention import keep_log
from config.accounts.idempotency import forget_old_answers
from config.accounts.session_store import SessionStore


def forget_answers() -> None:
    """Those that were kept for a day; runs every minute."""
    forget_old_answers()


def keep_audit_log() -> None:
    """Link what is late and delete what is older than agreed; runs every minute."""
    keep_log()


def clear_sessions() -> None:
    """Those that are over; runs every minute."""
    SessionStore.clear_expired()
