"""The places in Jira that a person can choose from, with what each asks of a ticket.

Asked of Jira itself and remembered for a minute. A Jira that does not answer is a sentence on
the page, never an error of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from django.core.cache import cache
from django.db.models import QuerySet

from ticketing.destinations import Place
from ticketing.jira_people import meet
from ticketing.models import Destination, JiraAccount
from ticketing.pacing import pace_for
from ticketing.trackers.base import Fault, RemoteUser, TrackerError
from ticketing.trackers.jira.catalogue import Catalogue, IssueType, Priority, Space, Status
from ticketing.trackers.jira.fields import FieldSpec
from ticketing.trackers.registry import client_for

SECONDS = 60
SECONDS_OF_A_FAILURE = 5  # so that a page does not wait for a silent Jira again and again
MOST_SPACES = 100


class NotRemembered(Exception):
    """What is needed would have to be asked of Jira."""


class _Failure(NamedTuple):
    """What is remembered of a call that failed."""

    reason: str


def connected_accounts() -> QuerySet[JiraAccount]:
    return JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form, or a project's settings, say of the place; empty where nothing yet."""

    account: str = ""
    space: str = ""
    type: str = ""
    since: str = field(default="", compare=False)  # what was asked before is out of date

    @classmethod
    def of(cls, destination: Destination | None) -> Self:
        if destination is None:
            return cls()
        return cls(str(destination.account_id), destination.space_id, destination.type_id)


@dataclass(slots=True)
class Choices:
    """Everything the editor shows of the place that is wanted."""

    accounts: Sequence[JiraAccount]
    account: JiraAccount | None = None
    spaces: Sequence[Space] = ()
    space: Space | None = None
    types: Sequence[IssueType] = ()
    type: IssueType | None = None
    fields: Sequence[FieldSpec] | None = None  # None: Jira was not asked, or did not answer
    statuses: Sequence[Status] = ()
    priorities: Sequence[Priority] = ()
    problem: str = ""  # why Jira told nothing
    is_waiting: bool = False  # for Jira to be asked
    is_verified: bool = False  # changes made in the space reach us

    @property
    def place(self) -> Place | None:
        if self.space is None or self.type is None:
            return None
        return Place(self.space.id, self.space.key, self.space.name, self.type.id, self.type.name)

    @property
    def type_name(self) -> str:
        return self.type.name if self.type else ""

    @property
    def space_key(self) -> str:
        return self.space.key if self.space else ""


def remembered(
    wanted: Wanted, accounts: Sequence[JiraAccount], *, stored: Destination | None = None
) -> Choices:
    """What there is to choose from as far as it is known without asking Jira."""
    return _look(wanted, accounts, stored, _recall)


def asked(
    wanted: Wanted,
    accounts: Sequence[JiraAccount],
    *,
    stored: Destination | None = None,
    typed: str = "",
) -> Choices:
    """What there is to choose from; `typed` narrows the spaces.

    `stored` is where the rule's tickets go now: shown whether or not Jira knows it still.
    """
    return _look(wanted, accounts, stored, _ask, typed=typed)


def spaces(account: JiraAccount, typed: str) -> Sequence[Space]:
    """The spaces that rules may use, by what was typed. Raises TrackerError."""
    return _spaces(account, typed, _ask)


def people(account: JiraAccount, space_key: str, typed: str) -> Sequence[RemoteUser]:
    """Who can be assigned tickets there; we know them by name from then on.

    Raises TrackerError.
    """
    found: Sequence[RemoteUser] = _ask(
        account, ("people", space_key, typed), lambda jira: jira.assignable(space_key, typed)
    )
    meet(account, found)
    return found


# --- Looking ----------------------------------------------------------------------------

_Source = Callable[[JiraAccount, tuple[str, ...], Callable[[Catalogue], Any]], Any]


