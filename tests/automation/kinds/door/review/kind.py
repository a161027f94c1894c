"""A kind of rules as CONTRIBUTING tells to add one: it notes who is to review a finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from automation.kinds.action_form import ActionForm
from automation.kinds.base import EffectKind, Match
from automation.kinds.effect_preview import EffectPreview
from automation.kinds.review.action import AskReview
from findings.rule_effects.effects import changed, store
from findings.services import Claimed


class ReviewForm(ActionForm):
    by = forms.CharField(label="Reviewer")

    @classmethod
    def values_of(cls, action: AskReview) -> dict[str, Any]:
        return {"by": action.by, "description": action.description or ""}

    def action(self, was: AskReview | None) -> AskReview:
        return AskReview(by=self.cleaned_data["by"], description=self.described)


class ReviewPreview(EffectPreview):
    would = "open findings would be reviewed"
    acts = "would be reviewed"
    taken = "already reviewed by"

    def value(self, finding: Claimed) -> Any:
        return finding.facts.workflow.get("review")

    def unchanged(self, action: AskReview, finding: Claimed) -> str:
        return "are reviewed already"


class ReviewKind(EffectKind):
    name = "review"
    label = "Ask for a Review"
    slug = "ask_for_review"
    icon = "user"
    summary = "Say who looks at findings"
    effect_label = "Reviewer"
    done = "assigned"
    holder = "workflow__review__rule_id"
    resource_type = "review_rules"
    rule_type = "review"
    Action = AskReview
    Form = ReviewForm
    preview = ReviewPreview()

    def brief(self, action: AskReview) -> str:
        return action.by

    def has_effect(self, finding: Claimed) -> bool:
        return "review" in finding.facts.workflow

    def if_deleted(self, number: int) -> str:
        return f"{number} findings are reviewed by nobody."

    def store(self, matches: Sequence[Match], now: datetime) -> Sequence[Claimed]:
        after = [self.foresee(match, now) for match in matches]
        store(
            {
                finding.pk: {"workflow": finding.facts.workflow}
                for finding, match in zip(after, matches, strict=True)
                if finding is not match.finding
            }
        )
        return after

    def foresee(self, match: Match, now: datetime) -> Claimed:
        finding, rule = match
        workflow = {
            name: group for name, group in finding.facts.workflow.items() if name != "review"
        }
        if rule is not None:
            workflow["review"] = {"by": rule.action.by, "rule_id": rule.id}
        return (
            finding if workflow == finding.facts.workflow else changed(finding, workflow=workflow)
        )
