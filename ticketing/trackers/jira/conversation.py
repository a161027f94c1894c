"""The comments of an issue, and which of them are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ticketing.trackers.base import RemoteComment
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import long_text
from ticketing.trackers.jira.faults import Refused
from ticketing.trackers.jira.reading import COMMENT_PROPERTY

Json = Mapping[str, Any]

_PAGE = 100
# In a service project our comments are the team's: without this, Jira mails them to the customer.
_INTERNAL = {"key": "sd.public.comment", "value": {"internal": True}}


class Conversation:
    def __init__(self, client: JiraClient, issue_id: str) -> None:
        self._client = client
        self._path = f"issue/{quote(issue_id, safe='')}/comment"

    def comments(self, shown: Json | None) -> list[RemoteComment]:
        """All comments. `shown` are those that came with the issue: without properties."""
        raw: list[Json] = list((shown or {}).get("comments") or ())
        total = int((shown or {}).get("total") or len(raw))
        if len(raw) < total or any(map(self._is_by_us, raw)):
            raw = list(self._all())
        found = [reading.comment(one, self._key(one)) for one in raw]
        return sorted(found, key=lambda comment: (comment.created_at, comment.id))

    def find(self, key: str) -> str:
        """The id of the comment that was written with this key, or nothing."""
        ours = (one for one in self._all() if self._is_by_us(one))
        return next((str(one["id"]) for one in ours if self._key(one) == key), "")

    def write(self, text: str, *, key: str) -> str:
        body = long_text(self._client.credentials.markup)(text)
        properties = [{"key": COMMENT_PROPERTY, "value": {"key": key}}, _INTERNAL]
        answer = self._client.post(self._path, json={"body": body, "properties": properties})
        return reading.comment(answer, key).id  # whole: other products have ids, too

    def edit(self, comment_id: str, text: str) -> datetime:
        body = long_text(self._client.credentials.markup)(text)
        answer = self._client.put(self._one(comment_id), json={"body": body})
        return reading.moment(answer["updated"])

    def delete(self, comment_id: str) -> None:
        try:
            self._client.delete(self._one(comment_id))
        except Refused as refused:
            if refused.status != 404 or not self._is_there():
                raise

    def _is_there(self) -> bool:
        """The issue: else the comment was not looked for in the right place."""
        self._client.get(self._path, params={"maxResults": 1})
        return True

    def _one(self, comment_id: str) -> str:
        return f"{self._path}/{quote(comment_id, safe='')}"

    def _all(self) -> Iterator[Json]:
        start = 0
        while True:
            asked = {"startAt": start, "maxResults": _PAGE, "expand": "properties"}
            page = self._client.get(self._path, params=asked)
            yield from page["comments"]
            start += len(page["comments"])
            if not page["comments"] or start >= int(page.get("total") or 0):
                return

    def _is_by_us(self, raw: Json) -> bool:
        us = self._client.credentials.user_id.lower()
        return not us or reading.user(raw.get("author") or {}).id.lower() == us

    def _key(self, raw: Json) -> str:
        """Some do not show the properties with the comment: then ask for it alone."""
        if "properties" in raw or not self._is_by_us(raw):
            return reading.key_of(raw.get("properties"))
        path = f"comment/{quote(str(raw['id']), safe='')}/properties/{COMMENT_PROPERTY}"
        try:
            answer = self._client.get(path)
        except Refused as refused:
            if refused.status != 404:
                raise
            return ""
        return reading.key_of([answer])
