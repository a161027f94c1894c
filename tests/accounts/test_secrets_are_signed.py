"""Every way to another secret leaves a row in the audit log: who, when, why; never the secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.audit.log import Filter, page_of_log
from config.accounts.models import ApiKey, User
from config.accounts.people import reset_password
from config.accounts.roles import Permission
from tests.factories import JiraAccountFactory
from ticketing import accounts
from ticketing.accounts import AccountData

pytestmark = pytest.mark.django_db
SECRET = "correct horse battery staple"
_SCOPES = [Permission.CASES_READ]


def data(account, **changed) -> AccountData:
    said = {"name": account.name, "site_url": account.site_url, "email": account.email}
    return AccountData(**said | changed)


def by_hand(viewer) -> None:
    viewer.set_password(SECRET)
    viewer.save()


def by_command(monkeypatch, viewer) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: SECRET)
    call_command("changepassword", viewer.email)


Way = Callable[[Any, User, User, Any], Any]
WAYS: dict[str, tuple[Way, bool, str]] = {
    "page": (
        lambda browser, viewer, admin, _: browser.post(f"/settings/users/{viewer.pk}/password"),
        True,
        "Password reset",
    ),
    "service": (
        lambda _, viewer, admin, __: reset_password(viewer, actor=admin),
        True,
        "Password reset",
    ),
    "django": (lambda _, viewer, admin, __: by_hand(viewer), False, "Password changed"),
    "command": (
        lambda _, viewer, admin, patch: by_command(patch, viewer),
        False,
        "Password changed",
    ),
    "token": (
        lambda _, viewer, admin, __: accounts.edit_account(
            account := JiraAccountFactory(),
            data(account),
            token=SECRET.replace(" ", ""),
            actor=admin,
        ),
        True,
        "Token replaced",
    ),
    "address": (
        lambda _, viewer, admin, __: accounts.edit_account(
            account := JiraAccountFactory(),
            data(account, site_url="https://other.atlassian.net"),
            token=SECRET.replace(" ", ""),
            actor=admin,
        ),
        True,
        "Token replaced, New address, new webhook secret",
    ),
    "webhook": (
        lambda _, viewer, admin, __: accounts.rotate_webhook_secret(
            JiraAccountFactory(webhook_secret="s"), actor=admin
        ),
        True,
        "Webhook secret rotated",
    ),
    "key made": (
        lambda _, viewer, admin, __: create_api_key("ci", scopes=_SCOPES, actor=admin),
        True,
        "",
    ),
    "key revoked": (
        lambda _, viewer, admin, __: revoke_api_key(
            create_api_key("ci", scopes=_SCOPES, actor=None)[0].pk, actor=admin
        ),
        True,
        "Revoked",
    ),
    "key revoked on the page": (
        lambda browser, viewer, admin, __: browser.post(
            f"/settings/api-keys/{create_api_key('ci', scopes=_SCOPES, actor=None)[0].pk}/revoke"
        ),
        True,
        "Revoked",
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_it_writes_down_who_changed_a_secret(name, as_user, viewer, admin, monkeypatch):
    attempt, is_person, reason = WAYS[name]
    attempt(as_user(admin), viewer, admin, monkeypatch)

    newest = page_of_log(Filter()).entries[0]
    assert newest.reason == reason
    assert newest.person == (admin if is_person else None)
    assert SECRET not in str(newest)
    assert SECRET.replace(" ", "") not in str(newest)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["password/", "set-password/"])
def test_it_changes_a_password_in_the_admin_by_our_page_alone(as_user, admin, viewer, method, path):
    before = viewer.password
    send = getattr(as_user(admin), method)
    answer = send(f"/admin/accounts/user/{viewer.pk}/{path}", {"password1": SECRET})
    assert answer["Location"] == f"/settings/users/{viewer.pk}/password"
    assert User.objects.get(pk=viewer.pk).password == before
    assert as_user(admin).get("/admin/accounts/user/nobody/password/").status_code == 404


def test_it_writes_nothing_down_when_a_hash_is_only_made_stronger(viewer, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    by_hand(viewer)
    rows = viewer.history.filter(history_change_reason="Password changed").count()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    stored = User.objects.get(pk=viewer.pk)
    assert stored.check_password(SECRET)
    assert viewer.history.filter(history_change_reason="Password changed").count() == rows


def test_it_shows_no_key_in_the_log(admin):
    _, raw = create_api_key("ci", scopes=_SCOPES, actor=admin)
    assert raw not in str(page_of_log(Filter()))
    assert ApiKey.objects.get().digest not in str(page_of_log(Filter()))
