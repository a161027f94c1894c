from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from automation.engine.rules import RuleSpec
from automation.kinds.base import EffectKind, Match, Note, Problem, actor_of
from automation.kinds.mute.action import MuteFinding
from automation.kinds.mute.form import MuteForm
from automation.kinds.mute.preview import MutePreview
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from findings.rule_effects import MuteSpec, mute, mute_effects, unmute, unmute_effects
from findings.services import Claimed

_UNMUTED, _LIFTED = "@workflow.mute.unmuted_rule_id", "@workflow.mute.is_lifted"
EXPIRED = "Invalid expiration date. Please provide an expiration date in the future"


class MuteKind(EffectKind):
    name = "mute"
    label = "Mute"
    slug = "mute"
    icon = "bell-off"
    summary = "Keep findings that need no work out of the way"
    effect_label = "Muted as"
    done = "muted"
    holder = "mute_rule_id"
    passed_over = "Expired"
    resource_type = "mute_rules"
    rule_type = "mute"
    Action = MuteFinding
    moments = ("expire_at",)
    Form = MuteForm
    preview = MutePreview()

    def problems_now(
        self, action: MuteFinding, *, before: MuteFinding | None, now: datetime
    ) -> Sequence[Problem]:
        """A rule that has expired may still be renamed or switched off."""
        is_same = before is not None and before.expire_at == action.expire_at
        if is_same or action.expires is None or action.expires > now:
            return ()
        return [Problem("expire_at", EXPIRED)]

    def accepts(self, rule: RuleSpec, finding: Claimed, now: datetime) -> bool:
        return not self.has_ended(rule.action, now)

    def has_ended(self, action: MuteFinding, now: datetime) -> bool:
        return action.expires is not None and action.expires <= now

    def brief(self, action: MuteFinding) -> str:
        until = f" until {action.expires:%Y-%m-%d}" if action.expires else ""
        return f"{action.reason.label}{until}"

    def notes(self, rules: Sequence[RuleSpec], now: datetime) -> Mapping[UUID, Note]:
        specs = {UUID(rule.id): rule for rule in rules}
        unmuted = Finding.objects.order_by().filter(unmuted_rule_id__in=specs)
        lifted = Count("pk", filter=Q(is_mute_lifted=True, status__in=OPEN_STATUSES))
        left = Count("pk", filter=Q(is_mute_lifted=False))
        counts = unmuted.values_list("unmuted_rule_id").annotate(lifted=lifted, left=left)
        notes = {
            pk: _expired(specs[pk], left)
            if self.has_ended(specs[pk].action, now)
            else _lifted(specs[pk], lifted)
            for pk, lifted, left in counts
        }
        return {pk: note for pk, note in notes.items() if note}

    def if_deleted(self, number: int) -> str:
        are = "1 finding is" if number == 1 else f"{number:,} findings are"
        get = "It gets" if number == 1 else "They get"
        return f"{are} unmuted, unless another mute rule matches. {get} no ticket."

    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        muted = mute(
            [(finding, _spec(rule), actor_of(rule)) for finding, rule in matches if rule], now=now
        )
        opened = unmute([finding for finding, rule in matches if rule is None], now=now)
        one, other = iter(muted), iter(opened)
        return [next(one) if rule else next(other) for _, rule in matches]

    def foresee(self, match: Match, now: datetime) -> Claimed:
        finding, rule = match
        if rule is None:
            return unmute_effects([finding]).after()[0]
        return mute_effects([(finding, _spec(rule), actor_of(rule))], now=now).after()[0]


def _lifted(rule: RuleSpec, number: int) -> Note | None:
    stay = "stays" if number == 1 else "stay"
    text = f"{number:,} unmuted by a person {stay} open."
    is_open = [("status", status) for status in OPEN_STATUSES]
    return Note(text, [("q", f"{_UNMUTED}:{rule.id} {_LIFTED}:true"), *is_open]) if number else None


def _expired(rule: RuleSpec, number: int) -> Note | None:
    were = "finding was" if number == 1 else "findings were"
    text = f"Expired: {number:,} {were} unmuted."
    search = [("q", f"{_UNMUTED}:{rule.id} {_LIFTED}:false")]
    return Note(text, search, is_warning=True) if number else None


def _spec(rule: RuleSpec) -> MuteSpec:
    action: MuteFinding = rule.action
    return MuteSpec(action.reason.value, action.reason_description or "", action.expires)
