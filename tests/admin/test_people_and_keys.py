"""People and keys in the admin."""

from __future__ import annotations

import pytest

from config.accounts.api_keys import create_api_key, live_keys
from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission, Role

pytestmark = pytest.mark.django_db
PEOPLE, KEYS = "/admin/accounts/user/", "/admin/accounts/apikey/"
PASSWORD = "correct horse battery"


@pytest.fixture
def as_admin(as_user, admin):
    return as_user(admin)


def test_it_makes_a_person(as_admin):
    form = {"email": "Maya@Example.com", "name": "Maya", "role": "analyst"}
    as_admin.post(f"{PEOPLE}add/", form | {"password1": PASSWORD, "password2": PASSWORD})
    maya = User.objects.get(email="maya@example.com")
    assert maya.check_password(PASSWORD)
    assert maya.role == Role.ANALYST


@pytest.mark.parametrize(
    "change",
    [{"email": "VERA@example.com"}, {"password1": "short", "password2": "short"}, {"role": "god"}],
)
def test_it_refuses_a_bad_person(as_admin, viewer, change):
    User.objects.filter(pk=viewer.pk).update(email="vera@example.com")
    form = {"email": "m@example.com", "name": "M", "role": "viewer"}
    form |= {"password1": PASSWORD, "password2": PASSWORD} | change
    assert as_admin.post(f"{PEOPLE}add/", form).status_code == 200
    assert User.objects.count() == 2


def test_it_gives_another_role_and_writes_it_down(as_admin, viewer, admin):
    form = {"name": "Vera", "role": "automation_editor", "is_active": "on"}
    as_admin.post(f"{PEOPLE}{viewer.pk}/change/", form)
    viewer.refresh_from_db()
    assert viewer.role == Role.EDITOR
    assert viewer.history.first().history_user == admin


def test_it_deactivates_a_person(as_admin, viewer):
    as_admin.post(f"{PEOPLE}{viewer.pk}/change/", {"name": "Vera", "role": "viewer"})
    viewer.refresh_from_db()
    assert not viewer.is_active


def test_it_does_not_let_an_admin_demote_or_deactivate_themselves(as_admin, admin):
    as_admin.post(f"{PEOPLE}{admin.pk}/change/", {"name": "Ada", "role": "viewer"})
    admin.refresh_from_db()
    assert (admin.name, admin.role, admin.is_active) == ("Ada", Role.ADMIN, True)


def test_it_never_shows_a_password_hash(as_admin, viewer):
    viewer.set_password(PASSWORD)
    viewer.save(update_fields=["password"])
    for page in (PEOPLE, f"{PEOPLE}{viewer.pk}/change/", f"{PEOPLE}{viewer.pk}/history/"):
        assert viewer.password not in as_admin.get(page).content.decode()


def make_key(as_admin, **changed):
    form = {"name": "ci-grype", "scopes": ["cases_read", "cases_write"]} | changed
    return as_admin.post(f"{KEYS}add/", form)


def test_it_shows_a_new_key_once(as_admin, admin):
    page = make_key(as_admin)
    raw = page.context["raw"]
    assert raw in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    [key] = live_keys([raw]).values()
    assert (key.name, key.created_by) == ("ci-grype", admin)
    assert key.permissions == {Permission.CASES_READ, Permission.CASES_WRITE}
    for again in (KEYS, f"{KEYS}{key.pk}/change/", f"{KEYS}{key.pk}/history/", "/admin/"):
        text = as_admin.get(again).content.decode()
        assert raw not in text
        assert key.digest not in text


@pytest.mark.parametrize(
    "changed",
    [
        {"name": " "},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
    ],
)
def test_it_refuses_a_bad_key(as_admin, changed):
    assert make_key(as_admin, **changed).status_code == 200
    assert not ApiKey.objects.exists()


def test_it_asks_before_it_revokes(as_admin):
    key, raw = create_api_key("ci", scopes=[Permission.CASES_READ], actor=None)
    url = f"{KEYS}{key.pk}/revoke/"
    assert "Revoke this key?" in as_admin.get(url).content.decode()
    assert live_keys([raw])
    as_admin.post(url, {"_form_submitted": "True"})
    assert not live_keys([raw])
    assert key.history.first().history_user.name == "Ada Admin"


def test_it_does_not_change_a_key(as_admin):
    key, _ = create_api_key("ci", scopes=[Permission.CASES_READ], actor=None)
    form = {"name": "ci", "scopes": [scope.value for scope in Permission]}
    assert as_admin.post(f"{KEYS}{key.pk}/change/", form).status_code == 403
    assert ApiKey.objects.get(pk=key.pk).permissions == {Permission.CASES_READ}
