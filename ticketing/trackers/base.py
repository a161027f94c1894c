"""The port to systems that keep tickets elsewhere, whole.

A tracker translates. It makes each call once; it never retries, waits, stores, logs a secret,
or knows the outbox. Pure: values and one protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from ticketing.close_reasons import CloseReason
from ticketing.due_days import DateField


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
        suspicious: bool = False,
        is_answered: bool = False,
        is_foreign: bool = False,
        endpoint: str = "",
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
        # Perhaps the account itself does not work any more: somebody has to look. See `identify`.
        self.suspicious = (
            suspicious or fault is Fault.AUTH or (fault is Fault.CONFIG and whole_account)
        )
        self.is_answered = is_answered  # UNSURE: the tracker itself says that it has failed
        self.is_foreign = is_foreign  # UNSURE: something else answered in the tracker's place
        self.endpoint = endpoint  # the only one that asks to wait; see `CREATE`

    @property
    def is_shared(self) -> bool:
        """Whether the next call of the kind fails alike: there is no point in trying now."""
        return self.whole_account or bool(self.endpoint)


CREATE = "create"
"""The endpoint that creates issues. What a tracker calls its other ones is its own affair."""


class AnswerMissing(TrackerError):
    """REJECTED: closing asks for a field (`field` is its id) that no answer fits."""

    def __init__(self, reason: str, *, field: str, name: str) -> None:
        super().__init__(Fault.REJECTED, reason, field=field)
        self.name = name  # of the field, as people there know it


class OutOfTime(TrackerError):
    """The caller's deadline came first: nothing was sent, and nobody is to blame."""

    def __init__(self) -> None:
        super().__init__(
            Fault.TRANSIENT, "There was no time left for it.", retry_after=1.0, whole_account=True
        )


class Destination(NamedTuple):
    """Where issues are created. Ids, because keys and names change."""

    space_id: str
    space_key: str
    type_id: str


class IssueRef(NamedTuple):
    id: str
    key: str


class LeftOut(NamedTuple):
    """A field of a draft that is not in the issue, or not with all of its value, and why."""

    name: str
    why: str  # the end of a sentence: "not on the create screen"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueDraft:
    """An issue to create. `summary` is plain text, `description` Markdown.

    `fields` are the tracker's own fields by id, as a rule keeps them, with every placeholder
    filled: the tracker writes them in its own form. `constants` names those whose value is the
    same for every finding.
    `optional` names those that the issue can do without, if the tracker does not take them.
    `priority` is from 1, the most urgent, to 5: the tracker finds its own for it unless the
    fields have one; 0 leaves it to the tracker.
    `remedies` are those of earlier refusals: "truncate", or "drop:<field id>".
    `left_out` are fields, by id, that could not be filled, with the reason.
    """

    destination: Destination
    summary: str
    description: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    priority: int = 0
    remedies: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


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
    resolution: str = ""  # its name, of one that is closed
    ahead: timedelta = timedelta()  # their clock is of ours, as far as that is known
    edits: Mapping[str, Edit] = field(default_factory=dict)  # by name of the field
    dates: Mapping[str, date | None] = field(default_factory=dict)  # by id, of those asked for
    comments: Sequence[RemoteComment] = ()


class _Unchanged:
    """The type of UNCHANGED: not None, which is a value."""


UNCHANGED = _Unchanged()


class Changes(NamedTuple):
    """Issue id → when it was last changed, in their time. Incomplete: there were too many."""

    updated: Mapping[str, datetime]
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change of an issue; everything else stays."""

    category: Category | None = None  # a transition that leads there is looked for
    status_id: str = ""  # the status preferred among those of the category
    reason: CloseReason | None = None  # why it is closed
    # Field id → what is answered if closing asks for it, as a person typed it, with every
    # placeholder filled; for "resolution" names, the best first.
    answers: Mapping[str, Any] = field(default_factory=dict)
    assignee: str | _Unchanged | None = UNCHANGED  # RemoteUser.id, or nobody
    priority_id: str = ""
    title: str = ""
    description: str = ""  # Markdown
    dates: Mapping[DateField, date | None] = field(default_factory=dict)  # None: none


class Tracker(Protocol):
    """Every method raises TrackerError and nothing else."""

    def identify(self) -> None:
        """Is it the tracker that answers, and to us? Raises if that is not proved."""
        ...

    def check(self, destination: Destination, fields: Mapping[str, Any]) -> None:
        """Would a create be accepted? Address, credentials, permission, type, these fields."""
        ...

    def floor(self, destination: Destination) -> int:
        """The highest issue number of the space; one that is too low costs only time."""
        ...

    def create(
        self,
        draft: IssueDraft,
        *,
        key: str,
        attempt: str,
        report: Callable[[Sequence[LeftOut]], None] = lambda _: None,
        before_write: Callable[[], None] = lambda: None,
    ) -> IssueRef:
        """Send one create, exactly once, with the key written into it.

        `report` is called first, if the issue will not have all that was drafted.

        `before_write` is called when the connection stands, right before the first byte leaves,
        and forbids that by raising.
        """
        ...

    def find_new(self, lookups: Sequence[Lookup]) -> Mapping[str, Sequence[IssueRef]]:
        """Key → its issues, for those that a strong read of the newest issues shows.

        A few requests for all of them. One that is not shown may be there all the same.
        """
        ...

    def find(self, lookups: Sequence[Lookup]) -> Mapping[str, Found]:
        """Did unsure creates succeed? By key, in every way there is; an answer for each key."""
        ...

    def fetch(self, ids: Collection[str]) -> Mapping[str, IssueState | TrackerError]:
        """Issue id → its state, or why this one cannot be read. Ids that are not in it do not
        exist (or not for us). Raises only what concerns them all."""
        ...

    def changes(self, space_id: str, *, minutes: int) -> Changes:
        """Issues of the space that were changed in the last minutes, as far as the index knows."""
        ...

    def push(self, ref: IssueRef, change: Change) -> None:
        """Change the issue. Doing it twice is harmless.

        Raises AnswerMissing if closing asks for something that `change.answers` do not answer:
        nothing is made up. An issue that is opened again loses its resolution, where it can.
        """
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
