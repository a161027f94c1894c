"""manage.py create_api_key, manage.py create_user."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.accounts.api_keys import live_keys
from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission

pytestmark = pytest.mark.django_db


def run(*arguments) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_it_prints_a_key_that_may_send_and_read_findings():
    raw = run("create_api_key", "ci-grype")
    [key] = live_keys([raw]).values()
    assert key.name == "ci-grype"
    assert key.permissions == {Permission.FINDINGS_INTAKE, Permission.FINDINGS_READ}
    assert key.expires_at is None


def test_it_gives_the_key_the_scopes_named():
    run("create_api_key", "ci", "--scope", "cases_read", "--scope", "cases_write")
    assert ApiKey.objects.get().permissions == {Permission.CASES_READ, Permission.CASES_WRITE}


def test_it_gives_the_key_all_scopes():
    run("create_api_key", "ci", "--scope", "all")
    assert ApiKey.objects.get().permissions == set(Permission)


def test_it_lists_the_scopes_when_one_is_unknown():
    with pytest.raises(CommandError, match="findings_raed") as caught:
        run("create_api_key", "ci", "--scope", "findings_raed")
    assert all(scope in str(caught.value) for scope in Permission)


def test_it_lets_the_key_expire(frozen):
    run("create_api_key", "ci", "--expires-in-days", "30")
    assert ApiKey.objects.get().expires_at == timezone.now() + timedelta(days=30)


@pytest.mark.parametrize("days", ["0", "-1", "99999999", "9" * 40])
def test_it_refuses_days_that_make_no_sense(days):
    with pytest.raises(CommandError):
        run("create_api_key", "ci", "--expires-in-days", days)


def test_it_prints_a_random_password_for_a_new_person():
    password = run("create_user", "Maya@example.com", "--name", "Maya", "--role", "admin")
    maya = User.objects.get(email="maya@example.com")
    assert maya.check_password(password)
    assert maya.is_staff


def test_it_reads_the_password_from_a_file_and_does_not_print_it(tmp_path):
    file = tmp_path / "password"
    file.write_text("correct horse battery\n")
    assert run("create_user", "maya@example.com", "--password-file", str(file)) == ""
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.parametrize("email", ["maya", "maya@", "", "MAYA@EXAMPLE.COM"])
def test_it_refuses_an_address_that_is_bad_or_taken(email):
    run("create_user", "maya@example.com")
    with pytest.raises(CommandError):
        run("create_user", email)


def test_it_refuses_a_password_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="could not be read"):
        run("create_user", "maya@example.com", "--password-file", str(tmp_path / "none"))
