"""The editor of rules that set something on the findings themselves."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.forms.criteria_form import CriteriaForm
from automation.kinds.action_form import ActionForm
from automation.kinds.base import EffectKind
from automation.rules.data import InvalidRule, RuleData, rule_spec, validate

NEW = UUID(int=0)
_ANY_NAME = "New rule"
CRITERIA = ("name", "types", "query", "severities")


class EffectForm(ActionForm, CriteriaForm):
    """Name and criteria, and what one kind asks besides; `form_of` makes the class of a kind."""

    kind: ClassVar[EffectKind]

    def _stored_values(self) -> dict[str, Any]:
        values = {} if self.was is None else self.values_of(self.was)
        return {**super()._stored_values(), **values}

    def clean(self) -> None:
        """What no field sees by itself, in the words of the service."""
        if self.errors.keys() - {"name"}:
            return
        try:
            validate(self.rule_data())
        except InvalidRule as refusal:
            self.show_refusal(refusal)

    def rule_data(self) -> RuleData:
        """What the valid form says."""
        return RuleData(
            name=self.cleaned_data.get("name") or _ANY_NAME,
            finding_types=self.finding_types,
            query=self.full_query,
            action=self.action(self.was),
            enabled=self.will_be_enabled,
        )

    def preview_spec(self) -> RuleSpec | None:
        """The rule as it would run; None while anything but its name is wrong."""
        self.full_clean()
        if self.errors.keys() - {"name"}:
            return None
        return rule_spec(self.rule.pk if self.rule else NEW, self.rule_data())

    @property
    def first_error(self) -> str:
        """Of what stands in the way of a preview, down the page."""
        fields = (name for name in self.fields if name in self.errors and name != "name")
        return next((str(self.errors[name][0]) for name in fields), "")

    def focus(self, field: str) -> None:
        """Put the focus on what the action calls `field`."""
        control = self._control_of(field)
        if control in self.fields:
            self.fields[control].widget.attrs["autofocus"] = True

    def _control_of(self, name: str) -> str:
        return self.controls.get(name, name)


@cache
def form_of(kind: EffectKind) -> type[EffectForm]:
    """The editor of one kind's rules."""
    fields = [name for name in kind.Form.base_fields if name != "description"]
    members = {"kind": kind, "field_order": [*CRITERIA, *fields, "description"]}
    return type(f"{kind.name}_editor", (kind.Form, EffectForm), members)