def _look(
    wanted: Wanted,
    accounts: Sequence[JiraAccount],
    stored: Destination | None,
    source: _Source,
    *,
    typed: str = "",
) -> Choices:
    known = [*accounts, *([stored.account] if stored else ())]
    choices = Choices(accounts)
    choices.account = next((each for each in known if str(each.pk) == wanted.account), None)
    if stored is not None and wanted == Wanted.of(stored):
        choices.space = Space(stored.space_id, stored.space_key, stored.space_name)
        choices.type = IssueType(stored.type_id, stored.type_name)
    if choices.account is None:
        return choices
    if choices.account.deleted_at:
        choices.problem = f"The Jira account {choices.account.name} was removed."
        return choices
    _fill(choices, choices.account, wanted, source, typed=typed)
    if choices.space is not None:
        choices.is_verified = _is_verified(choices.account, choices.space.id)
    return choices


def _fill(
    choices: Choices, account: JiraAccount, wanted: Wanted, source: _Source, *, typed: str
) -> None:
    try:
        choices.spaces = _spaces(account, typed, source)
        if not wanted.space:
            return
        choices.space = _space(account, wanted.space, choices.spaces, source)
        choices.types = source(
            account, ("types", wanted.space), lambda jira: jira.issue_types(wanted.space)
        )
        choices.type = next((each for each in choices.types if each.id == wanted.type), None)
        if choices.type is not None:
            choices.fields = source(
                account,
                ("fields", wanted.space, wanted.type, wanted.since),
                lambda jira: jira.create_fields(wanted.space, wanted.type),
            )
            choices.statuses = source(
                account,
                ("statuses", wanted.space, wanted.type),
                lambda jira: jira.statuses(wanted.space, wanted.type),
            )
            choices.priorities = source(account, ("priorities",), Catalogue.priorities)
    except NotRemembered:
        choices.is_waiting = True
    except TrackerError as error:
        choices.problem = error.reason


def _spaces(account: JiraAccount, typed: str, source: _Source) -> Sequence[Space]:
    typed = typed.strip()[:100]
    found = source(account, ("spaces", typed), lambda jira: jira.spaces(typed))
    closed = set(account.spaces.filter(is_allowed=False).values_list("space_id", flat=True))
    usable = [space for space in found if space.id not in closed and not space.is_archived]
    return usable[:MOST_SPACES]


def _space(account: JiraAccount, space_id: str, listed: Sequence[Space], source: _Source) -> Space:
    """The space, though it may be too far down a long list."""
    for space in listed:
        if space.id == space_id:
            return space
    found: Space = source(account, ("space", space_id), lambda jira: jira.space(space_id))
    return found


def _is_verified(account: JiraAccount, space_id: str) -> bool:
    """Whether an event of the space has come, or all that do come are those we asked for."""
    if account.webhook_id and account.webhook_event_at:
        return True
    return account.spaces.filter(space_id=space_id, webhook_event_at__isnull=False).exists()


# --- Asking -----------------------------------------------------------------------------


def _key(account: JiraAccount, what: tuple[str, ...]) -> str:
    """Of the account as it is now: with another address or token, everything is asked anew."""
    who = (str(account.pk), account.api_url, account.email, account.token, account.user_id)
    return f"jira:{account.pk}:{hash(who)}:{hash(what)}"


def _recall(account: JiraAccount, what: tuple[str, ...], _: Callable[[Catalogue], Any]) -> Any:
    found = cache.get(_key(account, what))
    if found is None:
        raise NotRemembered
    if isinstance(found, _Failure):
        raise TrackerError(Fault.TRANSIENT, found.reason)
    return found


def _ask(account: JiraAccount, what: tuple[str, ...], call: Callable[[Catalogue], Any]) -> Any:
    try:
        return _recall(account, what, call)
    except NotRemembered:
        pass
    try:
        with client_for(account, pace=pace_for(account)) as client:
            found = call(Catalogue(client))
    except TrackerError as error:
        cache.set(_key(account, what), _Failure(error.reason), SECONDS_OF_A_FAILURE)
        raise
    cache.set(_key(account, what), found, SECONDS)
    return found
