"""What the queue asks the database when there is nothing to do, or one thing."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from config.runtime import lost_clusters
from ticketing.models import ExternalIssue
from ticketing.outbox import claims, lost, waiting
from ticketing.outbox.newest_numbers import known_number


def questions(issue: ExternalIssue) -> dict[str, Callable[[], object]]:
    """By name; of the account of `issue`."""
    account_id = issue.account_id
    return {
        "is_anything_due": lambda: waiting.is_anything_due(timezone.now()),
        "due_accounts": lambda: waiting.due_accounts(timezone.now()),
        "is_workable": lambda: waiting.is_workable(account_id),
        "due_count": lambda: waiting.due_count(account_id, limit=8),
        "claim": lambda: claims.claim(account_id),
        "claim_looks": lambda: claims.claim_looks(account_id),
        "claim_late_looks": lambda: claims.claim_late_looks(account_id),
        "known_number": lambda: known_number(issue),
        "free_lost": lost.free_lost,
        "hold_claims": lambda: lost_clusters.hold_claims(timezone.now()),
    }
