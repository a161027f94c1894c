"""Entry points of the queue. Imported by nobody; safe to run at any time, any number of times."""

from __future__ import annotations

from config.accounts.idempotency import forget_old_answers


def sweep() -> None:
    """What was kept for a day; runs every minute."""
    forget_old_answers()
