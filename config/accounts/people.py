"""Everything that changes a person's account."""

from __future__ import annotations

import secrets
from enum import StrEnum
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from config.accounts.api_keys import live_keys_of, revoke_api_key, take_over_api_key
from config.accounts.models import ApiKey, User
from config.accounts.roles import PERMISSIONS, Permission, Role
from config.accounts.signing import sign


class KeyFate(StrEnum):
    """What becomes of the API keys of somebody who loses what the keys may do."""

    REVOKE = "revoke"
    KEEP = "keep"


def create_person(*, email: str, name: str, role: Role, password: str, team: str = "") -> User:
    """Make an account. Raises ValidationError by field: address taken, password too weak.

    Somebody else knows the password, so its person has to change it at the first sign-in.
    """
    user = User(
        email=email.strip().lower(),
        name=name.strip(),
        role=role,
        team=as_team(team),
        must_change_password=True,
    )
    user.full_clean(exclude=["password"])
    validate_password(password, user)
    user.set_password(password)
    user.save(force_insert=True)
    return user


@transaction.atomic
def change_person(
    person: User,
    *,
    name: str,
    role: Role,
    is_active: bool,
    actor: User,
    keys: KeyFate | None = None,
    team: str | None = None,
) -> None:
    """Rename, give another role or team, deactivate or let in again.

    Another role and a deactivation end the person's sessions for good. Raises ValidationError
    when a person would demote or deactivate themselves, and PermissionDenied when the actor is
    no admin any more: so there is always an admin, the one who is acting. For who loses what
    their API keys may do `keys` has to say what becomes of those: they are revoked, or the actor
    answers for them.
    """
    locked = _lock(person, actor)
    if not locked[actor.pk].may(Permission.USERS):
        raise PermissionDenied(f"You need the {Role.ADMIN.label} role to do this.")
    if person.pk == actor.pk and not is_active:
        raise ValidationError({"is_active": "You cannot deactivate yourself."})
    if person.pk == actor.pk and role != locked[person.pk].role:
        raise ValidationError({"role": "You cannot change your own role."})
    losing = keys_losing(locked[person.pk], role=role, is_active=is_active)
    if losing and keys is None:
        raise ValidationError({"keys": "Select what happens to the API keys."})
    before = locked[person.pk]
    ends_sessions = role != before.role or (before.is_active and not is_active)
    person.session_generation = before.session_generation + int(ends_sessions)
    person.name, person.role, person.is_active = name.strip(), role, is_active
    person.team = before.team if team is None else as_team(team)
    person.full_clean(exclude=["password"])
    sign(person, actor=actor)
    person.save(update_fields=["name", "role", "team", "is_active", "session_generation"])
    for key in losing:
        if keys == KeyFate.KEEP:
            take_over_api_key(key.pk, actor=actor)
        else:
            lost = "has another role" if is_active else "was deactivated"
            revoke_api_key(key.pk, actor=actor, reason=f"{person.name} {lost}"[:100])


def keys_losing(person: User, *, role: Role, is_active: bool) -> list[ApiKey]:
    """Live keys that would be able to do less, if the person had this role.

    `person` is as they are now, of the database.
    """
    left = PERMISSIONS[role] if is_active else frozenset()
    return [key for key in live_keys_of(person) if key.permissions - left]


def set_team(person: User, team: str, *, actor: User) -> None:
    """Anybody may say which team is theirs: it decides what they are shown first, not what they
    may do."""
    person.team = as_team(team)
    person.full_clean(exclude=["password"])
    sign(person, actor=actor)
    person.save(update_fields=["team"])


def as_team(text: str) -> str:
    """As the value of a `team:` tag is written: trimmed, its case kept. The whole tag will do."""
    return " ".join(text.split()).removeprefix("team:").strip()


def change_own_password(person: User, password: str) -> None:
    """The caller has checked the old one; every other session of theirs ends."""
    _store_password(person, password, actor=person, is_temporary=False)


def reset_password(person: User, *, actor: User) -> str:
    """Give the account a new random password and return it; who was signed in is signed out."""
    password = secrets.token_urlsafe(15)
    set_temporary_password(person, password, actor=actor)
    return password


def set_temporary_password(person: User, password: str, *, actor: User | None) -> None:
    """A password that somebody else knows: its person has to change it at the next sign-in."""
    _store_password(person, password, actor=actor, is_temporary=True)


def _store_password(person: User, password: str, *, actor: User | None, is_temporary: bool) -> None:
    person.set_password(password)
    person.must_change_password = is_temporary
    sign(person, actor=actor, reason="Password reset" if is_temporary else "Password changed")
    person.save(update_fields=["password", "must_change_password"])


def _lock(*people: User) -> dict[UUID, User]:
    """Their rows as they are, in one order: two admins may be changing each other."""
    rows = User.objects.select_for_update().filter(pk__in=[person.pk for person in people])
    return {row.pk: row for row in rows.order_by("pk")}
