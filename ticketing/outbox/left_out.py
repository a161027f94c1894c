"""What of a ticket is not in its issue: written on the try that sends it, before it leaves.

So it is known however the answer comes, or whoever finds the issue later.
"""

from __future__ import annotations

from collections.abc import Sequence

from ticketing.models import Attempt, ExternalIssue
from ticketing.states import State
from ticketing.trackers.base import LeftOut


def note_left_out(issue: ExternalIssue, left_out: Sequence[LeftOut]) -> None:
    parts = ", ".join(f"{each.name} ({each.why})" for each in left_out)
    issue.tries.filter(pk__in=[issue.attempt]).update(left_out=f"Left out: {parts}.")


def left_out_of(issue: ExternalIssue | None) -> str:
    """A sentence for a person, of the issue that is there; usually nothing."""
    if issue is None or issue.state != State.CREATED:
        return ""
    creates = issue.tries.filter(operation=Attempt.Operation.CREATE)
    newest = creates.filter(outcome__in=Attempt.MAY_HAVE_CREATED).first()
    return newest.left_out if newest else ""
