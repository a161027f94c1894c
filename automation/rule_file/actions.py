"""How the rules of a kind say in a file what they do."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn, get_args
from uuid import UUID

import msgspec
from django.utils import timezone

from automation.kinds.base import RuleKind
from automation.rule_file.document import Document, Fault, RuleFileError
from automation.rules.data import RuleData
from config.lib.utc import epoch_ms

RawRule = Mapping[str, Any]
_MISSING = re.compile(r"Object missing required field `(.*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Location(NamedTuple):
    """Where in the file a rule is."""

    document: Document
    list_name: str
    number: int

    def line(self, *member: str | int) -> int:
        return self.document.line_of(self.list_name, self.number, *member)

    def fail(self, sentence: str, *member: str | int) -> NoReturn:
        raise RuleFileError([Fault(self.line(*member), sentence)])


class Entry(NamedTuple):
    """One rule of the file."""

    id: UUID | None
    data: RuleData
    line: int


class Member(NamedTuple):
    """What a rule of the file may have; without a type its value is read with the action."""

    type: type | None = None
    type_label: str = ""


class ActionFormat(ABC):
    """What the rules of a kind have in a file beside their criteria, in the order in which it
    is written."""

    members: Mapping[str, Member]
    required: Sequence[str] = ()

    @abstractmethod
    def reader(self, rules: Sequence[RawRule]) -> Callable[[RawRule, Location], Any]:
        """What makes an action of each of these rules; it raises RuleFileError."""

    @abstractmethod
    def writer(self, actions: Sequence[Any]) -> Callable[[Any], dict[str, Any]]:
        """What makes members of each of these actions; those that are None are not written."""

    @abstractmethod
    def warnings(self, entries: Sequence[Entry]) -> Iterator[Fault]:
        """What is accepted, and will not do what it says."""


class EffectFormat(ActionFormat):
    """The action member by member, as the public API has it, with times in ISO 8601."""

    def __init__(self, kind: RuleKind) -> None:
        self._kind = kind
        self.members = dict.fromkeys(_names(kind.Action), Member())

    def reader(self, rules: Sequence[RawRule]) -> Callable[[RawRule, Location], Any]:
        return self._read

    def _read(self, raw: RawRule, location: Location) -> Any:
        values = {name: raw[name] for name in self.members if raw.get(name) is not None}
        require_unicode(values, location)
        for name in self._kind.moments:
            if name in values:
                values[name] = _epoch_ms(values[name], name, location)
        try:
            return self._kind.read(values)
        except msgspec.ValidationError as fault:
            _fail(str(fault), location)

    def writer(self, actions: Sequence[Any]) -> Callable[[Any], dict[str, Any]]:
        return self._write

    def _write(self, action: Any) -> dict[str, Any]:
        values = self._kind.write(action)
        for name in self._kind.moments:
            if name in values:
                moment = datetime.fromtimestamp(values[name] / 1000, UTC)
                values[name] = moment.isoformat().replace("+00:00", "Z")
        return {name: values.get(name) for name in self.members}

    def warnings(self, entries: Sequence[Entry]) -> Iterator[Fault]:
        now = timezone.now()
        for entry in entries:
            for problem in self._kind.problems_now(entry.data.action, before=None, now=now):
                yield Fault(entry.line, f"It does nothing any more: {problem.sentence}.")


def require_unicode(values: Any, location: Location, *member: str) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except ValueError:
        location.fail("A text is not valid Unicode.", *member)


def _names(action: Any) -> list[str]:
    """The members of an action; of a union those of each, after what tells them apart."""
    structs = get_args(action) or (action,)
    tags = [each.__struct_config__.tag_field for each in structs]
    fields = [field.encode_name for each in structs for field in msgspec.structs.fields(each)]
    return [*dict.fromkeys([*filter(None, tags), *fields])]


def _epoch_ms(raw: object, name: str, location: Location) -> int:
    try:
        moment = datetime.fromisoformat(raw if isinstance(raw, str) else "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return epoch_ms(moment)
    except (ValueError, OverflowError):
        location.fail(f"`{name}` is a time in quotes, as in '2027-03-03T08:00:00Z'.", name)


def _fail(fault: str, location: Location) -> NoReturn:
    """msgspec's sentence "Expected `int`, got `str` - at `$.due_in_days`" with its line."""
    message, _, path = fault.partition(" - at `$")
    member = [name or int(number) for name, number in _STEP.findall(path.rstrip("`"))]
    if missing := _MISSING.fullmatch(message):
        location.fail(f"There is no `{missing[1]}`.", *member)
    location.fail(f"{message}.", *member)
