"""Change an issue: its fields, its assignee, its status."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ticketing.trackers.base import Category, Change, Fault, IssueRef, TrackerError
from ticketing.trackers.jira import reading, transitions
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import long_text
from ticketing.trackers.jira.faults import Refused
from ticketing.trackers.jira.lengths import summary
from ticketing.trackers.jira.transitions import Step

Json = Mapping[str, Any]


class Changing:
    def __init__(self, client: JiraClient, ref: IssueRef) -> None:
        self._client = client
        self._ref = ref
        self._path = f"issue/{quote(ref.id, safe='')}"

    def push(self, change: Change) -> None:
        """Closed issues may take no edits, so closing comes last and opening first."""
        if change.category is not Category.DONE:
            self._move(change)
        self._edit(change)
        self._assign(change)
        if change.category is Category.DONE:
            self._move(change)

    def _edit(self, change: Change) -> None:
        fields: dict[str, Any] = {}
        if change.title:
            fields["summary"] = summary(change.title)
        if change.priority_id:
            fields["priority"] = {"id": change.priority_id}
        if change.description:
            fields["description"] = long_text(self._client.credentials.markup)(change.description)
        fields |= {field.id: day and field.value(day) for field, day in change.dates.items()}
        if fields:
            _done(self._client.put(self._path, json={"fields": fields}))

    def _assign(self, change: Change) -> None:
        """By the way that needs the least permission, and no field on a screen."""
        if change.assignee is None or isinstance(change.assignee, str):
            word = "accountId" if self._client.is_cloud else "name"
            _done(self._client.put(f"{self._path}/assignee", json={word: change.assignee}))

    def _move(self, change: Change) -> None:
        if change.category is None:
            return
        fields = self._client.get(self._path, params={"fields": "status,resolution"})["fields"]
        status = fields["status"]
        if reading.category(status) is change.category:
            return
        step = transitions.choose(
            self._steps(), change, key=self._ref.key, credentials=self._client.credentials
        )
        if step is None:
            raise TrackerError(
                Fault.REJECTED,
                f"The workflow of {self._ref.key} has no step from {status['name']} to "
                f"{_WORDS[change.category]}.",
                field="status",
            )
        if change.category is Category.DONE:
            self._close(step)
        else:
            self._open(step, clear=bool(reading.resolution(fields)))

    def _steps(self) -> list[Json]:
        asked = {"expand": "transitions.fields"}
        steps: list[Json] = self._client.get(f"{self._path}/transitions", params=asked)[
            "transitions"
        ]
        return steps

    def _close(self, step: Step) -> None:
        try:
            self._take(step, step.fields)
        except Refused as refused:
            # A validator of the workflow may want what its screen does not call required.
            field = next(iter(refused.answer.errors), "") if refused.status == _INVALID else ""
            if not field:
                raise
            said = f": {refused.answer.errors[field]}".rstrip(".")
            missing = transitions.missing_answer(
                step, step.name_of(field), field, key=self._ref.key, said=said
            )
        else:
            return
        raise missing

    def _open(self, step: Step, *, clear: bool) -> None:
        """Without the resolution, where Jira lets us: its workflow may have its own way."""
        is_on_screen = clear and transitions.RESOLUTION in step.screen
        try:
            self._take(step, {**step.fields, **(_NO_RESOLUTION if is_on_screen else {})})
        except Refused as refused:
            if not is_on_screen or refused.status != _INVALID:
                raise
            self._take(step, step.fields)
        if clear:
            with contextlib.suppress(TrackerError):  # it is open again, which is what counts
                self._clear_resolution()

    def _take(self, step: Step, fields: Json) -> None:
        body: dict[str, Any] = {"transition": {"id": step.id}}
        if fields:
            body["fields"] = dict(fields)
        _done(self._client.post(f"{self._path}/transitions", json=body))

    def _clear_resolution(self) -> None:
        issue = self._client.get(self._path, params={"fields": transitions.RESOLUTION})
        if not reading.resolution(issue["fields"]):
            return
        screen = self._client.get(f"{self._path}/editmeta")["fields"]
        if transitions.RESOLUTION in screen:
            _done(self._client.put(self._path, json={"fields": _NO_RESOLUTION}))


def _done(answer: object) -> None:
    """Jira says nothing of a change that it made; whoever says something is not Jira. Taken for
    success, the value that is there still would be read as somebody's change of ours."""
    if answer is not None:
        reason = "Something that is not Jira answered, and nothing was changed."
        raise TrackerError(Fault.TRANSIENT, reason, suspicious=True)


_INVALID = 400
_NO_RESOLUTION: Json = {transitions.RESOLUTION: None}
_WORDS = {
    Category.NEW: "a status that is to do",
    Category.IN_PROGRESS: "a status that is in progress",
    Category.DONE: "a status that is done",
}
