from __future__ import annotations

import pytest
from django.core.management import call_command
from django_q.models import Schedule

from config.accounts.models import User
from config.accounts.roles import Role
from config.runtime import prepare, schedules


@pytest.mark.django_db
def test_it_creates_one_admin_with_a_password_that_works():
    password = prepare.create_first_admin()
    user = User.objects.get()
    assert (user.email, user.role) == (prepare.FIRST_ADMIN, Role.ADMIN)
    assert user.check_password(password)
    assert len(password) >= 16


@pytest.mark.django_db
def test_it_creates_no_second_admin(viewer):
    assert prepare.create_first_admin() is None
    assert list(User.objects.all()) == [viewer]


@pytest.mark.django_db
def test_it_schedules_each_task_once():
    Schedule.objects.create(func="an.older.release")
    schedules.ensure("default")
    schedules.ensure("default")
    assert sorted(Schedule.objects.values_list("func", flat=True)) == sorted(schedules.EVERY_MINUTE)


@pytest.mark.django_db(transaction=True)
def test_it_schedules_after_migrating():
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Schedule.objects.filter(minutes=1).count() == len(schedules.EVERY_MINUTE)
