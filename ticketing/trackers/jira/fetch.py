"""Many issues are read at once, and one that cannot be read is its own problem.

What fails is halved until the culprit is alone: Jira refuses it, breaks off, answers with more
than we read, or in a shape that nobody knows. But first we make sure that it is not Jira itself
that fails: one that is away would be asked for each half again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ticketing.trackers.base import Fault, IssueState, OutOfTime, TrackerError
from ticketing.trackers.jira import reading
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.conversation import Conversation
from ticketing.trackers.jira.faults import Call, Refused

_PAGE = 100  # the most that a bulk fetch takes
_OTHER_SHAPE = (AttributeError, LookupError, TypeError, ValueError)
_THROTTLED = 429
Json = Mapping[str, Any]
States = dict[str, IssueState | TrackerError]


class _Answer(NamedTuple):
    """Those that are in neither do not exist."""

    issues: list[Json]
    errors: dict[str, TrackerError]


class Reader:
    """For one call of `fetch`. Raises what concerns the whole account."""

    def __init__(self, client: JiraClient, dates: Collection[str]) -> None:
        self._client = client
        self._dates = dates
        self._fields = [*reading.FIELDS, *sorted(dates)]
        self._is_proved = False  # that Jira answers, and to us

    def read(self, ids: Collection[str]) -> States:
        wanted = list(dict.fromkeys(ids))
        size = _PAGE if self._client.is_cloud else 1  # Data Center has no bulk fetch
        found: States = {}
        try:
            for start in range(0, len(wanted), size):
                self._take(found, wanted[start : start + size])
            if len(found) < len(wanted):
                self._client.prove_identity()  # a stranger would see none of them
        except OutOfTime as late:
            if not found:
                raise
            # What was read is not read in vain, however slow it goes.
            return dict.fromkeys(wanted, late) | found
        return found

    def _take(self, found: States, ids: Sequence[str], *, is_again: bool = False) -> None:
        try:
            answer = self._ask(ids)
        except TrackerError as error:
            if _is_about_all(error):
                raise
            failure = error
        except _OTHER_SHAPE:
            failure = _other_shape()
        else:
            found |= answer.errors
            for issue in answer.issues:
                found[str(issue["id"])] = self._state(issue)
            return
        self._prove()
        if len(ids) > 1:
            half = len(ids) // 2
            self._take(found, ids[:half])
            self._take(found, ids[half:])
        elif is_again:
            found[ids[0]] = _own(failure)
        else:  # one strange answer is no reason to set it aside
            self._take(found, ids, is_again=True)

    def _ask(self, ids: Sequence[str]) -> _Answer:
        if not self._client.is_cloud:
            return self._ask_for_one(ids[0])
        body = {"issueIdsOrKeys": list(ids), "fields": self._fields, "expand": ["changelog"]}
        answer = self._client.post("issue/bulkfetch", json=body, call=Call.READ)
        errors = {
            str(each["id"]): _unreadable(str(each.get("errorMessage") or ""))
            for each in answer.get("issueErrors") or ()
        }
        seen = {str(issue["id"]) for issue in answer["issues"]} | errors.keys()
        if not seen <= set(ids):  # an error that names none of them may be about any
            raise _unreadable("")
        return _Answer(answer["issues"], errors)

    def _ask_for_one(self, id_: str) -> _Answer:
        params = {"fields": ",".join(self._fields), "expand": "changelog"}
        try:
            issue = self._client.get(f"issue/{quote(id_, safe='')}", params=params)
        except Refused as refused:
            if refused.status != 404 or not refused.answer.is_of_jira:
                raise
            return _Answer([], {})
        return _Answer([{**issue, "id": str(issue["id"])}], {})

    def _state(self, issue: Json) -> IssueState | TrackerError:
        talk = Conversation(self._client, str(issue["id"]))
        try:
            comments = talk.comments(issue["fields"].get("comment"))
            ahead = self._client.ahead
            return reading.issue_state(issue, comments, ahead=ahead, dates=self._dates)
        except TrackerError as error:
            if _is_about_all(error):
                raise
            failure = error
        except _OTHER_SHAPE:
            failure = _other_shape()
        self._prove()
        return _own(failure)

    def _prove(self) -> None:
        if not self._is_proved:
            self._client.prove_identity()
            self._is_proved = True


def _is_about_all(error: TrackerError) -> bool:
    """Nothing is there, or we have to wait: asking for less does not help. A suspicious answer
    may be about one of the issues, if Jira answers to us otherwise."""
    if error.suspicious:
        return False
    return error.is_shared or error.status == _THROTTLED


def _own(error: TrackerError) -> TrackerError:
    """The same, of this issue only."""
    return TrackerError(
        Fault.TRANSIENT,
        error.reason,
        retry_after=error.retry_after,
        status=error.status,
        response=error.response,
    )


def _unreadable(message: str) -> TrackerError:
    reason = f"Jira could not read the issue. {message[:500]}"
    return TrackerError(Fault.TRANSIENT, reason.strip())


def _other_shape() -> TrackerError:
    reason = "Jira described the issue in a shape that is not known."
    return TrackerError(Fault.TRANSIENT, reason)
