"""The part of an explorer page's address that groups: `group=package`, and what is within.

`in` names groups by their values, one after the other; `in_none=yes` what is in no group, and
`in_any=yes` all that is in one. With any of them the page is the list of those findings.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import QueryDict
from django.utils.http import urlencode

from findings.explorer.group_labels import lack_of_fields, said_of_fields, title_of_fields
from findings.explorer.search import Within
from findings.grouping import GROUP_FIELDS, MAX_FIELDS, GroupField, UnknownGroupField, group_fields

MAX_PAGE = 10_000
MAX_GROUPS = 100  # in an address: as many as a page has
YES = "yes"
_NOTHING = [("in", "")]  # no group has no value


class GroupAddress:
    """Read with tolerance, as the rest of the address; `error` is a sentence for the person."""

    def __init__(self, params: QueryDict) -> None:
        self.error = ""
        self.fields: tuple[GroupField, ...] = ()
        names = [name for name in _clean(params.get("group", "")).split(",") if name]
        try:
            self.fields = group_fields(names) if names else ()
        except UnknownGroupField as unknown:
            too_many = f"Findings can be grouped by {MAX_FIELDS} fields at most."
            self.error = too_many if len(names) > MAX_FIELDS else str(unknown)
        is_of_these = params.get("in_of", self.text) == self.text
        self.within = self._within(params) if self.fields and is_of_these else None
        self.opened = self._groups(params.getlist("open"))[:1]
        self.opens_lone = params.get("open_none") == YES
        self.shows_more = params.get("more") == YES
        self.page = _number(params.get("page", ""))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def text(self) -> str:
        """As the address says it."""
        return ",".join(self.names)

    @property
    def is_list(self) -> bool:
        """Whether the page lists groups, not findings."""
        return bool(self.fields) and self.within is None

    @property
    def title(self) -> str:
        return title_of_fields(self.fields)

    @property
    def said(self) -> str:
        return said_of_fields(self.fields)

    @property
    def lack(self) -> str:
        return lack_of_fields(self.fields)

    @property
    def one(self) -> str:
        """After "none of these names": "a package", "an image"."""
        return f"{'an' if self.lack[:1] in 'aeio' else 'a'} {self.lack}"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What the page offers to group by, and what it is grouped by."""
        known = [(name, _upper(field.label)) for name, field in GROUP_FIELDS.items()]
        more = [(self.text, self.title)] if self.text and self.text not in GROUP_FIELDS else []
        return [("", "None"), *known, *more]

    @property
    def further(self) -> list[tuple[str, str]]:
        """What the page offers to group by as well."""
        if not 0 < len(self.fields) < MAX_FIELDS:
            return []
        return [
            (f"{self.text},{name}", f"{self.title} · {_upper(field.label)}")
            for name, field in GROUP_FIELDS.items()
            if name not in self.names
        ]

    @property
    def within_params(self) -> list[tuple[str, str]]:
        return written(self.within) if self.within else []

    @property
    def within_title(self) -> str:
        """What the list below is of: a group's values, or how many groups."""
        if self.within is None or self.within.every:
            return "Every group"
        if self.within.lone:
            return f"No {self.lack}"
        if len(self.within.groups) == 1:
            return " · ".join(self.within.groups[0])
        return f"{len(self.within.groups)} groups"

    @property
    def state(self) -> list[tuple[str, str]]:
        if not self.fields:
            return []
        return [("group", self.text), *self.within_params]

    def _within(self, params: QueryDict) -> Within | None:
        lone, every = params.get("in_none") == YES, params.get("in_any") == YES
        values = params.getlist("in")
        if not (values or lone or every):
            return None
        return Within(self._groups(values), lone=lone, every=every)

    def _groups(self, values: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """None for what is no whole number of groups: it finds nothing rather than too much."""
        width = len(self.fields)
        if not width or len(values) % width or len(values) > MAX_GROUPS * width:
            return ()
        clean = [_clean(value) for value in values]
        groups = [tuple(clean[at : at + width]) for at in range(0, len(clean), width)]
        return tuple(dict.fromkeys(group for group in groups if all(group)))


def written(within: Within) -> list[tuple[str, str]]:
    """As the address says it."""
    params = [("in", value) for values in within.groups for value in values]
    params += [("in_none", YES)] if within.lone else []
    params += [("in_any", YES)] if within.every else []
    return params or _NOTHING


def chosen_search(params: QueryDict) -> str:
    """The search that a form names; of a page of groups only those chosen there."""
    search = params.get("search", "")
    if params.get("of") != "groups":
        return search
    if "whole" in params:
        return f"{search}&in_any={YES}"
    boxes = QueryDict("&".join(params.getlist("within")))
    chosen = [(name, value) for name in ("in", "in_none") for value in boxes.getlist(name)]
    return f"{search}&{urlencode(chosen or _NOTHING)}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _clean(text: str) -> str:
    return text.replace("\0", "�")


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    return max(1, min(int(text), MAX_PAGE)) if is_number else 1
