"""The port to systems that keep tickets elsewhere, whole.

A tracker translates. It makes each call once; it never retries, waits, stores, logs a secret,
or knows the outbox. Pure: values and one protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol


class Fault(StrEnum):
    """Why a call failed, by what has to happen next."""

    TRANSIENT = "transient"  # surely not done; wait, then try again
    CONFIG = "config"  # surely not done; the destination or the account must be repaired
    AUTH = "auth"  # surely not done; the account's credentials are not accepted
    REJECTED = "rejected"  # surely not done; this one ticket needs a person
    UNSURE = "unsure"  # perhaps done: look before doing it again


class TrackerError(Exception):
    """A call that failed. `str(error)` is the reason, for a person and without secrets."""

    def __init__(
        self,
        fault: Fault,
        reason: str,
        *,
        field: str = "",
        retry_after: float | None = None,
        status: int | None = None,
        remedy: str = "",
        whole_account: bool = False,
        response: str = "",
    ) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason
        self.field = field  # the id of the external field at fault
        self.retry_after = retry_after  # seconds that the other side asked for
        self.status = status  # of the HTTP answer, if there was one
        self.remedy = remedy  # what may help without a person, once: see `IssueDraft.remedies`
        self.whole_account = whole_account  # concerns every call of the account, not this one
        self.response = response  # an excerpt of the answer that may be shown


class Destination(NamedTuple):
    """Where issues are created. Ids, because keys and names change."""

    space_id: str
    space_key: str
    type_id: str


class IssueRef(NamedTuple):
    id: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueDraft:
    """An issue to create. `summary` is plain text, `description` Markdown.

    `fields` are the tracker's own fields by id, as a rule keeps them, with every placeholder
    filled: the tracker writes them in its own form. `constants` names those whose value is the
    same for every finding.
    `remedies` are those of earlier refusals: "truncate", or "drop:<field id>".
    """

    destination: Destination
    summary: str
    description: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    remedies: tuple[str, ...] = ()


class Lookup(NamedTuple):
    """An unsure create: `key` was written into the issue, if there is one."""

    key: str
    destination: Destination
    since: datetime  # when it was sent
    floor: int  # the highest issue number of the space that was known before it was sent
    ceiling: int = 0  # the highest number known now, if greater than what a search shows


class Found(NamedTuple):
    """What a look-up saw. Only a complete one that found nothing proves that there is nothing."""

    refs: tuple[IssueRef, ...]
    is_complete: bool


class RemoteUser(NamedTuple):
    id: str  # Cloud: accountId, Data Center: name
    name: str
    email: str = ""  # often hidden


class RemoteComment(NamedTuple):
    id: str
    key: str  # the one we wrote it with; empty for a comment that came from there
    author: RemoteUser
    text: str  # Markdown
    created_at: datetime
    updated_at: datetime


class Category(StrEnum):
    """What a status means, whatever it is called."""

    NEW = "new"
    IN_PROGRESS = "indeterminate"
    DONE = "done"


class Edit(NamedTuple):
    """When, by whom a field was last changed there, as its change log says."""

    at: datetime
    by: str  # RemoteUser.id
    name: str = ""  # RemoteUser.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueState:
    """An issue as it is there now."""

    ref: IssueRef
    space_id: str
    space_key: str
    status: str  # its name
    category: Category
    assignee: RemoteUser | None
    priority_id: str
    title: str
    description: str  # Markdown, as far as the markup allows
    updated_at: datetime
    edits: Mapping[str, Edit] = field(default_factory=dict)  # by name of the field
    comments: Sequence[RemoteComment] = ()


class _Unchanged:
    """The type of UNCHANGED: not None, which is a value."""


UNCHANGED = _Unchanged()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change of an issue; everything else stays."""

    category: Category | None = None  # a transition that leads there is looked for
    status_id: str = ""  # the status preferred among those of the category
    assignee: str | _Unchanged | None = UNCHANGED  # RemoteUser.id, or nobody
    priority_id: str = ""
    title: str = ""
    description: str = ""  # Markdown


class Tracker(Protocol):
    """Every method raises TrackerError and nothing else."""

    def check(self, destination: Destination, fields: Mapping[str, Any]) -> None:
        """Would a create be accepted? Address, credentials, permission, type, these fields."""
        ...

    def floor(self, destination: Destination) -> int:
        """The highest issue number of the space; one that is too low costs only time."""
        ...

    def create(self, draft: IssueDraft, *, key: str, attempt: str) -> IssueRef:
        """Send one create, exactly once, with the key written into it."""
        ...

    def find(self, lookup: Lookup) -> Found:
        """Did an unsure create succeed? By key, in every way there is."""
        ...

    def fetch(self, ids: Collection[str]) -> Mapping[str, IssueState]:
        """Issue id → its state; ids that are not in it do not exist (or not for us)."""
        ...

    def push(self, ref: IssueRef, change: Change) -> None:
        """Change the issue. Doing it twice is harmless."""
        ...

    def comment(self, ref: IssueRef, text: str, *, key: str) -> str:
        """Write a comment (Markdown), unless one with this key is there; returns its id."""
        ...

    def edit_comment(self, ref: IssueRef, comment_id: str, text: str) -> datetime:
        """Put another text in its place; returns when it was changed, in their time."""
        ...

    def delete_comment(self, ref: IssueRef, comment_id: str) -> None:
        """Delete it. One that is gone already is as good."""
        ...

    def resolve(self, address: str) -> IssueRef:
        """The issue at this key or address of its page; REJECTED if there is none."""
        ...

    def person(self, email: str) -> RemoteUser | None:
        """Who has this e-mail address there; nobody, too, if it cannot be told."""
        ...

    def link(self, ref: IssueRef, *, url: str, title: str, key: str) -> None:
        """Show a link to our page on the issue. Doing it twice is harmless."""
        ...
