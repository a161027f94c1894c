"""The evaluation log: what the rules that create tickets decided each time, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q, QuerySet

from automation.kinds.registry import ORDER
from automation.models import Decision
from automation.rules.selectors import rule_names
from config.lib.keyset import Whole
from config.lib.log_pages import NewestFirst
from config.lib.ui_tags import MAX_COUNTED
from ticketing.models import Case

ROWS = 50
_LAST = ORDER[-1].name  # the kind that creates tickets
Outcome = Decision.Outcome

_TICKETED = (Outcome.TICKETED, Outcome.GROUPED)
_OF_A_RULE = (*_TICKETED, Outcome.ALREADY_TICKETED, Outcome.OVER_LIMIT, Outcome.ERROR)


class Result(NamedTuple):
    """What people call some outcomes."""

    label: str
    outcomes: Collection[Outcome]
    has_rule: bool | None = None  # None: either way
    tone: str = ""

    @property
    def condition(self) -> Q:
        found = Q(outcome__in=self.outcomes)
        return found if self.has_rule is None else found & Q(rule_id__isnull=not self.has_rule)

    def holds(self, outcome: str, *, has_rule: bool) -> bool:
        return outcome in self.outcomes and self.has_rule in (None, has_rule)


RESULTS: Mapping[str, Result] = {
    "muted": Result("Muted", [Outcome.MUTED]),
    "unmatched": Result("No rule matched", [Outcome.NO_MATCH, Outcome.NO_RULES]),
    "failed": Result("Evaluation failed", [Outcome.ERROR], has_rule=False, tone="bad"),
    "matched": Result("A rule matched", _OF_A_RULE, has_rule=True),
    "ticketed": Result("Ticketed", _TICKETED, tone="volt"),
    "already_ticketed": Result("Already ticketed", [Outcome.ALREADY_TICKETED]),
    "over_limit": Result("Over a daily limit", [Outcome.OVER_LIMIT], tone="warn"),
    "broken": Result("Rule broken", [Outcome.ERROR], has_rule=True, tone="bad"),
}
"""Each evaluation is one of the first four; of those that a rule matched, one of the last four."""


def evaluations(*, since: datetime | None = None, result: str = "") -> QuerySet[Decision]:
    """Raises KeyError for a result that there is not."""
    found = Decision.objects.filter(kind=_LAST)
    if since is not None:
        found = found.filter(created_at__gt=since)
    return found.filter(RESULTS[result].condition) if result else found


def count_results(found: QuerySet[Decision]) -> Mapping[str, int]:
    """How many are of each result, and under "" how many there are; one statement."""
    has_rule = Q(rule_id__isnull=False)
    rows = found.order_by().values("outcome", has_rule=has_rule).annotate(number=Count("pk"))
    counts: Counter[str] = Counter()
    for row in rows:
        said = {"outcome": row["outcome"], "has_rule": row["has_rule"]}
        counts.update({name: row["number"] for name, each in RESULTS.items() if each.holds(**said)})
        counts[""] += row["number"]
    return counts


# --- A page of the log ----------------------------------------------------------------

_BADGES = {
    Outcome.TICKETED: ("Ticketed", "ok"),
    Outcome.GROUPED: ("Added to a ticket", "ok"),
    Outcome.ALREADY_TICKETED: ("Already ticketed", ""),
    Outcome.OVER_LIMIT: ("Over a daily limit", "warn"),
    Outcome.MUTED: ("Muted", ""),
    Outcome.NO_MATCH: ("No rule matched", ""),
    Outcome.NO_RULES: ("No rule was enabled", ""),
}


@dataclass(frozen=True, slots=True)
class Entry:
    decision: Decision
    is_newest: bool  # of its finding's, which is the one that its page explains
    rule_name: str  # as it is now; empty: deleted, or no rule decided
    case_key: str

    @property
    def badge(self) -> tuple[str, str]:
        """(words, tone)"""
        outcome = Outcome(self.decision.outcome)
        if outcome is Outcome.ERROR:
            return RESULTS["broken" if self.decision.rule_id else "failed"].label, "bad"
        return _BADGES[outcome]


@dataclass(frozen=True, slots=True)
class LogPage:
    entries: Sequence[Entry]
    number: int  # of all that were found; MAX_COUNTED + 1 for any beyond
    older: str  # the place to go on from, or nothing


_SHOWN = (
    *("finding", "outcome", "rule_id", "case_id", "reason", "created_at"),
    *("finding__finding_id", "finding__title", "finding__resource_name"),
)
_NEWEST_FIRST = NewestFirst("created_at", Whole())


def page_of_log(found: QuerySet[Decision], *, before: str = "") -> LogPage:
    """Newest first, in five statements. Raises BadKeyset."""
    number = found.order_by()[: MAX_COUNTED + 1].count()
    with_findings = found.select_related("finding").only(*_SHOWN)
    shown, older = _NEWEST_FIRST.page(with_findings, before=before, size=ROWS)
    rules = rule_names({row.rule_id for row in shown if row.rule_id})
    cases = Case.objects.filter(pk__in={row.case_id for row in shown if row.case_id})
    keys = dict(cases.values_list("pk", "key"))
    newest = _newest_of({row.finding_id for row in shown if row.finding_id})
    entries = [
        Entry(
            decision=row,
            is_newest=row.pk in newest,
            rule_name=rules.get(row.rule_id, "") if row.rule_id else "",
            case_key=keys.get(row.case_id, "") if row.case_id else "",
        )
        for row in shown
    ]
    return LogPage(entries, number, older)


def _newest_of(findings: Set[int]) -> set[int]:
    decided = Decision.objects.filter(kind=_LAST, finding__in=findings).order_by()
    return set(decided.values("finding").annotate(last=Max("pk")).values_list("last", flat=True))
