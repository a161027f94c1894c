"""Everything that changes a person's account."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from config.accounts.history import sign
from config.accounts.models import User
from config.accounts.roles import Role


def create_person(*, email: str, name: str, role: Role, password: str) -> User:
    """Make an account. Raises ValidationError by field: address taken, password too weak."""
    user = User(email=email.strip().lower(), name=name.strip(), role=role)
    user.full_clean(exclude=["password"])
    validate_password(password, user)
    user.set_password(password)
    user.save(force_insert=True)
    return user


@transaction.atomic
def change_person(person: User, *, name: str, role: Role, is_active: bool, actor: User) -> None:
    """Rename, give another role, deactivate or let in again.

    Raises ValidationError when a person would demote or deactivate themselves: so there is
    always an admin, the one who is acting.
    """
    if person.pk == actor.pk and not is_active:
        raise ValidationError({"is_active": "You cannot deactivate yourself."})
    if person.pk == actor.pk and role != person.role:
        raise ValidationError({"role": "You cannot change your own role."})
    person.name, person.role, person.is_active = name.strip(), role, is_active
    person.full_clean(exclude=["password"])
    person.save(update_fields=["name", "role", "is_active"])


def reset_password(person: User, *, actor: User) -> str:
    """Give the account a new random password and return it; who was signed in is signed out."""
    password = secrets.token_urlsafe(15)
    person.set_password(password)
    sign(person, actor=actor, reason="Password reset")
    person.save(update_fields=["password"])
    return password
