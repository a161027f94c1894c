"""What the rules decided in the last 24 hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from automation.models import Decision
from config.site.overview.rules import TICKETS

Outcome = Decision.Outcome


@dataclass(frozen=True, slots=True)
class Pipeline:
    outcomes: Mapping[str, int]

    @property
    def evaluations(self) -> int:
        """A finding that changed and was evaluated again counts each time."""
        return sum(self.outcomes.values())

    @property
    def steps(self) -> list[tuple[str, int, str]]:
        """(what, evaluations, tone), in the order of the pipeline."""
        count = Counter(self.outcomes)
        unmatched = count[Outcome.NO_MATCH] + count[Outcome.NO_RULES]
        return [
            ("Evaluations", self.evaluations, ""),
            ("Muted", count[Outcome.MUTED], ""),
            ("No rule matched", unmatched, ""),
            ("A rule matched", self.evaluations - unmatched - count[Outcome.MUTED], ""),
            ("Ticketed", count[Outcome.TICKETED] + count[Outcome.GROUPED], "volt"),
            ("Over a daily limit", count[Outcome.OVER_LIMIT], "warn"),
            ("Rule broken", count[Outcome.ERROR], "bad"),
        ]


def pipeline() -> Pipeline:
    rows = Decision.objects.filter(
        kind=TICKETS, created_at__gt=timezone.now() - timedelta(hours=24)
    )
    counted = rows.order_by().values("outcome").annotate(number=Count("pk"))
    return Pipeline({row["outcome"]: row["number"] for row in counted})
