"""What tests of the outbox share: promises, a tracker in memory, and time that can be moved."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from tests.factories import DestinationFactory, opened_case
from ticketing.models import Case, ExternalIssue
from ticketing.outbox import Promise

RULE = "11111111-1111-1111-1111-111111111111"


def promised(number=1, *, destination=None, fields=None, **said):
    """`number` promises of a rule, in one project: the rows, oldest first."""
    place = destination or DestinationFactory()
    said = {"origin": Case.Origin.RULE, "rule_id": RULE, "rule_name": "Libraries"} | said
    cases = [
        opened_case(place.project, promise=Promise(fields or {}), **said) for _ in range(number)
    ]
    rows = [ExternalIssue.objects.get(case=case) for case in cases]
    return rows[0] if number == 1 else rows


def state_of(issue):
    issue.refresh_from_db()
    return issue.state


def due(issue, **changes):
    """As if the time for it had come."""
    ExternalIssue.objects.filter(pk=issue.pk).update(not_before=timezone.now(), **changes)


def sent_ago(issue, **age):
    """As if its create had left so long ago, and the next look-up were due."""
    posted_at = timezone.now() - timedelta(**age)
    due(issue, posted_at=posted_at, proof_from=posted_at + timedelta(minutes=2))


@contextmanager
def lost_worker(issue):
    """The lease of whoever works on it has run out."""
    yield
    ExternalIssue.objects.filter(pk=issue.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
