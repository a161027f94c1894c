"""The part of a rule editor that a kind brings: what its rules do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from automation.kinds.description import MAX_DESCRIPTION


def description_field(placeholder: str = "") -> forms.CharField:
    return forms.CharField(
        label="Description",
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3, "class": "ta", "placeholder": placeholder}),
    )


class ActionForm(forms.Form):
    """The fields of an action. The editor mixes them with the name and the criteria."""

    controls: ClassVar[Mapping[str, str]] = {}
    """Names in the action → the fields that stand for them, where they are called otherwise."""

    description = description_field()

    @classmethod
    @abstractmethod
    def values_of(cls, action: Any) -> dict[str, Any]:
        """What an action says, as the values of the fields."""

    @abstractmethod
    def action(self, was: Any | None) -> Any:
        """What valid fields say. `was` is the action of the rule that is being edited."""

    @property
    def described(self) -> str | None:
        """As it was typed; None for nothing."""
        text: str = self.cleaned_data["description"].replace("\r\n", "\n")
        return text or None
