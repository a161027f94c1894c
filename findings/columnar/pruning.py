"""Changes that go: whoever keeps a copy has read them long ago, or begins anew."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from findings.models import ChangeLog, FindingChange

KEPT = timedelta(hours=1)


def prune() -> None:
    """Forget old changes, and say up to where: who has not read them by then notices.

    On PostgreSQL only those of transactions before all that run, so that nobody who does read
    comes too late because somebody else writes for an hour.
    """
    old = FindingChange.objects.filter(at__lt=timezone.now() - KEPT)
    position = "id"
    if connection.vendor == "postgresql":
        position = "xid"
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            old = old.filter(xid__lt=cursor.fetchone()[0])
    with transaction.atomic():
        last = old.aggregate(last=Max(position))["last"]
        if last is not None:
            ChangeLog.objects.filter(floor__lt=last).update(floor=last)
            # Those of before, too, that a clock gave a time to come.
            FindingChange.objects.filter(**{f"{position}__lte": last}).delete()
