"""Forms of the list of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from automation.forms.criteria import RuleCriteria
from automation.kinds.registry import KINDS
from automation.rules.effect_rows import EffectRow
from automation.rules.selectors import RuleRow

Row = RuleRow | EffectRow


class OrderForm(forms.Form):
    """The order of some rules that stand one after the other, `start` above them, or the
    position of the one that was moved; and the version that the person saw."""

    kind = forms.ChoiceField(choices=[(name, kind.label) for name, kind in KINDS.items()])
    ids = forms.CharField(required=False)
    start = forms.IntegerField(min_value=0, required=False)  # None: `ids` are all of them
    version = forms.IntegerField(min_value=0)
    moved = forms.UUIDField(required=False)
    position = forms.IntegerField(min_value=1, required=False)
    to = forms.RegexField(r"^[0-9a-f-]{36} \d{1,6}$", required=False)  # both, of a button
    undone = forms.BooleanField(required=False)

    def clean_ids(self) -> list[UUID]:
        try:
            return [UUID(each) for each in self.cleaned_data["ids"].split(",") if each]
        except ValueError as error:
            raise forms.ValidationError("A rule's id is malformed.") from error

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if to := said.get("to"):
            moved, _, position = to.partition(" ")
            try:
                said |= {"moved": UUID(moved), "position": max(int(position), 1)}
            except ValueError as error:
                raise forms.ValidationError("The rule's id is malformed.") from error
        if not said.get("ids") and not (said.get("moved") and said.get("position")):
            raise forms.ValidationError("Say which order.")
        return said


class RowForm(forms.Form):
    """What a button of a row does, with the position of its rule in the version that is shown."""

    version = forms.IntegerField(min_value=0)
    up = forms.IntegerField(min_value=1, required=False)
    down = forms.IntegerField(min_value=1, required=False)
    on = forms.IntegerField(min_value=1, required=False)
    off = forms.IntegerField(min_value=1, required=False)

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        pressed = [name for name in ("up", "down", "on", "off") if said.get(name)]
        if len(pressed) != 1:
            raise forms.ValidationError("Say what to do with which rule.")
        return said | {"does": pressed[0], "position": said[pressed[0]]}


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
        if not self.words:
            return True
        if self.words == f"#{row.number}":
            return True
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
