"""Where among the rules of its kind a rule goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.http import QueryDict

from automation.kinds.base import RuleKind
from automation.models import Rule
from automation.rules.order import Placement
from automation.rules.services import current_version
from config.lib.elapsed import when_text

END = "end"
MAX_LABEL = 80
NEAR = 50  # rules above and below that are offered, and the first ones


class PositionPart(forms.Form):
    """A part of every rule editor. Rules have the numbers that the list shows."""

    kind: ClassVar[RuleKind]
    rule: Rule | None
    places: list[tuple[str, str]]

    position = forms.ChoiceField(
        label="Position",
        required=False,
        error_messages={"invalid_choice": "That rule is gone. Choose the position again."},
    )
    order = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the version seen

    def offer_places(self) -> None:
        """Fill in the choices: two statements. Any place is valid, those near by are offered."""
        field = cast(forms.ChoiceField, self.fields["position"])
        # The version before the rules: an order read too late must look outdated.
        self.initial["order"] = current_version(self.kind.name)
        rules = list(Rule.objects.filter(kind=self.kind.name).values_list("pk", "name"))
        own = self.rule.pk if self.rule else None
        unmoved, above = self._unmoved(rules, own), _above(rules, own)
        self.places = [*unmoved, *above]
        field.choices = self.places
        number = next((n for n, (pk, _) in enumerate(rules) if pk == own), len(rules))
        chosen = self.place_shown
        field.widget.choices = [  # of a thousand rules, those near by
            *unmoved,
            *(
                place
                for nth, place in enumerate(above)
                if nth < NEAR or abs(nth - number) <= NEAR or place[0] == chosen
            ),
        ]

    def _unmoved(self, rules: list[tuple[UUID, str]], own: UUID | None) -> list[tuple[str, str]]:
        number = next((n for n, (pk, _) in enumerate(rules, start=1) if pk == own), None)
        if number is None:
            return [("", f"At the end, as rule {len(rules) + 1}")]
        here = [("", f"Where it is, as rule {number}")]
        return here if number == len(rules) else [*here, (END, "At the end")]

    @property
    def placement(self) -> Placement | None:
        """Of a valid form; None for the place it has, or the end of a new rule."""
        chosen = self.cleaned_data.get("position") or ""
        if not chosen:
            return None
        above = None if chosen == END else UUID(chosen)
        return Placement(above, self.cleaned_data.get("order") or 0)

    @property
    def place_shown(self) -> str:
        """The place that a preview is for, as a choice's value."""
        return str(self["position"].value() or "")

    @property
    def chosen_place(self) -> str:
        """What saving does, in words; of what is not a choice nothing."""
        label = next((label for value, label in self.places if value == self.place_shown), "")
        return label[:1].lower() + label[1:].partition(":")[0]

    def show_order_conflict(self, *, by: str, at: datetime) -> None:
        """Say that the place is not what the person saw; the list shows the order of now."""
        self.add_error(
            "position", f"{by} changed the order {when_text(at)}. Choose the position again."
        )
        data = QueryDict(mutable=True)
        data.update(cast(Any, self.data))
        self.offer_places()
        data["order"] = str(self.initial["order"])
        self.data = data


def _above(rules: list[tuple[UUID, str]], own: UUID | None) -> list[tuple[str, str]]:
    """Right above each of the others, but for the one that comes after it already."""
    places = []
    for number, (pk, name) in enumerate(rules, start=1):
        is_next = number > 1 and rules[number - 2][0] == own
        if pk != own and not is_next:
            short = name if len(name) <= MAX_LABEL else f"{name[:MAX_LABEL]}…"
            places.append((str(pk), f"Above rule {number}: {short}"))
    return places
