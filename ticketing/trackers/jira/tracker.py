"""Jira behind the port: each method is a few requests, none of them repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from ticketing.fields.spec import FieldSpec
from ticketing.trackers.base import (
    Change,
    Changes,
    Destination,
    Fault,
    Found,
    IssueDraft,
    IssueRef,
    IssueState,
    LeftOut,
    Lookup,
    RemoteUser,
    TrackerError,
)
from ticketing.trackers.jira import finding, reading, recent, refusals
from ticketing.trackers.jira.catalogue import JiraCatalogue
from ticketing.trackers.jira.changing import Changing
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.conversation import Conversation
from ticketing.trackers.jira.creating import Created, create_body, well_known
from ticketing.trackers.jira.faults import Refused
from ticketing.trackers.jira.fetch import Reader
from ticketing.trackers.jira.lengths import cut
from ticketing.trackers.jira.places import Place

_MAX_LINK_TITLE = 255
_UNFILLED = "{{…}}"
"""In the place of a value that this ticket has nothing for, and others may have."""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]{1,18}")

P = ParamSpec("P")
R = TypeVar("R")


def _in_jiras_shape(method: Callable[P, R]) -> Callable[P, R]:
    """An answer of another shape than Jira's is a TrackerError, too."""

    @wraps(method)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise _other_shape() from error

    return ask


def _other_shape() -> TrackerError:
    reason = "The answer has another shape than Jira's."
    return TrackerError(Fault.TRANSIENT, reason, suspicious=True)


