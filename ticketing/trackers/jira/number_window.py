"""A strong read of a space's issues by their numbers, one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ticketing.trackers.base import Fault, Lookup, TrackerError
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import TICKET_PROPERTY
from ticketing.trackers.jira.faults import Call, Refused
from ticketing.trackers.jira.issue_keys import keys_of, number_of, ref_of

_PAGE = 100  # the most that a bulk fetch takes
_MOST = 2000  # numbers that are looked at before a person has to
_PAGE_ONE_BY_ONE = 5  # Data Center has no bulk fetch
_MOST_ONE_BY_ONE = 100
_MOST_AGAIN = 5  # numbers of a page that a bulk fetch could not read, and that are read singly

Issue = Mapping[str, Any]


class Read(NamedTuple):
    """What a reading saw: key → issues that carry it, and keys whose every number was read."""

    issues: dict[str, list[Issue]]
    complete: set[str]


class NumberWindow:
    """Reads upwards from the number that was known before a create, until it is found."""

    def __init__(self, client: JiraClient, space_key: str, *, margin: int) -> None:
        self._client = client
        self._space_key = space_key
        self._margin = margin
        self._page = _PAGE if client.is_cloud else _PAGE_ONE_BY_ONE
        self._most = _MOST if client.is_cloud else _MOST_ONE_BY_ONE

    def read(self, lookups: Sequence[Lookup], *, ceiling: int) -> Iterator[Read]:
        """All that can be found in one window together; one with too wide a window by itself."""
        near = [one for one in lookups if ceiling - one.floor <= self._most]
        for group in ([near] if near else []) + [[one] for one in lookups if one not in near]:
            yield self._read_together(group, ceiling=ceiling)

    def _read_together(self, lookups: Sequence[Lookup], *, ceiling: int) -> Read:
        """Up to the end of the page in which the last of them is."""
        floor = min(lookup.floor for lookup in lookups)
        last = floor + self._most
        missing, start = {lookup.key for lookup in lookups}, floor + 1
        found: dict[str, list[Issue]] = defaultdict(list)
        unread: set[int] = set()
        while missing and start <= ceiling and start <= last:
            numbers = range(start, min(start + self._page - 1, ceiling, last) + 1)
            issues = self._issues(numbers, unread)
            for issue in issues:
                for key in keys_of(issue) & {lookup.key for lookup in lookups}:
                    found[key].append(issue)
            missing -= found.keys()
            ceiling = max(ceiling, *(self._number_here(one) + self._margin for one in issues), 0)
            start = numbers[-1] + 1
        read_all = start > ceiling
        complete = {
            lookup.key
            for lookup in lookups
            if lookup.key in missing and read_all and not any(n > lookup.floor for n in unread)
        }
        return Read(dict(found), complete)

    def _number_here(self, issue: Issue) -> int:
        """Its number in this space; 0 for one that was moved elsewhere."""
        ref = ref_of(issue)
        return number_of(ref) if ref.key.startswith(f"{self._space_key}-") else 0

    def _issues(self, numbers: Iterable[int], unread: set[int]) -> list[Issue]:
        """The issues of these numbers; to `unread` go those that could not be read."""
        keys = {f"{self._space_key}-{number}": number for number in numbers}
        if not self._client.is_cloud:
            return [issue for key in keys for issue in read_one(self._client, key)]
        asked = {
            "issueIdsOrKeys": list(keys),
            "fields": ["labels"],
            "properties": [TICKET_PROPERTY],
        }
        answer = self._client.post("issue/bulkfetch", json=asked, call=Call.READ)
        issues: list[Issue] = list(answer["issues"])
        errors = {str(error.get("id")) for error in answer.get("issueErrors") or ()}
        if not errors:
            return issues
        # One named by its id may be any of those that are not there.
        shown = {ref_of(issue).key for issue in issues}
        doubtful = errors & keys.keys() if errors <= keys.keys() else keys.keys() - shown
        return issues + self._again(sorted(doubtful, key=keys.__getitem__), keys, unread)

    def _again(
        self, doubtful: Sequence[str], keys: Mapping[str, int], unread: set[int]
    ) -> list[Issue]:
        """One bad issue is its own problem: the others are read, and this one tried singly."""
        issues: list[Issue] = []
        if len(doubtful) > _MOST_AGAIN:
            unread.update(keys[key] for key in doubtful)
            return issues
        for key in doubtful:
            try:
                issues += read_one(self._client, key)
            except TrackerError as error:
                if error.is_shared or error.fault == Fault.AUTH:
                    raise
                unread.add(keys[key])
        return issues


def read_one(client: JiraClient, id_or_key: str) -> list[Issue]:
    """The issue, or none if it is not there (or not for us)."""
    params = {"fields": "labels", "properties": TICKET_PROPERTY}
    try:
        return [client.get(f"issue/{quote(id_or_key, safe='')}", params=params)]
    except Refused as refused:
        if refused.status != 404 or not refused.answer.is_json:
            raise
        return []
