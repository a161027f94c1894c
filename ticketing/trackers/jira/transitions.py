"""Which step of the workflow to take, and what to write on its screen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ticketing.close_reasons import CloseReason, normal, reason_of_words
from ticketing.fields.spec import FieldSpec
from ticketing.trackers.base import AnswerMissing, Category, Change
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.credentials import Credentials
from ticketing.trackers.jira.field_values import render
from ticketing.trackers.jira.fields import field_specs

Json = Mapping[str, Any]
RESOLUTION = "resolution"
_SHOWN = 5  # of the values that a field takes, in a sentence


@dataclass(frozen=True, slots=True)
class Step:
    """A transition, and the fields that are sent with it."""

    id: str
    name: str
    screen: Mapping[str, Json]
    fields: Mapping[str, Any]

    def name_of(self, field: str) -> str:
        return str((self.screen.get(field) or {}).get("name") or field)


def choose(
    steps: Sequence[Json], change: Change, *, key: str, credentials: Credentials
) -> Step | None:
    """The step to take for `change`; None if no step leads there.

    Of closing ones the best that asks for nothing without an answer: raises AnswerMissing, for
    the best of them, if there is none.
    """
    there = [
        step
        for step in steps
        if reading.category(step["to"]) is change.category and step.get("isAvailable", True)
    ]
    if change.category is not Category.DONE:
        return _open_step(there, change)
    missing: AnswerMissing | None = None
    for raw in sorted(_meant(there, change), key=lambda raw: _rank(raw, change)):
        try:
            return _step(raw, _closing_fields(raw, change, key=key, credentials=credentials))
        except AnswerMissing as error:
            missing = missing or error
    if missing:
        raise missing
    return None


def _step(raw: Json, fields: Mapping[str, Any]) -> Step:
    return Step(str(raw["id"]), str(raw.get("name") or raw["id"]), _screen(raw), fields)


def _screen(raw: Json) -> Mapping[str, Json]:
    screen: Mapping[str, Json] = raw.get("fields") or {}
    return screen


# --- Closing --------------------------------------------------------------------------------


def _meant(there: Sequence[Json], change: Change) -> Sequence[Json]:
    """Without the statuses that say something else than the reason, unless one was chosen for
    it or there are no others."""
    fitting = [
        raw
        for raw in there
        if str(raw["to"]["id"]) == change.status_id or not _contradicts(raw, change.reason)
    ]
    return fitting or there


def _contradicts(raw: Json, reason: CloseReason | None) -> bool:
    says = reason_of_words(str(raw["to"]["name"]))
    return bool(says and says.is_wont_fix and reason and not reason.is_wont_fix)


def _rank(raw: Json, change: Change) -> tuple[bool, bool, bool]:
    says = reason_of_words(str(raw["to"]["name"]))
    agrees = bool(says and change.reason and says.is_wont_fix == change.reason.is_wont_fix)
    asks = any(_is_asked(field) for field in _screen(raw).values())
    return str(raw["to"]["id"]) != change.status_id, not agrees, asks


def _is_asked(field: Json) -> bool:
    return bool(field.get("required")) and not field.get("hasDefaultValue")


def _closing_fields(
    raw: Json, change: Change, *, key: str, credentials: Credentials
) -> dict[str, Any]:
    """Whatever of the screen is answered, asked for or not; nothing is made up."""
    sent: dict[str, Any] = {}
    for field_id, field in _screen(raw).items():
        answer = change.answers.get(field_id)
        if field_id == RESOLUTION:
            value = _resolution(field, answer or ())
        else:
            value = _value(field_id, field, answer, credentials)
        if value is not None:
            sent[field_id] = value
        elif _is_asked(field):
            name = str(field.get("name") or field_id)
            raise missing_answer(raw, name, field_id, key=key, said=_what_fails(field, answer))
    return sent


def missing_answer(
    step: Json | Step, name: str, field_id: str, *, key: str, said: str = ""
) -> AnswerMissing:
    step_name = step.name if isinstance(step, Step) else step.get("name")
    reason = f"Jira asks for “{name}” on the step “{step_name}” to close {key}{said}."
    return AnswerMissing(reason, field=field_id, name=name)


def _resolution(field: Json, names: Sequence[str]) -> dict[str, str] | None:
    allowed = field.get("allowedValues")
    if not isinstance(allowed, list):
        return {"name": names[0]} if names else None
    known = {normal(str(each.get("name"))): str(each["id"]) for each in allowed}
    ids = (known[normal(name)] for name in names if normal(name) in known)
    return next(({"id": id_} for id_ in ids), None)


def _value(field_id: str, field: Json, answer: Any, credentials: Credentials) -> Any:
    spec = next(iter(field_specs([{"fieldId": field_id, **field}])), None)
    if answer in (None, "", []):
        return None
    if spec is None:
        return answer
    return render(
        spec,
        _several(spec, answer),
        deployment=credentials.deployment,
        markup=credentials.markup,
    )


def _several(spec: FieldSpec, answer: Any) -> Any:
    if spec.kind.is_many and isinstance(answer, str):
        return [part for each in answer.split(",") if (part := each.strip())]
    return answer


def _what_fails(field: Json, answer: Any) -> str:
    """ ", which takes Red and Blue, but not Done": the end of a sentence."""
    if not answer:
        return ""
    allowed = field.get("allowedValues")
    names = [str(each.get("name") or each.get("value")) for each in allowed or ()]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    takes = f"takes {_listed([*names[:_SHOWN], *more], 'and')}, but " if names else "does "
    given = answer if isinstance(answer, list | tuple) else [answer]
    verb = "not" if names else "not take"
    return f", which {takes}{verb} {_listed([str(each) for each in given], 'or')}"


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


# --- Opening --------------------------------------------------------------------------------


def _open_step(there: Sequence[Json], change: Change) -> Step | None:
    """The step to the wanted status, or one that asks for nothing, or the first."""
    answered = [(raw, _first_allowed(raw)) for raw in there]
    possible = [(raw, fields) for raw, fields in answered if fields is not None]
    best = min(
        possible,
        key=lambda each: (str(each[0]["to"]["id"]) != change.status_id, bool(each[1])),
        default=None,
    )
    return _step(*best) if best else None


def _first_allowed(raw: Json) -> dict[str, Any] | None:
    """What a step asks for that opens an issue; None if we cannot say it."""
    fields: dict[str, Any] = {}
    for name, field in _screen(raw).items():
        if not _is_asked(field):
            continue
        choices = field.get("allowedValues")
        is_list = (field.get("schema") or {}).get("type") == "array"
        if not choices or is_list or name == RESOLUTION:
            return None
        fields[name] = {"id": str(choices[0]["id"])}
    return fields
