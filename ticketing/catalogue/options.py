"""The places in Jira that a person can choose from, with what each asks of a ticket.

Asked of Jira itself and cached for a minute. A Jira that does not answer is a sentence on
the page, never an error of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from ticketing.allowed_spaces import closed_among, reason
from ticketing.catalogue.cache import CatalogueError, NotCached, T, cached, evict, fetch
from ticketing.destinations import Place
from ticketing.fields.spec import FieldSpec, Option
from ticketing.jira_people import meet
from ticketing.models import Destination, JiraAccount
from ticketing.trackers.base import RemoteUser
from ticketing.trackers.catalogue import Catalogue, IssueType, Priority, Space, Status

MOST_SPACES = 100


@dataclass(frozen=True, slots=True)
class Selection:
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
class Options:
    """Everything the editor shows of the place that is selected."""

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


def cached_options(
    selection: Selection, accounts: Sequence[JiraAccount], *, stored: Destination | None = None
) -> Options:
    """What there is to choose from as far as it is known without asking Jira."""
    return _options(selection, accounts, stored, cached)


def fetch_options(
    selection: Selection,
    accounts: Sequence[JiraAccount],
    *,
    stored: Destination | None = None,
    typed: str = "",
) -> Options:
    """What there is to choose from; `typed` narrows the spaces.

    `stored` is where the rule's tickets go now: shown whether or not Jira knows it still.
    """
    return _options(selection, accounts, stored, fetch, typed=typed)


def stored_options(stored: Destination | None) -> Options:
    """Where the rule's tickets go, and nothing of what else there is in Jira."""
    if stored is None:
        return Options(())
    return Options(
        (stored.account,),
        account=stored.account,
        space=Space(stored.space_id, stored.space_key, stored.space_name),
        type=IssueType(stored.type_id, stored.type_name),
        is_verified=_is_verified(stored.account, stored.space_id),
    )


def spaces(account: JiraAccount, typed: str) -> Sequence[Space]:
    """The spaces that rules may use, by what was typed. Raises CatalogueError."""
    return _spaces(account, typed, fetch)


def people(account: JiraAccount, space_key: str, typed: str) -> Sequence[RemoteUser]:
    """Who can be assigned tickets there; we know them by name from then on.

    Nobody of a space that is not open, and Jira is not asked. Raises CatalogueError.
    """
    known = account.spaces.filter(key=space_key).first()
    if closed_among({(account.pk, known.space_id if known else "")}):
        raise CatalogueError(reason(space_key[:64]))
    found = fetch(
        account, ("people", space_key, typed), lambda jira: jira.assignable(space_key, typed)
    )
    meet(account, found)
    return found


def teams(account: JiraAccount, field_id: str, typed: str) -> Sequence[Option]:
    """Teams that a field can name, by what was typed. Raises CatalogueError."""
    return fetch(account, ("teams", field_id, typed), lambda jira: jira.teams(field_id, typed))


def evict_place(account: JiraAccount, selection: Selection) -> None:
    """What is cached of the place has turned out to be out of date."""
    space = selection.space
    evict(account, [("spaces", ""), ("space", space), ("types", space), _fields(selection)])


def _fields(selection: Selection) -> tuple[str, ...]:
    return ("fields", selection.space, selection.type, selection.since)


# --- Reading ----------------------------------------------------------------------------


class _Source(Protocol):
    """`cached`, or `fetch`."""

    def __call__(
        self, account: JiraAccount, what: tuple[str, ...], call: Callable[[Catalogue], T], /
    ) -> T: ...


def _options(
    selection: Selection,
    accounts: Sequence[JiraAccount],
    stored: Destination | None,
    source: _Source,
    *,
    typed: str = "",
) -> Options:
    known = [*accounts, *([stored.account] if stored else ())]
    options = Options(accounts)
    options.account = next((each for each in known if str(each.pk) == selection.account), None)
    if stored is not None and selection == Selection.of(stored):
        options.space = Space(stored.space_id, stored.space_key, stored.space_name)
        options.type = IssueType(stored.type_id, stored.type_name)
    if options.account is None:
        return options
    if options.account.deleted_at:
        options.problem = f"The Jira account {options.account.name} was removed."
        return options
    _fill(options, options.account, selection, source, typed=typed)
    if options.space is not None:
        options.is_verified = _is_verified(options.account, options.space.id)
    return options


def _fill(
    options: Options, account: JiraAccount, selection: Selection, source: _Source, *, typed: str
) -> None:
    try:
        options.spaces = _spaces(account, typed, source)
        if not selection.space:
            return
        options.space = _space(account, selection.space, options.spaces, source)
        options.types = source(
            account, ("types", selection.space), lambda jira: jira.issue_types(selection.space)
        )
        options.type = next((each for each in options.types if each.id == selection.type), None)
        if options.type is not None:
            options.fields = source(
                account,
                _fields(selection),
                lambda jira: jira.fields_to_fill(selection.space, selection.type),
            )
            options.statuses = source(
                account,
                ("statuses", selection.space, selection.type),
                lambda jira: jira.statuses(selection.space, selection.type),
            )
            options.priorities = source(account, ("priorities",), lambda jira: jira.priorities())
    except NotCached:
        options.is_waiting = True
    except CatalogueError as error:
        options.problem = error.reason


def _spaces(account: JiraAccount, typed: str, source: _Source) -> Sequence[Space]:
    typed = typed.strip()[:100]
    found = source(account, ("spaces", typed), lambda jira: jira.spaces(typed))
    closed = closed_among({(account.pk, space.id) for space in found})
    usable = [
        space for space in found if (account.pk, space.id) not in closed and not space.is_archived
    ]
    return usable[:MOST_SPACES]


def _space(account: JiraAccount, space_id: str, listed: Sequence[Space], source: _Source) -> Space:
    """The space, though it may be too far down a long list."""
    for space in listed:
        if space.id == space_id:
            return space
    if closed_among({(account.pk, space_id)}):
        known = account.spaces.filter(space_id=space_id).first()
        raise CatalogueError(reason(known.key if known else space_id[:64]))
    return source(account, ("space", space_id), lambda jira: jira.space(space_id))


def _is_verified(account: JiraAccount, space_id: str) -> bool:
    """`JiraSpace.is_verified`, also of a space that was never stored."""
    return (
        account.is_webhook_verified
        or account.spaces.filter(space_id=space_id, webhook_event_at__isnull=False).exists()
    )
