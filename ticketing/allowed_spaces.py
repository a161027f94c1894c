"""Which spaces an admin opened for tickets: the one place that answers it.

Asked by every service that creates a ticket somewhere, links one, or reads what Jira has there,
and by the outbox before it sends. What forms offer follows from it, and decides nothing.

A space that the account's list does not have is closed: it came to Jira after somebody chose.
An account whose spaces were never listed (added by a command, untested) has no list to follow.
Closing a space stops what is new. Tickets that are there stay in step: they are ours already,
and their cases would go on telling a state that nobody corrects. Unlinking the project, or
switching its sync off, ends that.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, TypeAlias
from uuid import UUID

from ticketing.models import JiraAccount, JiraSpace

SpaceOf: TypeAlias = tuple[UUID, str]
"""An account's id and the id of one of its spaces."""


class InSpace(Protocol):
    @property
    def space_id(self) -> str: ...
    @property
    def space_key(self) -> str: ...


class SpaceClosed(ValueError):
    """Nobody opened the space for tickets; `str(error)` is a sentence for who asked."""


def may_use(account: JiraAccount | UUID, place: InSpace) -> bool:
    """Whether an admin opened the place's space. One statement for a space that is listed."""
    account_id = account if isinstance(account, UUID) else account.pk
    return not closed_among({(account_id, place.space_id)})


def require(account: JiraAccount | UUID, place: InSpace) -> None:
    """Raises SpaceClosed."""
    if not may_use(account, place):
        raise SpaceClosed(reason(place.space_key))


def reason(space_key: str) -> str:
    return (
        f"The Jira space {space_key} is not open for tickets. "
        "An admin can open it in the settings of its Jira account."
    )


def closed_among(wanted: Collection[SpaceOf]) -> set[SpaceOf]:
    """Those of these spaces that may not be used; at most two statements for any number."""
    accounts = {account_id for account_id, _ in wanted}
    spaces = JiraSpace.objects.filter(account__in=accounts).order_by()
    listed = {
        (account_id, space_id): is_allowed
        for account_id, space_id, is_allowed in spaces.filter(
            space_id__in={space_id for _, space_id in wanted}
        ).values_list("account_id", "space_id", "is_allowed")
    }
    unlisted = {each for each in wanted if each not in listed}
    closed = {each for each in wanted if listed.get(each) is False}
    if unlisted:
        with_list = set(spaces.values_list("account_id", flat=True).distinct())
        closed |= {each for each in unlisted if each[0] in with_list}
    return closed
