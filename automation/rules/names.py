"""The names of one kind's rules: no two are alike, however they are typed.

The database holds to it (`rule_name_unique`); here is why a name is refused, and which is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower, Trim

from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rules.data import MAX_NAME, InvalidRule, RuleData

CONSTRAINT = "rule_name_unique"
_COPY = re.compile(r" \(copy(?: \d+)?\)\Z")


def name_key(name: str) -> str:
    """What two names have in common that are alike: neither case nor space around them counts."""
    return name.strip().lower()


def is_taken(kind: str, name: str, *, by_other_than: UUID | None = None) -> bool:
    """Whether a rule of the kind is called so, be it one that comes with the product."""
    if name_key(name) in _of_defaults(kind):
        return True
    others = _called(kind, name)
    return (others.exclude(pk=by_other_than) if by_other_than else others).exists()


def already_called(name: str) -> str:
    return f"Another rule is already called “{name}”."


def require_free_name(rule: Rule, name: str) -> None:
    """Raises InvalidRule if the rule may not take this name. One that it has already stays its."""
    if name_key(rule.name) != name_key(name) and is_taken(rule.kind, name, by_other_than=rule.pk):
        raise InvalidRule({"name": already_called(name)})


def require_distinct_names(
    kind: str, wanted: Sequence[tuple[UUID, RuleData]], *, there: Mapping[UUID, Rule]
) -> None:
    """The same for a whole list that replaces the rules that are there."""
    taken = _of_defaults(kind)
    seen: set[str] = set()
    for pk, data in wanted:
        key = name_key(data.name)
        is_kept = pk in there and name_key(there[pk].name) == key
        if key in seen or (key in taken and not is_kept):
            raise InvalidRule({"name": already_called(data.name)})
        seen.add(key)


def refused_name(error: IntegrityError) -> InvalidRule | None:
    """What the database refused, if it was a name."""
    if CONSTRAINT not in str(error):
        return None
    return InvalidRule({"name": "Two rules of one kind may not have the same name."})


def copy_name(kind: str, name: str) -> str:
    """`X (copy)`, and where that is taken `X (copy 2)`."""
    base = _COPY.sub("", name)
    return _first_free(kind, base, _copy_suffixes())


def free_name(kind: str, name: str) -> str:
    """The name itself, or where that is taken `X (2)`."""
    return _first_free(kind, name, _number_suffixes())


def _first_free(kind: str, base: str, suffixes: Iterator[str]) -> str:
    named = Rule.objects.filter(kind=kind).values_list("name", flat=True)
    taken = _of_defaults(kind).union(map(name_key, named))
    names = (base[: MAX_NAME - len(suffix)] + suffix for suffix in suffixes)
    return next(name for name in names if name_key(name) not in taken)


def _copy_suffixes() -> Iterator[str]:
    yield " (copy)"
    yield from (f" (copy {number})" for number in count(2))


def _number_suffixes() -> Iterator[str]:
    yield ""
    yield from (f" ({number})" for number in count(2))


def _of_defaults(kind: str) -> set[str]:
    return {name_key(spec.name) for spec in KINDS[kind].defaults}


def _called(kind: str, name: str) -> QuerySet[Rule]:
    rules = Rule.objects.alias(key=Lower(Trim("name")))
    return rules.filter(kind=kind, key=Lower(Trim(Value(name))))
