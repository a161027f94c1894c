"""Who somebody in Jira is here. Found by e-mail address, or by nobody: names are not proof."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from config.accounts.models import User
from ticketing import due
from ticketing.models import Case, Destination, JiraAccount, JiraUser
from ticketing.trackers.base import IssueState, RemoteUser, Tracker


@dataclass(frozen=True, slots=True)
class People:
    """Some people of one account, both ways."""

    by_id: dict[str, JiraUser]  # of Jira
    by_person: dict[UUID, JiraUser]
    strangers: frozenset[UUID] = frozenset()  # persons whom Jira does not know, as it was asked

    def __or__(self, others: People) -> People:
        return People(
            self.by_id | others.by_id,
            self.by_person | others.by_person,
            self.strangers | others.strangers,
        )

    def person(self, user_id: str) -> User | None:
        known = self.by_id.get(user_id)
        return known.person if known else None

    def name(self, user_id: str) -> str:
        """Empty also for somebody whose name Jira hides."""
        known = self.by_id.get(user_id)
        return known.name if known else ""


def meet(
    account: JiraAccount,
    users: Iterable[RemoteUser],
    *,
    persons: Collection[UUID] = (),
) -> People:
    """Remember these users, and find these persons among all we met. Constant statements."""
    seen = {user.id: _without_id_as_name(account, user) for user in users if user.id}
    known = {
        each.user_id: each
        for each in JiraUser.objects.filter(account=account)
        .filter(Q(user_id__in=seen) | Q(person__in=persons))
        .select_related("person")
        .order_by("seen_at", "pk")
    }
    known |= _remember(account, [user for user in seen.values() if _is_open(user, known)], known)
    active = [each for each in known.values() if each.person and each.person.is_active]
    return People(known, {each.person.pk: each for each in active if each.person})


def look_up(account: JiraAccount, person: User, tracker: Tracker) -> People:
    """Ask who this is there."""
    user = tracker.person(person.email)
    if user is None:
        return People({}, {}, frozenset({person.pk}))
    # Jira may hide the address by which it found the user.
    return meet(account, [user._replace(email=person.email)])


def meet_those_of(
    account: JiraAccount, states: Collection[IssueState], *, persons: Collection[UUID] = ()
) -> People:
    """The same with everybody who is named in these issues."""
    edits = [edit for state in states for edit in state.edits.values()]
    users = [RemoteUser(edit.by, edit.name) for edit in edits if edit.name]
    users += [comment.author for state in states for comment in state.comments]
    users += [state.assignee for state in states if state.assignee]  # with the most to say
    return meet(account, users, persons=persons)


def assigned_user_id(fields: Mapping[str, Any]) -> str:
    """The id there of whom an issue with these fields is assigned to; empty for nobody."""
    value = fields.get("assignee")
    if not isinstance(value, dict):
        return ""
    return str(value.get("accountId") or value.get("id") or value.get("name") or "")


def users_named(named: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], JiraUser]:
    """(account, id there) → who that is, for those we met. One statement, or none."""
    ids = {user_id for _, user_id in named} - {""}
    if not ids:
        return {}
    known = JiraUser.objects.filter(account__in={pk for pk, _ in named}, user_id__in=ids)
    return {(each.account_id, each.user_id): each for each in known.select_related("person")}


def assign_as_promised(pairs: Collection[tuple[Case, Mapping[str, Any]]]) -> None:
    """Assign new cases of nobody to whom the fields of their issues name.

    Two statements, or none where nobody is named. Saves nothing.
    """
    wanted = [(case, assigned_user_id(fields)) for case, fields in pairs if not case.assignee_id]
    projects = {case.project_id for case, user_id in wanted if user_id}
    if not projects:
        return
    places = Destination.objects.filter(project__in=projects)
    accounts = dict(places.values_list("project", "account"))
    named = [
        (case, (accounts[case.project_id], user_id))
        for case, user_id in wanted
        if case.project_id in accounts
    ]
    users = users_named({name for _, name in named})
    for case, name in named:
        assign(case, users.get(name))


def assign(case: Case, user: JiraUser | None) -> None:
    """To who that is here, if anybody is. Saves nothing."""
    case.assignee = user.person if user else None
    case.jira_assignee = None if user is None or user.person else user


def _without_id_as_name(account: JiraAccount, user: RemoteUser) -> RemoteUser:
    """Cloud's ids are no names: they stand for one where the person hides theirs."""
    is_hidden = account.deployment == JiraAccount.Deployment.CLOUD and user.name == user.id
    return user._replace(name="") if is_hidden else user


def _is_open(user: RemoteUser, known: Mapping[str, JiraUser]) -> bool:
    """Is there something to learn: somebody new, a new name, perhaps who it is?"""
    before = known.get(user.id)
    if before is None or before.name != _name(user, before):
        return True
    return before.person is None and bool(user.email or before.email)


def _remember(
    account: JiraAccount, users: Collection[RemoteUser], known: Mapping[str, JiraUser]
) -> dict[str, JiraUser]:
    if not users:
        return {}
    rows = [_row(account, user, known.get(user.id)) for user in users]
    persons = _persons([row.email for row in rows if row.email])
    for row in rows:
        row.person = persons.get(row.email.lower()) or row.person
    news = [row for row in rows if row.person or _is_renamed(row, known.get(row.user_id))]
    JiraUser.objects.bulk_create(
        news,
        update_conflicts=True,
        unique_fields=["account", "user_id"],
        update_fields=["name", "email", "person", "seen_at"],
    )
    strangers = {user_id for user_id, before in known.items() if before.person is None}
    if matched := [row for row in news if row.person and row.user_id in strangers]:
        due.mark_assigned_due(matched)
    return {row.user_id: row for row in news}


def _row(account: JiraAccount, user: RemoteUser, before: JiraUser | None) -> JiraUser:
    return JiraUser(
        account=account,
        user_id=user.id,
        name=_name(user, before),
        email=(user.email or (before.email if before else ""))[:255],  # hidden now, shown before
        person=before.person if before else None,
        seen_at=timezone.now(),
    )


def _name(user: RemoteUser, before: JiraUser | None) -> str:
    name = user.name.replace("\0", "")[:255]
    known = before.name if before and before.name != before.user_id else ""
    return name or known  # hidden now, shown before


def _is_renamed(row: JiraUser, before: JiraUser | None) -> bool:
    return before is None or (before.name, before.email) != (row.name, row.email)


def _persons(emails: Collection[str]) -> dict[str, User]:
    lowered = [email.lower() for email in emails]
    people = User.objects.annotate(lowered=Lower("email")).filter(lowered__in=lowered)
    return {person.email.lower(): person for person in people.filter(is_active=True)}
