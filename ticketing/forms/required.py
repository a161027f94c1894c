"""A field that Jira requires, in the form of a ticket made by hand."""

from __future__ import annotations

from typing import Any

from django import forms

from ticketing.models import Destination, JiraUser
from ticketing.trackers.jira.field_forms import FieldError, from_form
from ticketing.trackers.jira.fields import FieldKind, FieldSpec

PREFIX = "field_"
_PEOPLE = (FieldKind.USER, FieldKind.USERS)
_CHOOSE = [("", "Select a value")]


class RequiredField(forms.Field):
    """What a person typed, or chose, becomes what Jira's create metadata wants."""

    def __init__(self, spec: FieldSpec, place: Destination) -> None:
        super().__init__(label=spec.name, widget=_widget(spec, place))
        self.spec = spec
        self._place = place

    def clean(self, value: Any) -> Any:
        values = value if isinstance(value, list) else [value or ""]
        try:
            return from_form(
                self.spec,
                [str(each).replace("\0", "") for each in values],
                type_name=self._place.type_name,
                space=self._place.space_key,
            )
        except FieldError as error:
            raise forms.ValidationError(error.sentence) from error


def _widget(spec: FieldSpec, place: Destination) -> forms.Widget:
    options = [(option.id, option.label) for option in spec.options]
    if spec.kind in _PEOPLE:
        known = JiraUser.objects.filter(account=place.account_id)
        options = list(known.order_by("name").values_list("user_id", "name"))
    if not (spec.kind.has_options or spec.kind in _PEOPLE):
        return forms.Textarea() if spec.kind is FieldKind.PARAGRAPH else forms.TextInput()
    if spec.kind.is_many:
        return forms.SelectMultiple(choices=options)
    return forms.Select(choices=_CHOOSE + options)