class JiraTracker:
    def __init__(self, client: JiraClient, dates: Collection[str] = ()) -> None:
        """`dates` are ids of fields that hold a day, read with each issue."""
        self._client = client
        self._dates = dates
        self._screens: dict[Destination, Collection[FieldSpec]] = {}  # of this connection

    @_in_jiras_shape
    def identify(self) -> None:
        self._client.prove_identity()

    @_in_jiras_shape
    def check(self, destination: Destination, fields: Mapping[str, Any]) -> None:
        for problem in Place(self._client, destination).problems(fields):
            raise problem

    @_in_jiras_shape
    def floor(self, destination: Destination) -> int:
        try:
            return finding.newest_number(self._client, destination)
        except Refused as refused:
            if refused.status == 400:  # the search does not know the space: why?
                self.check(destination, {})
            raise

    def create(
        self,
        draft: IssueDraft,
        *,
        key: str,
        attempt: str,
        report: Callable[[Sequence[LeftOut]], None] = lambda _: None,
        before_write: Callable[[], None] = lambda: None,
    ) -> IssueRef:
        created = self._written(draft, key, attempt)
        if created.left_out:
            report(created.left_out)
        try:
            issue = self._client.create("issue", json=created.body, before_write=before_write)
        except Refused as refused:
            is_about_it = refused.fault in (Fault.CONFIG, Fault.REJECTED)
            if refused.whole_account or not is_about_it:
                raise
            error = self._explained(refused, draft, created)
        else:
            return reading.issue_ref(issue)
        raise error

    @_in_jiras_shape
    def find_new(self, lookups: Sequence[Lookup]) -> Mapping[str, Sequence[IssueRef]]:
        return finding.find_new(self._client, lookups)

    @_in_jiras_shape
    def find(self, lookups: Sequence[Lookup]) -> Mapping[str, Found]:
        return finding.find(self._client, lookups)

    @_in_jiras_shape
    def fetch(self, ids: Collection[str]) -> Mapping[str, IssueState | TrackerError]:
        return Reader(self._client, self._dates).read(ids)

    @_in_jiras_shape
    def changes(self, space_id: str, *, minutes: int) -> Changes:
        return recent.changes(self._client, space_id, minutes=minutes)

    @_in_jiras_shape
    def push(self, ref: IssueRef, change: Change) -> None:
        self._of(ref, lambda: Changing(self._client, ref).push(change))

    @_in_jiras_shape
    def comment(self, ref: IssueRef, text: str, *, key: str) -> str:
        talk = Conversation(self._client, ref.id)
        return self._of(ref, lambda: talk.find(key) or talk.write(text, key=key))

    @_in_jiras_shape
    def edit_comment(self, ref: IssueRef, comment_id: str, text: str) -> datetime:
        talk = Conversation(self._client, ref.id)
        return self._of(ref, lambda: talk.edit(comment_id, text))

    @_in_jiras_shape
    def delete_comment(self, ref: IssueRef, comment_id: str) -> None:
        talk = Conversation(self._client, ref.id)
        self._of(ref, lambda: talk.delete(comment_id))

    @_in_jiras_shape
    def resolve(self, address: str) -> IssueRef:
        key = _key_at(address, self._client.credentials.site_url)
        if not key:
            shown = " ".join(address.split())[:200]
            raise self._absent(shown)
        path = f"issue/{quote(key, safe='')}"
        return self._of(
            IssueRef("", key),
            lambda: reading.issue_ref(self._client.get(path, params={"fields": "summary"})),
        )

    @_in_jiras_shape
    def person(self, email: str) -> RemoteUser | None:
        return JiraCatalogue(self._client).user_by_email(email)

    @_in_jiras_shape
    def link(self, ref: IssueRef, *, url: str, title: str, key: str) -> None:
        body = {
            "globalId": key,
            "application": {"type": "findings-automation", "name": "Findings Automation"},
            "relationship": "created from",
            "object": {"url": url, "title": cut(title, _MAX_LINK_TITLE)},
        }
        path = f"issue/{quote(ref.id, safe='')}/remotelink"
        self._of(ref, lambda: self._client.post(path, json=body))

    # --- Inside -----------------------------------------------------------------------------

    def _written(self, draft: IssueDraft, key: str, attempt: str) -> Created:
        specs = self._specs(draft)
        credentials = self._client.credentials
        try:
            return create_body(
                draft, key=key, attempt=attempt, specs=specs, credentials=credentials
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise TrackerError(
                Fault.REJECTED, "The fields of the ticket cannot be written for Jira."
            ) from error

    @_in_jiras_shape
    def _specs(self, draft: IssueDraft) -> Collection[FieldSpec]:
        """What the fields are, so that their values can be written as Jira wants them."""
        known = well_known(draft)
        if known is not None:
            return known
        place = draft.destination
        try:
            if place not in self._screens:
                self._screens[place] = Place(self._client, place).screen().values()
        except Refused as refused:
            if refused.status not in (400, 403, 404) or refused.whole_account:
                raise
            return ()  # the create says what is wrong with the place
        return self._screens[place]

    def _explained(self, refused: Refused, draft: IssueDraft, created: Created) -> TrackerError:
        """The refusal, after one look at how the place is now. Nothing is sent again."""
        place = Place(self._client, draft.destination)
        self._screens.pop(draft.destination, None)
        named = {"", "project", "issuetype", *refused.answer.errors} - created.ours
        screen: dict[str, str] | None = None
        try:
            # What this ticket could not fill is no fault of the place.
            unfilled = dict.fromkeys(draft.left_out, _UNFILLED)
            for problem in place.problems({**unfilled, **draft.fields}):
                if problem.field in named:
                    return Refused(
                        refused.answer, problem.fault, problem.reason, field=problem.field
                    )
            screen = {field.id: field.name for field in place.screen().values()}
        except TrackerError as error:
            if error.fault is Fault.AUTH:
                return error
        except (AttributeError, LookupError, TypeError, ValueError):
            screen = None  # not Jira's shape: what was refused says enough
        sent = refusals.Sent(
            space_key=draft.destination.space_key,
            fields=frozenset({*created.fields, *draft.fields}),
            constants=draft.constants,
            ours=created.ours,
            remedies=draft.remedies,
            unfilled=frozenset(draft.left_out),
            screen=screen,
        )
        return refusals.explain(refused, sent)

    def _of(self, ref: IssueRef, ask: Callable[[], R]) -> R:
        """What `ask` says, and in our words if the issue is not there."""
        try:
            return ask()
        except Refused as refused:
            if refused.status != 404 or not refused.answer.is_json:
                raise
        self._client.prove_identity()
        raise self._absent(ref.key)

    def _absent(self, name: str) -> TrackerError:
        return TrackerError(
            Fault.REJECTED, f"{name} was not found in {self._client.host}.", status=404
        )


def _key_at(address: str, site_url: str) -> str:
    """The issue key that was typed, or that an address of this site leads to."""
    address = address.strip()
    if _KEY.fullmatch(address):
        return address.upper()
    if "://" not in address:
        address = f"https://{address}"
    try:
        there, here = urlsplit(address), urlsplit(site_url)
        is_here = (there.hostname, there.port) == (here.hostname, here.port)
    except ValueError:
        return ""
    if not is_here:
        return ""
    chosen = parse_qs(there.query).get("selectedIssue", [])
    names = [*chosen, *reversed(there.path.split("/"))]
    return next((name.upper() for name in names if _KEY.fullmatch(name)), "")
