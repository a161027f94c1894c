"""`manage.py` with shorter waits: python -m tests.flows.hasty HASTE COMMAND …

Every wait of the outbox is HASTE times as short, and so is the time-out of a read. Nothing
else differs: 1 is the product as it is.
"""

from __future__ import annotations

import sys

import django


def hurry(haste: float) -> None:
    """After `django.setup()`; for every process that is forked from this one, too."""
    from ticketing.outbox import timing
    from ticketing.trackers.jira import client

    timing.TIMING = timing.Timing().scaled(1 / haste)
    client.READ_TIMEOUT = max(1, client.READ_TIMEOUT / haste)


if __name__ == "__main__":
    django.setup()
    hurry(float(sys.argv[1]))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[2:]])
