"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from django.utils import timezone

from ticketing import account_probe, bulk, groups, outbox
from ticketing.delivery import deliver_due
from ticketing.following import follow_findings
from ticketing.outbox import lost
from ticketing.sync import sync_due


def follow() -> None:
    """Rung when findings change, and every minute for what a lost ring left behind."""
    follow_findings()


def refresh_groups() -> None:
    """Rung when findings join or leave a group's ticket, and every minute."""
    groups.refresh_due()


def deliver() -> None:
    if not deliver_due():
        outbox.ring()


def sync() -> None:
    sync_due()


def probe_accounts() -> None:
    account_probe.probe_due()


def free_expired() -> None:
    """What dead workers held; runs every minute."""
    lost.free_lost()


def forget_bulk_records() -> None:
    """What can be undone no longer; runs every minute."""
    bulk.forget_records(timezone.now())


def work_bulk_runs() -> None:
    """Rung when a run is asked for, and every minute for what a lost ring left behind."""
    if not bulk.work_due():
        bulk.ring()
