"""What Create Ticket would do with findings to come: as `apply` decides, and nothing written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.kinds.base import Chunk, Planner
from automation.kinds.ticket_creation.destination_faults import destination_faults
from automation.kinds.ticket_creation.limits import used_slots
from findings.facts import Status, Ticket
from findings.grouping import key_of, label_of, values_of
from findings.imports.rule_counts import RuleCount, RuleCounts, most_severe_first
from findings.services import Claimed
from ticketing.groups import find_groups
from ticketing.models import MAX_FINDINGS_OF_GROUP, Project


@dataclass(slots=True)
class _OpenTicket:
    size: int

    @property
    def is_full(self) -> bool:
        return self.size >= MAX_FINDINGS_OF_GROUP


@dataclass(slots=True)
class _Rule:
    """A rule with what it has taken so far."""

    spec: RuleSpec
    count: RuleCount
    used: int
    open: dict[str, _OpenTicket | None] = field(default_factory=dict)  # of each key asked for
    packages: set[str] = field(default_factory=set)  # of what is over the limit
    loose: int = 0  # of that, what names no package

    @property
    def has_slot(self) -> bool:
        return self.used < int(self.spec.action.max_tickets_per_day)

    def key(self, finding: Claimed) -> str:
        """Of its group; "" if it stands alone."""
        found = key_of(self.spec.action.grouping, finding.facts)
        return found[0] if found else ""

    def take(self, finding: Claimed, key: str) -> None:
        count = self.count
        there = self.open.get(key) if key else None
        if there and not there.is_full:
            there.size += 1
            count.joined += 1
        elif self.has_slot:
            self.used += 1
            count.tickets += 1
            if key:
                self.open[key] = _OpenTicket(1)
        else:
            count.over_limit += 1
            package = values_of(("package",), finding.facts)
            self.packages.update(package or ())
            self.loose += package is None


class TicketPlanner(Planner):
    def __init__(self, active: Sequence[RuleSpec]) -> None:
        self._numbers = {spec.id: number for number, spec in enumerate(active, 1)}
        self._rules: dict[str, _Rule] = {}
        self._muted = 0
        self._unmatched: Counter[str] = Counter()

    @property
    def broken(self) -> Collection[str]:
        return {rule_id for rule_id, rule in self._rules.items() if rule.count.reason}

    def plan(self, chunk: Chunk) -> Sequence[Claimed]:
        """Some eight statements, however many rules and findings."""
        matched: dict[str, list[Claimed]] = defaultdict(list)
        rules: dict[str, RuleSpec] = {}
        for finding, rule in chunk.matches:
            if rule is not None:
                matched[rule.id].append(finding)
                rules[rule.id] = rule
            elif finding.facts.status == Status.MUTED:
                self._muted += 1
            else:
                self._unmatched[finding.facts.severity] += 1
        self._meet(
            [spec for spec in rules.values() if spec.id not in self._rules], chunk.now.date()
        )
        self._take(matched)
        return [match.finding for match in chunk.matches]

    def _meet(self, specs: Sequence[RuleSpec], day: date) -> None:
        """Rules that match for the first time."""
        if not specs:
            return
        used = used_slots([spec.id for spec in specs], day=day)
        faults = destination_faults(specs)
        for spec in specs:
            fault = faults.get(spec.id)
            count = RuleCount(
                rule_id=spec.id,
                rule_name=spec.name,
                number=self._numbers[spec.id],
                grouping=label_of(spec.action.grouping) or "finding",
                reason=fault.reason if fault else "",
            )
            self._rules[spec.id] = _Rule(spec, count, used.get(spec.id, 0))

    def _take(self, matched: dict[str, list[Claimed]]) -> None:
        wanted = [
            (
                self._rules[rule_id],
                [(finding, self._rules[rule_id].key(finding)) for finding in some],
            )
            for rule_id, some in matched.items()
        ]
        _look_up((rule, key) for rule, some in wanted for _, key in some if key)
        for rule, some in wanted:
            for finding, key in some:
                rule.count.findings += 1
                if Ticket(finding.facts.ticket).is_attached:
                    rule.count.already_ticketed += 1
                elif rule.count.reason:
                    rule.count.failed += 1
                else:
                    rule.take(finding, key)

    def write(self, counts: RuleCounts) -> None:
        projects = {rule.spec.action.project_id for rule in self._rules.values()}
        keys = dict(Project.objects.filter(pk__in=projects).values_list("pk", "key"))
        for rule in self._rules.values():
            rule.count.project = keys.get(rule.spec.action.project_id, "")
            rule.count.over_limit_packages = len(rule.packages) + rule.loose
        counts.rules = sorted((rule.count for rule in self._rules.values()), key=lambda c: c.number)
        counts.muted = self._muted
        counts.unmatched = self._unmatched.total()
        counts.unmatched_severities = most_severe_first(self._unmatched)


def _look_up(wanted: Iterable[tuple[_Rule, str]]) -> None:
    """What is open of groups that come for the first time."""
    unknown = [(rule, key) for rule, key in wanted if key not in rule.open]
    keys: dict[UUID, set[str]] = defaultdict(set)
    for rule, key in unknown:
        keys[UUID(rule.spec.id)].add(key)
    found = find_groups(keys)
    for rule, key in unknown:
        there = found.get((UUID(rule.spec.id), key))
        takes = there and there.takes(reopens=bool(rule.spec.action.reopens_closed))
        rule.open[key] = _OpenTicket(there.size) if there and takes else None
