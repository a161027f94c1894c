"""Forms of the list of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django import forms

from automation.forms.criteria import RuleCriteria
from automation.kinds.registry import KINDS
from automation.rules.effect_rows import EffectRow
from automation.rules.selectors import RuleRow

Row = RuleRow | EffectRow


class OrderForm(forms.Form):
    """The whole order, and the version of it that the person saw."""

    kind = forms.ChoiceField(choices=[(name, kind.label) for name, kind in KINDS.items()])
    ids = forms.CharField()
    version = forms.IntegerField(min_value=0)
    moved = forms.UUIDField(required=False)

    def clean_ids(self) -> list[UUID]:
        try:
            return [UUID(each) for each in self.cleaned_data["ids"].split(",")]
        except ValueError as error:
            raise forms.ValidationError("A rule's id is malformed.") from error


class MoveForm(forms.Form):
    """To which position, counted from 1; beyond the ends is the end."""

    position = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), "Enter a position from 1."
        ),
    )
    version = forms.IntegerField(min_value=0)


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules of the list are shown: those in a state, with every word of a search."""

    words: str
    state: str

    @property
    def is_on(self) -> bool:
        return bool(self.words or self.state)

    def choices(self, rows: Sequence[Row]) -> list[tuple[str, str, str, int]]:
        """The states with the colour of their dot and how many rules this search shows in each."""
        found = [row for row in rows if self._finds(row)]
        return [
            (state, label, dot, sum(row.state in states for row in found))
            for state, (label, dot, states) in STATES.items()
        ]

    def chosen(self, rows: Sequence[Row]) -> list[Row]:
        _, _, states = STATES.get(self.state, STATES[""])
        return [row for row in rows if row.state in states and self._finds(row)]

    def _finds(self, row: Row) -> bool:
        query = row.rule.query or ""
        criteria = RuleCriteria.of(row.rule.finding_types, query)
        parts = [row.rule.name, query, *(choice.label for choice in criteria.types)]
        parts += [str(thing) for thing in (row.project, row.assignee) if thing]
        text = " ".join(parts).lower()
        return all(word in text for word in self.words.lower().split())


STATES = {
    "": ("All", "", ("enabled", "limit_reached", "disabled", "broken", "expired")),
    "enabled": ("Enabled", "", ("enabled", "limit_reached")),
    "disabled": ("Disabled", "", ("disabled",)),
    "broken": ("Broken", "bad", ("broken",)),
    "limit_reached": ("Limit reached", "warn", ("limit_reached",)),
    "expired": ("Expired", "warn", ("expired",)),
}
