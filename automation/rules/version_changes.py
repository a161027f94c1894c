"""What differs between two versions of a rule set. What is written here is stored."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Stored = Mapping[str, Any]
"""One rule as JSON; see `data.rule_to_json`."""


def changes_between(before: Sequence[Stored], after: Sequence[Stored]) -> dict[str, Any] | None:
    """`rules` that are new or say something else, ids `removed`, and `places` as [index, id] of
    those that are new or moved among the others. None where ids do not tell rules apart."""
    old = {rule.get("id"): rule for rule in before}
    ids = [rule.get("id") for rule in after]
    new = set(ids)
    if len(old) < len(before) or len(new) < len(ids) or None in old or None in new:
        return None
    index = {pk: number for number, pk in enumerate(old)}
    kept = [pk for pk in ids if pk in old]
    stay = {kept[n] for n in longest_increasing([index[pk] for pk in kept])}
    return {
        "rules": [rule for rule in after if old.get(rule["id"]) != rule],
        "removed": [pk for pk in old if pk not in new],
        "places": [[number, pk] for number, pk in enumerate(ids) if pk not in stay],
    }


def size(stored: Any) -> int:
    """In bytes, as it is written."""
    return len(msgspec.json.encode(stored))


def changed(before: Sequence[Stored], changes: Mapping[str, Any]) -> list[Stored]:
    """The version after `before`."""
    rules = {rule["id"]: rule for rule in (*before, *changes["rules"])}
    elsewhere = {*changes["removed"], *(pk for _, pk in changes["places"])}
    ids = [rule["id"] for rule in before if rule["id"] not in elsewhere]
    for number, pk in changes["places"]:
        ids.insert(number, pk)
    return [rules[pk] for pk in ids]


def longest_increasing(numbers: Sequence[int]) -> list[int]:
    """Indexes of a longest increasing subsequence of distinct numbers: the fewest others move."""
    tails: list[int] = []  # the smallest last number of a subsequence of each length
    at: list[int] = []  # and its index
    previous: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(tails, number)
        previous.append(at[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        at[length : length + 1] = [index]
    found = []
    index = at[-1] if at else -1
    while index >= 0:
        found.append(index)
        index = previous[index]
    return found[::-1]
