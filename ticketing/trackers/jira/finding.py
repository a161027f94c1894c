"""Was it created after all? An unsure create is looked for by the key that was sent with it.

The index is asked first, but it is behind what was written, sometimes for minutes. So the
issues themselves are read, too: all numbers of the space that can have been given out since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ticketing.trackers.base import Destination, Found, IssueRef, Lookup
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import TICKET_PROPERTY
from ticketing.trackers.jira.faults import Call, Refused

_MOST_OF_A_KEY = 20  # issues with one key; more than one is an accident
_PAGE = 100  # the most that a bulk fetch takes
_MARGIN = 100  # numbers above the newest known one; refused creates use up numbers, too
_MOST = 2000  # numbers that are looked at before a person has to
_MARGIN_ONE_BY_ONE = 20  # Data Center has no bulk fetch
_MOST_ONE_BY_ONE = 100


class _Page(NamedTuple):
    issues: list[Mapping[str, Any]]
    is_whole: bool  # each of its numbers was looked at


def find(client: JiraClient, lookup: Lookup) -> Found:
    """Every issue that carries the key, the lowest number first."""
    client.prove_identity()  # to a stranger every space is empty
    space_key = _space_key(client, lookup.destination)
    found = _by_label(client, lookup)
    is_complete = False
    if space_key and not found:
        probe = _Probe(client, lookup, space_key)
        found = probe.run()
        is_complete = probe.is_complete
    if is_complete and not found:
        client.prove_identity()
    # A copy that somebody made carries the label, but not the property.
    proven = [issue for issue in found if _is_proven(issue, lookup.key)] or found
    refs = dict.fromkeys(_ref(issue) for issue in proven)
    return Found(tuple(sorted(refs, key=_number)), is_complete)


def newest_number(client: JiraClient, destination: Destination) -> int:
    """The highest number in the index; 0 if there is none."""
    jql = f"project = {_quoted(destination.space_id)} ORDER BY key DESC"
    newest = search(client, jql, limit=1)
    return _number(_ref(newest[0])) if newest else 0


def search(client: JiraClient, jql: str, *, limit: int, **asked: str) -> list[Mapping[str, Any]]:
    """The first issues of a search. Cloud has taken the older way away."""
    path = "search/jql" if client.is_cloud else "search"
    params = {"jql": jql, "maxResults": limit, "fields": "labels", **asked}
    issues: list[Mapping[str, Any]] = client.get(path, params=params)["issues"]
    return issues


def _by_label(client: JiraClient, lookup: Lookup) -> list[Mapping[str, Any]]:
    """Wherever it is by now: somebody may have moved it."""
    jql = f"labels = {_quoted(lookup.key)}"
    if client.is_cloud:
        issues = search(client, jql, limit=_MOST_OF_A_KEY, properties=TICKET_PROPERTY)
    else:  # where a search shows no properties
        found = search(client, jql, limit=_MOST_OF_A_KEY)
        issues = [issue for each in found for issue in _read_one(client, str(each["id"]))]
    return [issue for issue in issues if _is_ours(issue, lookup.key)]


def _read_one(client: JiraClient, id_or_key: str) -> Iterator[Mapping[str, Any]]:
    params = {"fields": "labels", "properties": TICKET_PROPERTY}
    try:
        yield client.get(f"issue/{quote(id_or_key, safe='')}", params=params)
    except Refused as refused:
        if refused.status != 404 or not refused.answer.is_json:
            raise


def _space_key(client: JiraClient, destination: Destination) -> str:
    """The key that the space has now; empty if we may not see the space."""
    try:
        space = client.get(f"project/{quote(destination.space_id, safe='')}")
    except Refused as refused:
        if refused.status != 404:
            raise
        return ""
    return str(space["key"])


class _Probe:
    """Reads the issues of a window of numbers."""

    def __init__(self, client: JiraClient, lookup: Lookup, space_key: str) -> None:
        self._client = client
        self._lookup = lookup
        self._space_key = space_key
        self._margin = _MARGIN if client.is_cloud else _MARGIN_ONE_BY_ONE
        self._most = _MOST if client.is_cloud else _MOST_ONE_BY_ONE
        self.is_complete = False

    def run(self) -> list[Mapping[str, Any]]:
        """The issues with the key, up to the end of the page in which the first one is."""
        lookup = self._lookup
        newest = newest_number(self._client, lookup.destination)
        ceiling = max(newest, lookup.ceiling, lookup.floor) + self._margin
        start, is_whole = lookup.floor + 1, True
        while start <= ceiling and start - lookup.floor <= self._most:
            end = min(start + _PAGE - 1, ceiling, lookup.floor + self._most)
            page = self._read([f"{self._space_key}-{number}" for number in range(start, end + 1)])
            is_whole = is_whole and page.is_whole
            if ours := [issue for issue in page.issues if _is_ours(issue, lookup.key)]:
                return ours
            numbers = [number for issue in page.issues if (number := self._number_here(issue))]
            ceiling = max(ceiling, max(numbers, default=0) + self._margin)
            start = end + 1
        self.is_complete = is_whole and start > ceiling
        return []

    def _number_here(self, issue: Mapping[str, Any]) -> int:
        """Its number in this space; 0 for one that was moved elsewhere."""
        ref = _ref(issue)
        return _number(ref) if ref.key.startswith(f"{self._space_key}-") else 0

    def _read(self, keys: list[str]) -> _Page:
        if not self._client.is_cloud:
            issues = [issue for key in keys for issue in _read_one(self._client, key)]
            return _Page(issues, is_whole=True)
        asked = {"issueIdsOrKeys": keys, "fields": ["labels"], "properties": [TICKET_PROPERTY]}
        answer = self._client.post("issue/bulkfetch", json=asked, call=Call.READ)
        return _Page(answer["issues"], is_whole=not answer.get("issueErrors"))


def _is_ours(issue: Mapping[str, Any], key: str) -> bool:
    labels = (issue.get("fields") or {}).get("labels") or ()
    return _is_proven(issue, key) or key in labels


def _is_proven(issue: Mapping[str, Any], key: str) -> bool:
    written = (issue.get("properties") or {}).get(TICKET_PROPERTY)
    return isinstance(written, Mapping) and written.get("key") == key


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ref(issue: Mapping[str, Any]) -> IssueRef:
    return IssueRef(str(issue["id"]), str(issue["key"]))


def _number(ref: IssueRef) -> int:
    return int(ref.key.rpartition("-")[2])
