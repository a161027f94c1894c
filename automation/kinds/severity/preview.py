from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import Any

from automation.kinds.effect_preview import Change, Consequence, EffectPreview, Share
from automation.kinds.severity.action import Level, ModifySeverity, SetSeverity
from findings.facts import Severity
from findings.services import Claimed


class SeverityPreview(EffectPreview):
    would = "open findings would change"
    acts = "would change by one level"
    taken = "changed by"
    sample = "Sample of changes"

    def value(self, finding: Claimed) -> Any:
        return finding.facts.severity

    def kept(self, finding: Claimed) -> str:
        return "keep a severity set by a person" if finding.state.person_severity else ""

    def unchanged(self, action: ModifySeverity, finding: Claimed) -> str:
        if finding.facts.source_severity == Severity.UNKNOWN:
            return "have an unknown severity and keep it"
        if isinstance(action, SetSeverity) or finding.state.rule_severity:
            return "have that severity already"
        return "are at the end of the scale"

    def details(self, action: ModifySeverity, change: Change) -> Iterator[Hashable]:
        yield change.before.facts.severity, change.after.facts.severity

    def shares(
        self, action: ModifySeverity, number: int, details: Counter[Hashable]
    ) -> Iterator[Share]:
        text = self.acts
        if isinstance(action, SetSeverity):
            is_level = action.severity is not Level.INFO_NONE
            to = action.severity.value.capitalize() if is_level else "Info or None"
            text = f"would become {to}"
        yield Share("acts", number, text)

    def breakdown(
        self,
        action: ModifySeverity,
        details: Counter[Hashable],
        matches: Counter[str],
        now: datetime,
    ) -> Mapping[str, Any]:
        ranks = list(Severity)
        pairs = [(was, to) for was in ranks for to in ranks if (was.value, to.value) in details]
        return {"pairs": [(was, to, details[was.value, to.value]) for was, to in pairs]}

    def note(self, change: Change) -> tuple[str, str]:
        return f"was {change.before.facts.severity.capitalize()}", ""

    def follows(self, action: ModifySeverity, details: Counter[Hashable]) -> Iterator[Consequence]:
        yield Consequence("ticket", [(None, "No tickets: only new findings are ticketed")])
