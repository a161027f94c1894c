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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from ticketing.trackers.base import (
    AnswerMissing,
    Category,
    Change,
    Changes,
    Destination,
    Edit,
    Fault,
    Found,
    IssueDraft,
    IssueRef,
    IssueState,
    LeftOut,
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


def failed(reason: str = "jira.example.com failed to answer (HTTP 503).") -> TrackerError:
    """Its application says so: nothing of the request happens later."""
    return TrackerError(Fault.UNSURE, reason, status=503, is_answered=True)


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
    error: TrackerError | None
    after: bool


@dataclass
class FakeIssue:
    state: IssueState
    key: str  # that it was created with
    attempt: str
    fields: dict[str, Any]
    comments: list[RemoteComment] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)


class Together:
    """Calls that wait for each other; `most` were under way at once."""

    def __init__(self, until: int) -> None:
        self.most = 0
        self._until = until
        self._waiting = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        with self._changed:
            self._waiting += 1
            self.most = max(self.most, self._waiting)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._until, timeout=2)
            self._waiting -= 1


class FakeTracker:
    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.issues: dict[str, FakeIssue] = {}  # by id
        self.calls: list[tuple[str, str]] = []
        self.is_blind = False
        self.unreadable: dict[str, TrackerError] = {}  # by id
        self.dead_ends: set[Category] = set()  # no transition leads there
        self.asked: dict[str, str] = {}  # on closing: id and name of fields
        self._now = now
        self._number = 0
        self._comments = 0
        self._failures: dict[str, list[_Failure]] = {}
        self._together: dict[str, Together] = {}
        self._lock = threading.RLock()

    # --- What a test may do ---------------------------------------------------------------

    def fail(
        self, method: str, error: TrackerError, *, times: int = 1, after: bool = False
    ) -> None:
        """Raise `error` from the next calls of `method`: instead of the deed, or after it."""
        self._failures.setdefault(method, []).extend([_Failure(error, after)] * times)

    def succeed(self, method: str) -> None:
        """Let the next call of `method` pass, between others that fail."""
        self._failures.setdefault(method, []).append(_Failure(None, after=False))

    def hold(self, method: str, *, until: int) -> Together:
        """Let each call of `method` wait, for a moment, until so many are under way together."""
        self._together[method] = Together(until)
        return self._together[method]

    def issues_with(self, key: str) -> list[FakeIssue]:
        return [issue for issue in self.issues.values() if issue.key == key]

    def called(self, method: str) -> list[str]:
        return [about for name, about in self.calls if name == method]

    def change(self, ref: IssueRef, *, by: str = "dana", **values: Any) -> None:
        """Somebody changes the issue there."""
        issue = self.issues[ref.id]
        edits = dict(issue.state.edits)
        names = {"category": "status", "priority_id": "priority"}
        dates = values.get("dates", {})
        for name in (*(values.keys() - {"dates"}), *dates):
            edits[names.get(name, name)] = Edit(self._now(), by, PEOPLE[by].name)
        values["dates"] = {**issue.state.dates, **dates}
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

    def identify(self) -> None:
        with self._call("identify", ""):
            pass

    def check(self, destination: Destination, fields: Mapping[str, Any]) -> None:
        with self._call("check", destination.space_key):
            self._space(destination)

    def floor(self, destination: Destination) -> int:
        with self._call("floor", destination.space_key):
            self._space(destination)
            return self._number

    def create(
        self,
        draft: IssueDraft,
        *,
        key: str,
        attempt: str,
        report: Callable[[Sequence[LeftOut]], None] = lambda _: None,
        before_write: Callable[[], None] = lambda: None,
    ) -> IssueRef:
        if draft.left_out:
            report([LeftOut(name, why) for name, why in draft.left_out.items()])
        before_write()
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

    def find_new(self, lookups: Sequence[Lookup]) -> Mapping[str, Sequence[IssueRef]]:
        with self._call("find_new", ",".join(one.key for one in lookups)):
            shown = {} if self.is_blind else {one.key: self._refs(one.key) for one in lookups}
            return {key: refs for key, refs in shown.items() if refs}

    def find(self, lookups: Sequence[Lookup]) -> Mapping[str, Found]:
        with self._call("find", ",".join(one.key for one in lookups)):
            if self.is_blind:
                return {one.key: Found((), is_complete=False) for one in lookups}
            return {one.key: Found(self._refs(one.key), is_complete=True) for one in lookups}

    def fetch(self, ids: Collection[str]) -> Mapping[str, IssueState | TrackerError]:
        with self._call("fetch", ",".join(ids)):
            states: dict[str, IssueState | TrackerError] = {
                id_: replace(issue.state, comments=tuple(issue.comments))
                for id_ in ids
                if (issue := self.issues.get(id_))
            }
            return states | {id_: self.unreadable[id_] for id_ in ids if id_ in self.unreadable}

    def changes(self, space_id: str, *, minutes: int) -> Changes:
        with self._call("changes", space_id):
            since = self._now() - timedelta(minutes=minutes)
            states = [issue.state for issue in self.issues.values()]
            updated = {
                state.ref.id: state.updated_at
                for state in states
                if state.space_id == space_id and state.updated_at >= since
            }
            return Changes(updated, is_complete=True)

    def push(self, ref: IssueRef, change: Change) -> None:
        with self._call("push", ref.id):
            issue = self._issue(ref)
            values: dict[str, Any] = {}
            if change.category and change.category is not issue.state.category:
                values |= self._step(ref, change)
            if change.assignee is None or isinstance(change.assignee, str):
                values["assignee"] = PEOPLE.get(change.assignee or "")
            for name in ("priority_id", "title", "description"):
                if value := getattr(change, name):
                    values[name] = value
            values["dates"] = {field.id: day for field, day in change.dates.items()}
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
        if method in self._together:
            self._together[method].wait()
        with self._lock:
            self.calls.append((method, about))
            waiting = self._failures.get(method, [])
            failure = waiting.pop(0) if waiting else None
            error = failure.error if failure else None
            if failure and error and not failure.after:
                raise error
            yield
            if error:
                raise error

    def _refs(self, key: str) -> tuple[IssueRef, ...]:
        found = [issue.state.ref for issue in self.issues_with(key)]
        return tuple(sorted(found, key=lambda ref: int(ref.id)))

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

    def _step(self, ref: IssueRef, change: Change) -> dict[str, Any]:
        category, status_id = change.category, change.status_id
        if category in self.dead_ends:
            raise TrackerError(
                Fault.REJECTED, f"No step leads to a status of {category.value}.", field="status"
            )
        ids = [id_ for id_, (_, one) in STATUSES.items() if one is category]
        chosen = status_id if status_id in ids else ids[0]
        values = {"status": STATUSES[chosen][0], "category": category, "resolution": ""}
        if category is not Category.DONE:
            return values
        for id_, name in self.asked.items():
            if id_ not in change.answers:
                reason = f"Jira asks for “{name}” to close {ref.key}."
                raise AnswerMissing(reason, field=id_, name=name)
        return values | {"resolution": [*change.answers.get("resolution", ()), "Done"][0]}

    def _new_state(self, ref: IssueRef, draft: IssueDraft) -> IssueState:
        assignee = draft.fields.get("assignee") or {}
        level = {"id": str(draft.priority)} if draft.priority else {}
        priority = draft.fields.get("priority") or level
        due = draft.fields.get("duedate")
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
            dates={"duedate": date.fromisoformat(due) if due else None},
        )
