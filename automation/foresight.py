"""What all rules would make of findings that are not there yet: a dry run of a report.

The rules in force and what is left of today's limits, chunk by chunk as in the pipeline, but
nothing is locked and nothing written: it is true for as long as nobody else comes.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from automation.kinds.base import Chunk, Match
from automation.kinds.registry import ORDER
from automation.pipeline import CHUNK, first_match
from automation.rules.active import all_active_rules
from findings.facts import Severity
from findings.imports.rule_counts import RuleCounts, most_severe_first
from findings.services import Claimed


class Foresight:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._rules = all_active_rules()
        self._planners = {kind.name: kind.planner(self._rules[kind.name].specs) for kind in ORDER}
        self._waiting: list[tuple[Claimed, bool]] = []
        self._evaluated = 0
        self._severities: Counter[str] = Counter()

    def add(self, finding: Claimed, *, is_new: bool) -> None:
        self._waiting.append((finding, is_new))
        if len(self._waiting) == CHUNK:
            self._decide()

    def finish(self) -> RuleCounts:
        self._decide()
        counts = RuleCounts(
            evaluated=self._evaluated, severities=most_severe_first(self._severities)
        )
        for planner in self._planners.values():
            planner.write(counts)
        return counts

    def _decide(self) -> None:
        """Those that wait, as one chunk."""
        findings = [finding for finding, _ in self._waiting]
        for kind in ORDER:
            active, planner = self._rules[kind.name], self._planners[kind.name]
            broken = planner.broken  # by the chunks before
            matches = [
                Match(each, first_match(kind, active, each, now=self._now, without=broken))
                for each in findings
            ]
            chunk = Chunk(matches, active.version, active.has_enabled, self._now)
            findings = list(planner.plan(chunk))
        self._evaluated += len(findings)
        for after, (_, is_new) in zip(findings, self._waiting, strict=True):
            self._severities[Severity(after.facts.severity).value] += is_new
        self._waiting = []
