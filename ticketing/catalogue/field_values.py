"""The values of a ticket type's fields, from a form and back into it, as its tracker wants them."""

from __future__ import annotations

from ticketing.trackers.registry import FIELD_FORMS

from_form = FIELD_FORMS.from_form
to_form = FIELD_FORMS.to_form
raw_help = FIELD_FORMS.raw_help
