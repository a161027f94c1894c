"""What was changed lately in a space, as its index knows.

Asked for by time past, as in "-15m": Jira reads a date in the time zone of the account, by the
minute, and by its own clock. The index is behind what was written, so ask for more than needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ticketing.trackers.base import Changes
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.finding import quoted

_PAGE = 100
_MOST = 1_000  # issues; where more is changed, those that are ours are read one by one
Json = Mapping[str, Any]


def changes(client: JiraClient, space_id: str, *, minutes: int) -> Changes:
    """The latest first, so that one that is changed meanwhile moves nothing out of sight."""
    jql = f'project = {quoted(space_id)} AND updated >= "-{minutes}m" ORDER BY updated DESC'
    updated: dict[str, datetime] = {}
    for page in _pages(client, jql):
        for issue in page["issues"]:
            updated[str(issue["id"])] = reading.moment(issue["fields"]["updated"])
        if len(updated) >= _MOST:
            return Changes(updated, is_complete=False)
    return Changes(updated, is_complete=True)


def _pages(client: JiraClient, jql: str) -> Iterator[Json]:
    asked: dict[str, Any] = {"jql": jql, "fields": "updated", "maxResults": _PAGE}
    while True:
        page: Json = client.get("search/jql" if client.is_cloud else "search", params=asked)
        yield page
        if client.is_cloud:
            token = page.get("nextPageToken")
            if not token or page.get("isLast"):
                return
            asked["nextPageToken"] = token
        else:
            start = int(asked.get("startAt", 0)) + len(page["issues"])
            if not page["issues"] or start >= int(page["total"]):
                return
            asked["startAt"] = start
