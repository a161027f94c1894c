"""The site in a file: read at the start, replaced as a whole after each change."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ticketing.trackers.jira.sandbox.model import ChangedItem, Comment, History, Issue
from ticketing.trackers.jira.sandbox.site import Hook, Site

Json = dict[str, Any]


def save(site: Site, path: Path) -> None:
    """Reads come by POST too: what is there already is not written again."""
    text = json.dumps(_state(site), default=datetime.isoformat)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _state(site: Site) -> Json:
    return {
        "last_id": site.last_id,
        "projects": {
            project.id: [project.last_number, project.archived, project.deleted]
            for project in site.projects.values()
        },
        "moved": site.moved,
        "hooks": [asdict(hook) for hook in site.hooks.values()],
        "issues": [asdict(issue) for issue in site.issues.values()],
    }


def load(site: Site, path: Path) -> None:
    """Nothing when there is no file yet."""
    if not path.exists():
        return
    state: Json = json.loads(path.read_text(encoding="utf-8"))
    site.last_id = state["last_id"]
    site.moved = state["moved"]
    for identity, (number, archived, deleted) in state["projects"].items():
        project = site.projects[identity]
        project.last_number, project.archived, project.deleted = number, archived, deleted
    for hook in state["hooks"]:
        site.hooks[hook["id"]] = Hook(**hook | {"events": tuple(hook["events"])})
    for issue in state["issues"]:
        site.issues[issue["id"]] = _issue(issue)


def _issue(state: Json) -> Issue:
    return Issue(
        **state
        | _times(state, "created_at", "updated_at", "searchable_at", "fresh_at", "stale_updated_at")
        | {
            "comments": [
                Comment(**one | _times(one, "created_at", "updated_at"))
                for one in state["comments"]
            ],
            "histories": [
                History(
                    **one
                    | _times(one, "at")
                    | {"items": [ChangedItem(*item) for item in one["items"]]}
                )
                for one in state["histories"]
            ],
        }
    )


def _times(state: Json, *names: str) -> Json:
    return {name: datetime.fromisoformat(state[name]) if state[name] else None for name in names}
