"""A file of rules → what is said of each, with the line where it is said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple
from uuid import UUID

from automation.kinds.registry import KINDS
from automation.rule_file.actions import Entry, Location, RawRule
from automation.rule_file.document import Document, Fault, RuleFileError, read_document
from automation.rule_file.formats import DEFAULTS, FORMATS, LISTS, members_of, required_of
from automation.rules.data import InvalidRule, RuleData, validate
from automation.rules.names import name_key


class RuleFile(NamedTuple):
    """What the file says, by kind, in the order of the file; what it does not name is left out."""

    rules: Mapping[str, Sequence[Entry]]
    defaults: Mapping[str, Collection[str]] = {}  # ids of those that are on


def read_rules(text: str) -> RuleFile:
    """Raises RuleFileError with everything that is wrong."""
    document = read_document(text)
    _check_lists(document)
    lists = _named(document, LISTS)
    switched_on = _named(document, DEFAULTS)
    faults = [
        *(fault for kind, rules in lists.items() for fault in _shapes(document, kind, rules)),
        *(fault for kind, ids in switched_on.items() for fault in _strange(document, kind, ids)),
    ]
    if faults:
        raise RuleFileError(faults)
    entries: dict[str, list[Entry]] = {kind: [] for kind in lists}
    for kind, rules in lists.items():
        read = FORMATS[kind].reader(rules)
        for number, raw in enumerate(rules):
            try:
                entries[kind].append(_entry(raw, Location(document, LISTS[kind], number), read))
            except RuleFileError as error:
                faults += error.faults
    faults += _doubles(entries)
    if faults:
        raise RuleFileError(faults)
    return RuleFile(entries, switched_on)


def _check_lists(document: Document) -> None:
    value, names = document.value, (*LISTS.values(), *DEFAULTS.values())
    if not isinstance(value, dict) or not value or set(value) - set(names):
        known = ", ".join(f"`{name}`" for name in names)
        raise RuleFileError([Fault(1, f"The file has lists of rules: {known}.")])
    for name, rules in value.items():
        if not isinstance(rules, list):
            sentence = f"`{name}` is a list; write `{name}: []` for none."
            raise RuleFileError([Fault(document.line_of(name), sentence)])


def _named(document: Document, lists: Mapping[str, str]) -> dict[str, list[Any]]:
    return {kind: document.value[name] for kind, name in lists.items() if name in document.value}


def _strange(document: Document, kind: str, ids: Sequence[Any]) -> Iterator[Fault]:
    known = [spec.id for spec in KINDS[kind].defaults]
    for number, raw in enumerate(ids):
        if raw not in known:
            near = get_close_matches(str(raw), known, 1)
            hint = f" Is `{near[0]}` meant?" if near else ""
            line = document.line_of(DEFAULTS[kind], number)
            yield Fault(line, f"There is no default rule of this id.{hint}")


def _shapes(document: Document, kind: str, rules: Sequence[Any]) -> Iterator[Fault]:
    for number, raw in enumerate(rules):
        location = Location(document, LISTS[kind], number)
        if isinstance(raw, dict):
            yield from _shape(location, kind, raw)
        else:
            yield Fault(location.line(), "A rule is a mapping.")


def _shape(location: Location, kind: str, raw: RawRule) -> Iterator[Fault]:
    members = members_of(kind)
    for name, value in raw.items():
        member = members.get(name)
        if member is None:
            near = get_close_matches(name, members, 1)
            hint = f" Is `{near[0]}` meant?" if near else ""
            yield Fault(location.line(name), f"A rule has no `{name}`.{hint}")
        elif member.type is not None and value is not None and type(value) is not member.type:
            yield Fault(location.line(name), f"`{name}` is {member.type_label}.")
    types = raw.get("finding_types")
    if isinstance(types, list) and not all(isinstance(each, str) for each in types):
        yield Fault(location.line("finding_types"), "A finding type is a text.")
    for name in required_of(kind):
        if raw.get(name) is None:
            yield Fault(location.line(), f"The rule has no `{name}`.")


def _entry(raw: RawRule, location: Location, read: Callable[[RawRule, Location], Any]) -> Entry:
    data = RuleData(
        name=raw["name"],
        enabled=raw.get("enabled") is not False,
        finding_types=raw["finding_types"],
        query=raw.get("query"),
        action=read(raw, location),
    )
    try:
        validate(data)
    except InvalidRule as error:
        where = f" (at character {error.position + 1})" if error.position is not None else ""
        raise RuleFileError(
            [
                Fault(location.line(name), sentence + (where if name == "query" else ""))
                for name, sentence in error.errors.items()
            ]
        ) from None
    return Entry(_id(raw, location), data, location.line())


def _id(raw: RawRule, location: Location) -> UUID | None:
    if not raw.get("id"):
        return None
    try:
        return UUID(raw["id"])
    except ValueError:
        location.fail("An id is a UUID.", "id")


def _doubles(entries: Mapping[str, Sequence[Entry]]) -> Iterator[Fault]:
    seen: dict[UUID | tuple[str, str], int] = {}
    for kind, each_of_kind in entries.items():
        for entry in each_of_kind:
            keys: dict[UUID | tuple[str, str], str] = {(kind, name_key(entry.data.name)): "name"}
            if entry.id:
                keys[entry.id] = "id"
            for key, what in keys.items():
                if key in seen:
                    yield Fault(entry.line, f"The rule of line {seen[key]} has this {what}, too.")
                seen[key] = entry.line
