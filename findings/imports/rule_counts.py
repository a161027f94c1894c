"""What rules make of the findings that a report brings, in numbers: foreseen in a dry run, and
counted afterwards.

Rules are known above. Whoever knows them gives `foresee_with` what foresees; without, no rule
matches anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from findings.facts import Severity
from findings.services import Claimed


@dataclass(kw_only=True)
class RuleCount:
    """One ticket rule: `findings` = those of new tickets + `joined` + `over_limit` + `failed` +
    `already_ticketed`."""

    rule_id: str
    rule_name: str
    number: int  # its place in the list, from 1; 0: it is there no more
    project: str = ""  # the key; "" if it is gone
    grouping: str = "finding"  # one ticket per …
    findings: int = 0
    tickets: int = 0  # new ones
    joined: int = 0  # findings on the ticket of their group, all but the first of a new one
    over_limit: int = 0
    over_limit_packages: int = 0  # tickets that those would have needed with one per package
    failed: int = 0  # whose ticket cannot be created
    already_ticketed: int = 0
    reason: str = ""  # of those that failed


@dataclass(kw_only=True)
class RuleCounts:
    """`evaluated` = all of the rules' `findings` + `muted` + `unmatched`."""

    evaluated: int = 0  # new, or open again without a ticket
    muted: int = 0
    unmatched: int = 0
    rules: list[RuleCount] = field(default_factory=list)  # in their order
    severities: dict[str, int] = field(default_factory=dict)  # of the new ones
    unmatched_severities: dict[str, int] = field(default_factory=dict)

    @property
    def tickets(self) -> int:
        return sum(rule.tickets for rule in self.rules)


def most_severe_first(counts: Counter[str]) -> dict[str, int]:
    return {each.value: counts[each] for each in Severity if counts[each]}


class Foresight(Protocol):
    def add(self, finding: Claimed, *, is_new: bool) -> None:
        """The next one to be evaluated, in the order in which the pipeline would."""

    def finish(self) -> RuleCounts: ...


class _NoRules:
    def __init__(self, _now: datetime) -> None:
        self._counts = RuleCounts()
        self._severities: Counter[str] = Counter()
        self._unmatched: Counter[str] = Counter()

    def add(self, finding: Claimed, *, is_new: bool) -> None:
        self._counts.evaluated += 1
        self._counts.unmatched += 1
        self._unmatched[finding.facts.severity] += 1
        self._severities[finding.facts.severity] += is_new

    def finish(self) -> RuleCounts:
        self._counts.severities = most_severe_first(self._severities)
        self._counts.unmatched_severities = most_severe_first(self._unmatched)
        return self._counts


_registered: list[Callable[[datetime], Foresight]] = [_NoRules]


def foresee_with(make: Callable[[datetime], Foresight]) -> None:
    _registered[:] = [make]


def foresight(now: datetime) -> Foresight:
    (make,) = _registered
    return make(now)
