"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from ticketing.following import follow_findings


def follow() -> None:
    follow_findings()


def sweep() -> None:
    """What a lost ring left behind; runs every minute."""
    follow_findings()
