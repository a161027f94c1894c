"""Accounts of people: made, changed, never deleted."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection

from config.accounts.models import User
from config.accounts.people import change_person, create_person
from config.accounts.roles import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def make(email="Maya@Example.com", password=PASSWORD):
    return create_person(email=email, name="Maya", role=Role.ANALYST, password=password)


def test_it_makes_an_account_that_can_sign_in():
    make()
    maya = User.objects.get(email="maya@example.com")
    assert maya.check_password(PASSWORD)
    assert maya.must_change_password


def test_it_refuses_an_address_that_is_taken_in_another_spelling():
    make()
    with pytest.raises(ValidationError, match="Email taken"):
        make("mAYA@example.com")


def test_it_keeps_addresses_unique_below_the_forms():
    UserFactory(email="maya@example.com")
    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email="MAYA@example.com", name="M")])


@pytest.mark.parametrize("password", ["", "short", "maya@example.com", "password1234"])
def test_it_refuses_a_weak_password(password):
    with pytest.raises(ValidationError):
        make(password=password)


def change(person, actor, **changes):
    now = {"name": person.name, "role": Role(person.role), "is_active": person.is_active}
    change_person(person, **now | changes, actor=actor)
    return User.objects.get(pk=person.pk)


def test_it_gives_another_role(admin, viewer):
    assert change(viewer, admin, role=Role.EDITOR).role == Role.EDITOR


def test_it_deactivates_and_lets_in_again(admin, viewer):
    assert change(viewer, admin, is_active=False).is_active is False
    assert change(viewer, admin, is_active=True).is_active is True


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one by one anyway")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("changes", [{"role": Role.EDITOR}, {"is_active": False}])
def test_it_leaves_an_admin_when_two_change_each_other(changes):
    """Each has read that both are admins; only the first to write is right about it."""
    admins = [UserFactory(role=Role.ADMIN) for _ in range(2)]
    barrier, refused = Barrier(2), []

    def change_other(actor, other):
        barrier.wait(10)
        try:
            change(other, actor, **changes)
        except PermissionDenied:
            refused.append(actor)
        finally:
            connection.close()

    threads = [Thread(target=change_other, args=pair) for pair in (admins, admins[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
    assert [each.pk for each in User.objects.all() if each.may("user_access_manage")] != []


@pytest.mark.parametrize("changes", [{"role": Role.EDITOR}, {"is_active": False}])
def test_it_does_not_let_a_person_lose_their_own_access(admin, changes):
    with pytest.raises(ValidationError):
        change(User.objects.get(pk=admin.pk), admin, **changes)
    assert User.objects.get(pk=admin.pk).may("user_access_manage")


def test_it_writes_every_change_of_a_role_into_the_history(admin, viewer):
    change(viewer, admin, role=Role.EDITOR)
    assert [row.role for row in viewer.history.all()] == [Role.EDITOR, Role.VIEWER]


def test_it_keeps_no_password_in_the_history(viewer):
    columns = {field.name for field in viewer.history.model._meta.get_fields()}
    assert not columns & {"password", "last_login"}


def test_it_gives_a_deactivated_admin_no_permission(admin):
    admin.is_active = False
    assert admin.permissions == frozenset()
    assert not admin.is_staff
