from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from automation.kinds.base import EffectKind, Match
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.inbox.defaults import DEFAULTS
from automation.kinds.inbox.form import InboxForm
from automation.kinds.inbox.preview import InboxPreview
from findings.rule_effects import inbox_effects, set_inbox
from findings.rule_state import RuleActor
from findings.services import Claimed


class InboxKind(EffectKind):
    name = "inbox"
    label = "Add to Inbox"
    slug = "add_to_inbox"
    icon = "inbox"
    summary = "Collect findings that need a person"
    effect_label = "Why it needs a person"
    done = "added"
    holder = "inbox_rule_id"
    resource_type = "inbox_rules"
    rule_type = "security_inbox"
    Action = AddToInbox
    Form = InboxForm
    preview = InboxPreview()
    defaults = DEFAULTS

    def brief(self, action: AddToInbox) -> str:
        return action.description or "—"

    def if_deleted(self, number: int) -> str:
        leave = "1 finding leaves" if number == 1 else f"{number:,} findings leave"
        return f"{leave} the inbox, unless another rule matches."

    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        return set_inbox([_change(match) for match in matches], now=now)

    def foresee(self, match: Match, now: datetime) -> Claimed:
        return inbox_effects([_change(match)], now=now).after()[0]


def _change(match: Match) -> tuple[Claimed, bool, RuleActor | None]:
    return match.finding, match.rule is not None, match.actor
