"""Were they created after all? Unsure creates are looked for by the keys that were sent with them.

The index is behind what was written, sometimes for minutes. So the issues themselves are read:
all numbers of the space that can have been given out since. Many are looked for in one reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ticketing.trackers.base import Destination, Found, IssueRef, Lookup
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import TICKET_PROPERTY
from ticketing.trackers.jira.faults import Refused
from ticketing.trackers.jira.issue_keys import keys_of, number_of, property_of, ref_of
from ticketing.trackers.jira.number_window import NumberWindow, read_one

_KEYS_A_SEARCH = 20
_MOST_OF_A_KEY = 5  # issues with one key; more than one is an accident
_MARGIN = 100  # numbers above the newest known one; refused creates use up numbers, too
_MARGIN_ONE_BY_ONE = 20  # Data Center has no bulk fetch
_MARGIN_AT_ONCE_ONE_BY_ONE = 5

Issues = dict[str, list[Mapping[str, Any]]]  # key → the issues that carry it


def find_new(client: JiraClient, lookups: Sequence[Lookup]) -> dict[str, tuple[IssueRef, ...]]:
    """Those that the numbers above what was known before they were sent show."""
    margin = _MARGIN if client.is_cloud else _MARGIN_AT_ONCE_ONE_BY_ONE
    refs: dict[str, tuple[IssueRef, ...]] = {}
    for destination, sought in _by_space(lookups):
        ceiling = _known(sought) + margin
        window = NumberWindow(client, destination.space_key, margin=margin)
        for one in window.read(sought, ceiling=ceiling):
            refs |= _refs(one.issues)
    return refs


def find(client: JiraClient, lookups: Sequence[Lookup]) -> dict[str, Found]:
    """Every issue that carries one of the keys, and of which keys that is surely all."""
    client.prove_identity()  # to a stranger every space is empty
    issues = _by_label(client, [lookup.key for lookup in lookups])
    complete: set[str] = set()
    margin = _MARGIN if client.is_cloud else _MARGIN_ONE_BY_ONE
    for destination, asked in _by_space(lookups):
        sought = [lookup for lookup in asked if lookup.key not in issues]
        space_key = _space_key(client, destination) if sought else ""
        if not space_key:
            continue
        newest = newest_number(client, destination)
        window = NumberWindow(client, space_key, margin=margin)
        for read in window.read(sought, ceiling=max(newest, _known(sought)) + margin):
            issues |= read.issues
            complete |= read.complete
    if complete - issues.keys():
        client.prove_identity()
    refs = _refs(issues)
    return {one.key: Found(refs.get(one.key, ()), one.key in complete) for one in lookups}


def newest_number(client: JiraClient, destination: Destination) -> int:
    """The highest number in the index; 0 if there is none."""
    jql = f"project = {quoted(destination.space_id)} ORDER BY key DESC"
    newest = search(client, jql, limit=1)
    return number_of(ref_of(newest[0])) if newest else 0


def search(client: JiraClient, jql: str, *, limit: int, **asked: str) -> list[Mapping[str, Any]]:
    """The first issues of a search. Cloud has taken the older way away."""
    path = "search/jql" if client.is_cloud else "search"
    params = {"jql": jql, "maxResults": limit, "fields": "labels", **asked}
    issues: list[Mapping[str, Any]] = client.get(path, params=params)["issues"]
    return issues


def _by_space(lookups: Sequence[Lookup]) -> list[tuple[Destination, list[Lookup]]]:
    spaces: dict[str, list[Lookup]] = defaultdict(list)
    for lookup in lookups:
        spaces[lookup.destination.space_id].append(lookup)
    return [(sought[0].destination, sought) for sought in spaces.values()]


def _known(sought: Sequence[Lookup]) -> int:
    return max(max(lookup.ceiling, lookup.floor) for lookup in sought)


def _by_label(client: JiraClient, keys: Sequence[str]) -> Issues:
    """Wherever they are by now: somebody may have moved them."""
    issues: Issues = defaultdict(list)
    for start in range(0, len(keys), _KEYS_A_SEARCH):
        some = keys[start : start + _KEYS_A_SEARCH]
        jql = f"labels in ({', '.join(quoted(key) for key in some)})"
        limit = _MOST_OF_A_KEY * len(some)
        if client.is_cloud:
            found = search(client, jql, limit=limit, properties=TICKET_PROPERTY)
        else:  # where a search shows no properties
            shown = search(client, jql, limit=limit)
            found = [issue for each in shown for issue in read_one(client, str(each["id"]))]
        for issue in found:
            for key in keys_of(issue) & set(some):
                issues[key].append(issue)
    return dict(issues)


def _space_key(client: JiraClient, destination: Destination) -> str:
    """The key that the space has now; empty if we may not see the space."""
    try:
        space = client.get(f"project/{quote(destination.space_id, safe='')}")
    except Refused as refused:
        if refused.status != 404:
            raise
        return ""
    return str(space["key"])


def _refs(issues: Issues) -> dict[str, tuple[IssueRef, ...]]:
    """Key → its issues, the lowest number first. A copy carries the label, not the property."""
    refs = {}
    for key, found in issues.items():
        proven = [issue for issue in found if property_of(issue) == key] or found
        refs[key] = tuple(sorted(dict.fromkeys(ref_of(issue) for issue in proven), key=number_of))
    return refs


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
