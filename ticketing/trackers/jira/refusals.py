"""Why Jira refused a create: its configuration, or this one ticket? Pure.

Jira names the fields at fault by their ids. Whether that is the rule's fault or the finding's
is told by what was sent, by what in it is the same for every finding, and by what the create
screen has now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ticketing.trackers.base import Fault, TrackerError
from ticketing.trackers.jira.faults import Refused

_TEXTS = frozenset({"summary", "description", "environment", "labels"})  # that can be shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A refused create. `screen` is id → name of the fields there now, None if unknown."""

    space_key: str
    fields: frozenset[str]  # including those whose value for this finding could not be sent
    constants: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()  # the issue can do without them
    remedies: tuple[str, ...] = ()  # that were tried already
    unfilled: frozenset[str] = frozenset()  # what this ticket had nothing to fill with
    screen: Mapping[str, str] | None = None

    def name(self, field: str) -> str:
        known = self.screen or {}
        return known.get(field) or field.capitalize()

    def lacks(self, field: str) -> bool:
        return self.screen is not None and field not in self.screen


def explain(refused: Refused, sent: Sent) -> TrackerError:
    """The refusal, told apart by the fields that it names: configuration before content."""
    found = (row(refused, sent) for row in _ROWS)
    return next((error for error in found if error), None) or _as_it_is(refused, sent)


def _permission(refused: Refused, sent: Sent) -> TrackerError | None:
    if refused.status != 403 or not refused.answer.is_json:
        return None
    return _config(
        refused, "", f"The account may not create tickets in {sent.space_key} (HTTP 403)."
    )


def _space(refused: Refused, sent: Sent) -> TrackerError | None:
    if "project" not in _fields(refused):
        return None
    reason = f"Jira space {sent.space_key} is no longer valid (HTTP 400)."
    return _config(refused, "project", reason)


def _type(refused: Refused, sent: Sent) -> TrackerError | None:
    if "issuetype" not in _fields(refused):
        return None
    return _config(refused, "issuetype", f"The ticket type no longer exists in {sent.space_key}.")


def _unfilled(refused: Refused, sent: Sent) -> TrackerError | None:
    """Jira misses a field that the rule does set, of other findings."""
    field = next((id_ for id_ in _fields(refused) if id_ in sent.unfilled), None)
    if field is None:
        return None
    reason = (
        f"{sent.name(field)} is required in {sent.space_key}, and there is nothing to fill it with."
    )
    return _rejected(refused, field, reason, "", sent)


def _optional(refused: Refused, sent: Sent) -> TrackerError | None:
    """A value that we have added; once it is left out, Jira may still miss it."""
    fields = _fields(refused)
    field = next((id_ for id_ in fields if id_ in sent.ours - _TEXTS), None)
    if field is None or f"drop:{field}" in sent.remedies:
        return None
    reason = f"Jira refused the value of {sent.name(field)}: {fields[field]}"
    return _rejected(refused, field, reason, f"drop:{field}", sent)


def _required(refused: Refused, sent: Sent) -> TrackerError | None:
    """Jira misses a field that we do not send."""
    field = next((id_ for id_ in _fields(refused) if id_ not in sent.fields), None)
    if field is None:
        return None
    return _config(refused, field, f"Field {sent.name(field)} is now required in {sent.space_key}.")


def _off_screen(refused: Refused, sent: Sent) -> TrackerError | None:
    field = next((id_ for id_ in _fields(refused) if sent.lacks(id_)), None)
    if field is None:
        return None
    if field in sent.ours:
        reason = f"Field {field} is not on the create screen of {sent.space_key}."
        return _rejected(refused, field, reason, f"drop:{field}", sent)
    reason = f"Field {sent.name(field)} can no longer be set in {sent.space_key}."
    return _config(refused, field, reason)


def _constant(refused: Refused, sent: Sent) -> TrackerError | None:
    """A value that each ticket of the rule has."""
    fields = _fields(refused)
    field = next((id_ for id_ in fields if id_ in sent.constants), None)
    if field is None:
        return None
    return _config(
        refused,
        field,
        f"Field {sent.name(field)} does not take its value in {sent.space_key}: {fields[field]}",
    )


def _content(refused: Refused, sent: Sent) -> TrackerError | None:
    """A value that comes from this finding."""
    for field, said in _fields(refused).items():
        reason = f"Jira refused the value of {sent.name(field)}: {said}"
        return _rejected(refused, field, reason, "truncate" if field in _TEXTS else "", sent)
    return None


_ROWS = (
    _permission,
    _space,
    _type,
    _optional,
    _unfilled,
    _required,
    _off_screen,
    _constant,
    _content,
)


def _as_it_is(refused: Refused, sent: Sent) -> TrackerError:
    """As it was told without looking, but for a remedy that has not helped."""
    if refused.remedy and refused.remedy in sent.remedies:
        return _rejected(refused, refused.field, refused.reason, "", sent)
    return refused


def _fields(refused: Refused) -> dict[str, str]:
    return refused.answer.errors if refused.status == 400 else {}


def _rejected(refused: Refused, field: str, reason: str, remedy: str, sent: Sent) -> TrackerError:
    return Refused(
        refused.answer,
        Fault.REJECTED,
        reason[:1000],
        field=field,
        remedy="" if remedy in sent.remedies else remedy,
    )


def _config(refused: Refused, field: str, reason: str) -> TrackerError:
    return Refused(refused.answer, Fault.CONFIG, reason[:1000], field=field)
