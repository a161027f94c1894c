"""Entry points of the queue. Imported by nobody; safe to run at any time, any number of times."""

from __future__ import annotations

from django.utils import timezone

from config.accounts.audit.chain import link_waiting
from config.accounts.idempotency import forget_old_answers
from config.accounts.session_store import SessionStore
from config.accounts.undo.acts import forget_old


def forget_answers() -> None:
    """Those that were kept for a day; runs every minute."""
    forget_old_answers()


def forget_acts() -> None:
    """What can be undone no longer; runs every minute."""
    forget_old(timezone.now())


def keep_audit_log() -> None:
    """Link what a process that died left unlinked; runs every minute."""
    link_waiting()


def clear_sessions() -> None:
    """Those that are over; runs every minute."""
    SessionStore.clear_expired()
