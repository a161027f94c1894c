"""Change an issue: its fields, its assignee, its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ticketing.trackers.base import Category, Change, Fault, IssueRef, TrackerError
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.creating import long_text, summary

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
        if fields:
            self._client.put(self._path, json={"fields": fields})

    def _assign(self, change: Change) -> None:
        """By the way that needs the least permission, and no field on a screen."""
        if change.assignee is None or isinstance(change.assignee, str):
            word = "accountId" if self._client.is_cloud else "name"
            self._client.put(f"{self._path}/assignee", json={word: change.assignee})

    def _move(self, change: Change) -> None:
        if change.category is None:
            return
        issue = self._client.get(self._path, params={"fields": "status"})
        status = issue["fields"]["status"]
        if reading.category(status) is change.category:
            return
        step = _best(self._steps(), change.category, change.status_id)
        if step is None:
            raise TrackerError(
                Fault.REJECTED,
                f"The workflow of {self._ref.key} has no step from {status['name']} to "
                f"{_WORDS[change.category]}.",
                field="status",
            )
        body: dict[str, Any] = {"transition": {"id": str(step["id"])}}
        if answers := _answers(step):
            body["fields"] = answers
        self._client.post(f"{self._path}/transitions", json=body)

    def _steps(self) -> list[Json]:
        asked = {"expand": "transitions.fields"}
        steps: list[Json] = self._client.get(f"{self._path}/transitions", params=asked)[
            "transitions"
        ]
        return steps


_WORDS = {
    Category.NEW: "a status that is to do",
    Category.IN_PROGRESS: "a status that is in progress",
    Category.DONE: "a status that is done",
}


def _best(steps: Sequence[Json], category: Category, status_id: str) -> Json | None:
    """The step to the wanted status, or one that asks for nothing, or the first."""
    there = [
        step
        for step in steps
        if reading.category(step["to"]) is category
        and step.get("isAvailable", True)
        and _answers(step) is not None
    ]
    return min(
        there,
        key=lambda step: (str(step["to"]["id"]) != status_id, bool(_answers(step))),
        default=None,
    )


def _answers(step: Json) -> dict[str, Any] | None:
    """What the step's screen demands, such as a resolution; None if we cannot say it."""
    answers: dict[str, Any] = {}
    for name, field in (step.get("fields") or {}).items():
        if not field.get("required") or field.get("hasDefaultValue"):
            continue
        choices = field.get("allowedValues")
        if not choices or (field.get("schema") or {}).get("type") == "array":
            return None
        answers[name] = {"id": str(choices[0]["id"])}
    return answers
