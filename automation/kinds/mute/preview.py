from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import Any

from automation.kinds.effect_preview import Change, Consequence, EffectPreview, in_ranks
from automation.kinds.mute.action import MuteFinding
from findings.facts import Severity, Status, Ticket
from findings.services import Claimed

_TICKETED = "ticketed"
_CLOSED = "closed"


class MutePreview(EffectPreview):
    would = "open findings would be muted"
    acts = "would be muted"
    taken = "already muted by"

    def value(self, finding: Claimed) -> Any:
        return finding.facts.status == Status.MUTED

    def kept(self, finding: Claimed) -> str:
        if finding.state.is_mute_lifted:
            return "unmuted by a person, stay open"
        by_person = finding.facts.status == Status.MUTED and not finding.state.mute_rule_id
        return "already muted by a person" if by_person else ""

    def unchanged(self, action: MuteFinding, finding: Claimed) -> str:
        is_muted = finding.facts.status == Status.MUTED
        return "muted already" if is_muted else "stay open: the rule has expired"

    def details(self, action: MuteFinding, change: Change) -> Iterator[Hashable]:
        yield change.before.facts.severity
        if _has_open_ticket(change.before):
            yield _TICKETED

    def breakdown(
        self,
        action: MuteFinding,
        details: Counter[Hashable],
        matches: Counter[str],
        now: datetime,
    ) -> Mapping[str, Any]:
        ranks = in_ranks(details, list(Severity))
        return {
            "ticketed": details[_TICKETED],
            "severities": [(severity, details[severity]) for severity in ranks],
        }

    def note(self, change: Change) -> tuple[str, str]:
        facts = change.before.facts
        return (facts.ticket_key if Ticket(facts.ticket).is_attached else "No ticket"), ""

    def changes(self, change: Change) -> Iterator[Hashable]:
        was, is_now = self.value(change.before), self.value(change.after)
        if was is not is_now:
            yield is_now

    def consequences(self, changes: Counter[Hashable]) -> Iterator[Consequence]:
        for is_muted, words in ((True, "are muted"), (False, "are unmuted")):
            if number := changes[is_muted]:
                yield Consequence("bell-off", [(number, words)])

    def follows(self, action: MuteFinding, details: Counter[Hashable]) -> Iterator[Consequence]:
        if number := details[_TICKETED]:
            words = "cases and tickets follow, as for any muted finding"
            yield Consequence("ticket", [(number, words)])
        ends = "disabled, deleted or expires" if action.expires else "disabled or deleted"
        yield Consequence("undo-2", [(None, f"All of it goes back when the rule is {ends}")])

    def after_save(self, number: int) -> str:
        return f"Mutes {number:,} open finding{'' if number == 1 else 's'} after you save"


def _has_open_ticket(finding: Claimed) -> bool:
    facts = finding.facts
    return Ticket(facts.ticket).is_attached and facts.ticket_status != _CLOSED
