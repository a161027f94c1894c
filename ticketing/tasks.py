"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from django.utils import timezone

from ticketing import bulk, outbox, webhooks
from ticketing.delivery import deliver_due
from ticketing.following import follow_findings
from ticketing.outbox.claims import free_expired
from ticketing.sync import sync_due


def follow() -> None:
    follow_findings()


def deliver() -> None:
    if not deliver_due():
        outbox.ring()


def sync() -> None:
    sync_due()


def sweep() -> None:
    """What a lost ring left behind; runs every minute."""
    follow_findings()
    free_expired()
    webhooks.forget_old_events()
    bulk.forget_old(timezone.now())


def work_bulk_runs() -> None:
    """Rung when a run is asked for, and every minute for what a lost ring left behind."""
    if not bulk.work_due():
        bulk.ring()
