"""A tracker in memory that keeps the contract of the port, and fails when told to.

    tracker = FakeTracker()
    tracker.fail("create", unsure(), after=True)     # stored, but the answer is lost
    tracker.fail("create", transient(retry_after=7), times=3)
    tracker.issues_with("fa-abc")                    # what is stored there
    tracker.calls                                    # ("create", "fa-abc"), ("find", "fa-abc"), …

It may be used by several threads. `is_blind` makes look-ups see nothing, and say so.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ticketing.trackers.base import (
    Category,
    Change,
    Destination,
    Edit,
    Fault,
    Found,
    IssueDraft,
    IssueRef,
    IssueState,
    Lookup,
    RemoteComment,
    RemoteUser,
    TrackerError,
)

SPACE = Destination(space_id="10000", space_key="SEC", type_id="10001")
HOST = "jira.example.com"
BOT = RemoteUser("bot", "Findings Bot", "bot@example.com")
PEOPLE = {"bot": BOT, "dana": RemoteUser("dana", "Dana Developer", "dana@example.com")}
STATUSES = {
    "1": ("To Do", Category.NEW),
    "2": ("In Progress", Category.IN_PROGRESS),
    "3": ("In Review", Category.IN_PROGRESS),
    "4": ("Done", Category.DONE),
}


def unsure(reason: str = "jira.example.com did not answer, or broke off.") -> TrackerError:
    return TrackerError(Fault.UNSURE, reason)


def transient(
    reason: str = "Jira asks to slow down (HTTP 429).",
    *,
    retry_after: float | None = None,
    whole_account: bool = True,
) -> TrackerError:
    return TrackerError(
        Fault.TRANSIENT, reason, retry_after=retry_after, whole_account=whole_account, status=429
    )


def refused(reason: str = "Jira refused the ticket.", *, remedy: str = "") -> TrackerError:
    return TrackerError(Fault.REJECTED, reason, remedy=remedy, status=400)


def misconfigured(
    reason: str = "Jira space SEC is no longer valid (HTTP 404).", *, field: str = "project"
) -> TrackerError:
    return TrackerError(Fault.CONFIG, reason, field=field, status=400)


def unauthorized(reason: str = "Jira rejected the credentials (HTTP 401).") -> TrackerError:
    return TrackerError(Fault.AUTH, reason, status=401, whole_account=True)


class _Failure(NamedTuple):
    error: TrackerError
    after: bool


@dataclass
class FakeIssue:
    state: IssueState
    key: str  # that it was created with
    attempt: str
    fields: dict[str, Any]
    comments: list[RemoteComment] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)


class FakeTracker:
    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.issues: dict[str, FakeIssue] = {}  # by id
        self.calls: list[tuple[str, str]] = []
        self.is_blind = False
        self.dead_ends: set[Category] = set()  # no transition leads there
        self._now = now
        self._number = 0
        self._comments = 0
        self._failures: dict[str, list[_Failure]] = {}
        self._lock = threading.RLock()

    # --- What a test may do ---------------------------------------------------------------

    def fail(
        self, method: str, error: TrackerError, *, times: int = 1, after: bool = False
    ) -> None:
        """Raise `error` from the next calls of `method`: instead of the deed, or after it."""
        self._failures.setdefault(method, []).extend([_Failure(error, after)] * times)

    def issues_with(self, key: str) -> list[FakeIssue]:
        return [issue for issue in self.issues.values() if issue.key == key]

    def called(self, method: str) -> list[str]:
        return [about for name, about in self.calls if name == method]

    def change(self, ref: IssueRef, *, by: str = "dana", **values: Any) -> None:
        """Somebody changes the issue there."""
        issue = self.issues[ref.id]
        edits = dict(issue.state.edits)
        names = {"category": "status", "priority_id": "priority"}
        for name in values:
            edits[names.get(name, name)] = Edit(self._now(), by, PEOPLE[by].name)
        issue.state = replace(issue.state, updated_at=self._now(), edits=edits, **values)

    def write(self, ref: IssueRef, text: str, *, by: str = "dana", key: str = "") -> RemoteComment:
        """Somebody comments there."""
        issue = self.issues[ref.id]
        at = self._now()
        self._comments += 1
        number = f"{ref.id}-{self._comments}"
        comment = RemoteComment(number, key, PEOPLE[by], text, at, at)
        issue.comments.append(comment)
        return comment

    def delete(self, ref: IssueRef) -> None:
        del self.issues[ref.id]

    # --- The port -------------------------------------------------------------------------

    def check(self, destination: Destination, fields: Mapping[str, Any]) -> None:
        with self._call("check", destination.space_key):
            self._space(destination)

    def floor(self, destination: Destination) -> int:
        with self._call("floor", destination.space_key):
            self._space(destination)
            return self._number

    def create(self, draft: IssueDraft, *, key: str, attempt: str) -> IssueRef:
        with self._call("create", key):
            self._space(draft.destination)
            self._number += 1
            ref = IssueRef(str(20000 + self._number), f"{SPACE.space_key}-{self._number}")
            self.issues[ref.id] = FakeIssue(
                state=self._new_state(ref, draft),
                key=key,
                attempt=attempt,
                fields=dict(draft.fields),
            )
            return ref

    def find(self, lookup: Lookup) -> Found:
        with self._call("find", lookup.key):
            if self.is_blind:
                return Found((), is_complete=False)
            found = [issue.state.ref for issue in self.issues_with(lookup.key)]
            return Found(tuple(sorted(found, key=lambda ref: int(ref.id))), is_complete=True)

    def fetch(self, ids: Collection[str]) -> Mapping[str, IssueState]:
        with self._call("fetch", ",".join(ids)):
            return {
                id_: replace(issue.state, comments=tuple(issue.comments))
                for id_ in ids
                if (issue := self.issues.get(id_))
            }

    def push(self, ref: IssueRef, change: Change) -> None:
        with self._call("push", ref.id):
            issue = self._issue(ref)
            values: dict[str, Any] = {}
            if change.category and change.category is not issue.state.category:
                values |= self._step(change.category, change.status_id)
            if change.assignee is None or isinstance(change.assignee, str):
                values["assignee"] = PEOPLE.get(change.assignee or "")
            for name in ("priority_id", "title", "description"):
                if value := getattr(change, name):
                    values[name] = value
            self.change(ref, by=BOT.id, **values)

    def comment(self, ref: IssueRef, text: str, *, key: str) -> str:
        with self._call("comment", key):
            issue = self._issue(ref)
            there = [comment.id for comment in issue.comments if comment.key == key]
            return there[0] if there else self.write(ref, text, by=BOT.id, key=key).id

    def edit_comment(self, ref: IssueRef, comment_id: str, text: str) -> datetime:
        with self._call("edit_comment", comment_id):
            issue = self._issue(ref)
            place = self._place(issue, comment_id)
            if place is None:
                raise TrackerError(Fault.REJECTED, "The comment was not found.", status=404)
            at = self._now()
            issue.comments[place] = issue.comments[place]._replace(text=text, updated_at=at)
            return at

    def delete_comment(self, ref: IssueRef, comment_id: str) -> None:
        with self._call("delete_comment", comment_id):
            issue = self._issue(ref)
            if (place := self._place(issue, comment_id)) is not None:
                del issue.comments[place]

    def resolve(self, address: str) -> IssueRef:
        with self._call("resolve", address):
            wanted = address.removeprefix(f"https://{HOST}/browse/").upper()
            for issue in self.issues.values():
                if issue.state.ref.key == wanted:
                    return issue.state.ref
            raise TrackerError(Fault.REJECTED, f"{wanted} was not found in {HOST}.", status=404)

    def person(self, email: str) -> RemoteUser | None:
        with self._call("person", email):
            return next((one for one in PEOPLE.values() if one.email == email.lower()), None)

    def link(self, ref: IssueRef, *, url: str, title: str, key: str) -> None:
        with self._call("link", ref.id):
            self._issue(ref).links[key] = (url, title)

    # --- Inside -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _call(self, method: str, about: str) -> Iterator[None]:
        with self._lock:
            self.calls.append((method, about))
            waiting = self._failures.get(method, [])
            failure = waiting.pop(0) if waiting else None
            if failure and not failure.after:
                raise failure.error
            yield
            if failure:
                raise failure.error

    def _space(self, destination: Destination) -> None:
        if destination.space_id != SPACE.space_id:
            raise misconfigured(
                f"Jira space {destination.space_key} is no longer valid (HTTP 404)."
            )
        if destination.type_id != SPACE.type_id:
            raise misconfigured("The ticket type no longer exists in SEC.", field="issuetype")

    def _issue(self, ref: IssueRef) -> FakeIssue:
        if ref.id not in self.issues:
            raise TrackerError(Fault.REJECTED, f"{ref.key} was not found in {HOST}.", status=404)
        return self.issues[ref.id]

    def _place(self, issue: FakeIssue, comment_id: str) -> int | None:
        ids = [comment.id for comment in issue.comments]
        return ids.index(comment_id) if comment_id in ids else None

    def _step(self, category: Category, status_id: str) -> dict[str, Any]:
        if category in self.dead_ends:
            raise TrackerError(
                Fault.REJECTED, f"No step leads to a status of {category.value}.", field="status"
            )
        ids = [id_ for id_, (_, one) in STATUSES.items() if one is category]
        chosen = status_id if status_id in ids else ids[0]
        return {"status": STATUSES[chosen][0], "category": category}

    def _new_state(self, ref: IssueRef, draft: IssueDraft) -> IssueState:
        assignee = draft.fields.get("assignee") or {}
        priority = draft.fields.get("priority") or {}
        return IssueState(
            ref=ref,
            space_id=SPACE.space_id,
            space_key=SPACE.space_key,
            status="To Do",
            category=Category.NEW,
            assignee=PEOPLE.get(assignee.get("accountId", "")),
            priority_id=str(priority.get("id", "3")),
            title=draft.summary,
            description=draft.description,
            updated_at=self._now(),
        )
