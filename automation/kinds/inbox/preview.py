from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import Any

from automation.kinds.effect_preview import Change, Consequence, EffectPreview, in_ranks
from automation.kinds.inbox.action import AddToInbox
from findings.facts import Severity
from findings.services import Claimed

_KEPT = {"added": "added by a person", "removed": "removed by a person, stay out"}


class InboxPreview(EffectPreview):
    would = "open findings would enter the inbox"
    acts = "would enter the inbox"
    taken = "already added by"

    def value(self, finding: Claimed) -> Any:
        return finding.state.is_in_inbox

    def kept(self, finding: Claimed) -> str:
        return _KEPT.get(finding.state.inbox_choice, "")

    def unchanged(self, action: AddToInbox, finding: Claimed) -> str:
        return "in the inbox already"

    def breakdown(
        self,
        action: AddToInbox,
        details: Counter[Hashable],
        matches: Counter[str],
        now: datetime,
    ) -> Mapping[str, Any]:
        ranks = in_ranks(details, list(Severity))
        return {"severities": [(severity, details[severity]) for severity in ranks]}

    def changes(self, change: Change) -> Iterator[Hashable]:
        was, is_now = self.value(change.before), self.value(change.after)
        if was is not is_now:
            yield is_now

    def consequences(self, changes: Counter[Hashable]) -> Iterator[Consequence]:
        for is_in, verb in ((True, "enter"), (False, "leave")):
            if number := changes[is_in]:
                yield Consequence("inbox", [(number, f"{verb} the Security Inbox")])
