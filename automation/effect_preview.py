"""What a rule that acts on findings themselves would change: open ones through the real engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from time import monotonic
from typing import Any

from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.kinds.base import EffectKind, Match
from automation.kinds.effect_preview import Change, Consequence, Share
from automation.kinds.registry import ORDER
from automation.pipeline import first_match
from automation.preview_findings import MAX_FINDINGS
from automation.rules.active import ActiveRules, all_active_rules
from config.lib.statement_timeout import SECONDS, statement_timeout
from findings.query.parse import parse_rule_query
from findings.query.sql import condition
from findings.rule_effects import evaluated_findings
from findings.services import CLAIMED, Claimed

SAMPLE = 4


@dataclass(slots=True)
class EffectPreview:
    """What became of the findings that match, each counted once."""

    kind: EffectKind
    spec: RuleSpec
    now: datetime
    acts: int = 0
    taken: Counter[int] = field(default_factory=Counter)  # number of an earlier rule (from 1)
    kept: Counter[str] = field(default_factory=Counter)  # by a person, in words after a number
    unchanged: Counter[str] = field(default_factory=Counter)  # for other reasons, likewise
    skipped: int = 0  # no rule of the kind is asked about them
    matches: Counter[str] = field(default_factory=Counter)  # the rule's own, by severity
    details: Counter[Hashable] = field(default_factory=Counter)
    later: dict[EffectKind, Counter[Hashable]] = field(default_factory=dict)
    sample: list[Change] = field(default_factory=list)
    is_cut: bool = False  # there was more to look at

    @property
    def matched(self) -> int:
        others = self.taken.total() + self.kept.total() + self.unchanged.total()
        return self.acts + others

    @property
    def number(self) -> int:
        return self.kind.preview.number(self.acts, self.details)

    def acting(self) -> list[Share]:
        return [*self.kind.preview.shares(self.spec.action, self.acts, self.details)]

    def left_alone(self) -> list[Share]:
        kept = [Share("kept", number, text) for text, number in self.kept.items()]
        return kept + [Share("same", number, text) for text, number in self.unchanged.items()]

    def consequences(self) -> list[Consequence]:
        found = [
            consequence
            for kind, changes in self.later.items()
            for consequence in kind.preview.consequences(changes)
        ]
        found += self.kind.preview.follows(self.spec.action, self.details) if self.acts else ()
        skipped = self.kind.preview.skipped(self.skipped) if self.skipped else None
        return [*found, skipped] if skipped else found

    def breakdown(self) -> Mapping[str, Any]:
        return self.kind.preview.breakdown(self.spec.action, self.details, self.matches, self.now)

    def notes(self) -> list[tuple[Claimed, str, str]]:
        """The sample as it would be, with the words beside each and their tone."""
        return [(each.after, *self.kind.preview.note(each)) for each in self.sample]


def preview_effect(
    kind: EffectKind, spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime | None = None
) -> EffectPreview:
    """Run `spec`, placed after the rules `before`, over the findings that a re-check looks at.

    Raises QueryTimeout if the database takes too long. The engine stops after SECONDS, with what
    it has seen.
    """
    found = EffectPreview(kind, spec, now or timezone.now())
    with statement_timeout(2 * SECONDS):
        _look(found, before)
    return found


def _look(found: EffectPreview, before: Sequence[RuleSpec]) -> None:
    ends = monotonic() + SECONDS
    others = all_active_rules()
    specs = [*before, found.spec]
    active = ActiveRules(0, specs, compile_rules(specs), has_enabled=True)
    newest_first = (
        evaluated_findings()
        .filter(
            condition(parse_rule_query(found.spec.query).root),
            finding_type__in=found.spec.finding_types,
        )
        .order_by("-pk")
        .values_list(*CLAIMED)
    )
    number = 0
    for row in islice(newest_first.iterator(chunk_size=2_000), MAX_FINDINGS):
        number += 1
        _count(found, active, Claimed.read(row), others)
        if monotonic() > ends:
            found.is_cut = True
            return
    found.is_cut = number == MAX_FINDINGS


def _count(
    found: EffectPreview, active: ActiveRules, finding: Claimed, others: Mapping[str, ActiveRules]
) -> None:
    kind, words, action = found.kind, found.kind.preview, found.spec.action
    if kind.skips(finding):
        found.skipped += 1
        return
    rule = first_match(kind, active, finding, now=found.now)
    if rule is not None and rule is not found.spec:
        found.taken[active.specs.index(rule) + 1] += 1
        return
    found.matches[finding.facts.severity] += 1
    after = kind.foresee(Match(finding, rule), found.now) if rule else finding
    if kept := words.kept(finding) if rule else "":
        found.kept[kept] += 1
    elif words.value(after) == words.value(finding):
        found.unchanged[words.unchanged(action, after)] += 1
    else:
        change = Change(finding, after, found.now)
        found.acts += 1
        found.details.update(words.details(action, change))
        if len(found.sample) < SAMPLE:
            found.sample.append(change)
        _follow(found, change, others)


def _follow(found: EffectPreview, change: Change, others: Mapping[str, ActiveRules]) -> None:
    """What rules of later kinds make of the finding as it would be."""
    now, after = found.now, change.after
    for kind in ORDER[ORDER.index(found.kind) + 1 :]:
        if not isinstance(kind, EffectKind):
            continue
        active = others[kind.name]
        if active.has_enabled or kind.has_effect(after):
            after = kind.foresee(Match(after, first_match(kind, active, after, now=now)), now)
        changes = kind.preview.changes(Change(change.before, after, now))
        found.later.setdefault(kind, Counter()).update(changes)
