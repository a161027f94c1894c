"""A field that Jira requires, in the form of a ticket made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ticketing.catalogue.field_values import from_form, raw_help
from ticketing.fields.spec import FieldError, FieldKind, FieldSpec
from ticketing.models import Destination, JiraUser

PREFIX = "field_"
_PEOPLE = (FieldKind.USER, FieldKind.USERS)
_CHOOSE = [("", "Select a value")]


class _Proposals(forms.TextInput):
    """An id, with some to choose from: there are others that Jira has not listed."""

    def __init__(self, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._options = options

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        list_id = f"{(attrs or {}).get('id', name)}_list"
        control = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self._options)
        return format_html('{}<datalist id="{}">{}</datalist>', control, list_id, options)


class RequiredField(forms.Field):
    """What a person typed, or chose, becomes what Jira's create metadata wants."""

    def __init__(self, spec: FieldSpec, place: Destination) -> None:
        super().__init__(label=spec.name, widget=_widget(spec, place), help_text=_help(spec))
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


def _help(spec: FieldSpec) -> str:
    return raw_help(spec) if spec.kind is FieldKind.RAW else ""


def _widget(spec: FieldSpec, place: Destination) -> forms.Widget:
    options = [(option.id, option.label) for option in spec.options]
    if spec.kind in _PEOPLE:
        known = JiraUser.objects.filter(account=place.account_id)
        options = [(user.user_id, str(user)) for user in known.order_by("name")]
    if not (spec.kind in _PEOPLE or (spec.kind.has_options and options)):
        is_long = spec.kind in (FieldKind.PARAGRAPH, FieldKind.RAW)
        return forms.Textarea() if is_long else forms.TextInput()
    if spec.has_more_options and spec.kind not in _PEOPLE:
        return _Proposals(options)
    if spec.kind.is_many:
        return forms.SelectMultiple(choices=options, attrs={"data-combobox": ""})
    return forms.Select(choices=_CHOOSE + options, attrs={"data-combobox": "long"})
