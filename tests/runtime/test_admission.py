"""Who may send a large body: whoever is signed in now, and may do what it is for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.test import RequestFactory

from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.models import User
from config.accounts.people import KeyFate, change_person, reset_password
from config.accounts.roles import Permission, Role
from config.runtime.web.admission import why_not
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
NEEDED = Permission.FINDINGS_WRITE


def environ(cookie: str = "", key: str = "") -> dict[str, object]:
    sent: HttpRequest = RequestFactory().post(
        "/settings/importers/upload",
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )
    return sent.environ | ({"HTTP_COOKIE": cookie} if cookie else {})


def status_of(**sent: str) -> int:
    refused = why_not(environ(**sent), permission=NEEDED)
    return refused[0] if refused else 200


def deactivate(editor, admin):
    change_person(editor, name="E", role=Role.EDITOR, is_active=False, actor=admin)


CHANGES = {
    "nothing": (lambda editor, admin: None, timedelta(0), 200),
    "deactivated": (deactivate, timedelta(0), 401),
    "password reset": (
        lambda editor, admin: reset_password(editor, actor=admin),
        timedelta(0),
        401,
    ),
    "must change it": (
        lambda editor, admin: User.objects.filter(pk=editor.pk).update(must_change_password=True),
        timedelta(0),
        403,
    ),
    "demoted": (
        lambda editor, admin: User.objects.filter(pk=editor.pk).update(role=Role.VIEWER),
        timedelta(0),
        403,
    ),
    "idle": (lambda editor, admin: None, timedelta(hours=12, seconds=1), 401),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_admits_who_is_signed_in_and_nobody_who_was(as_user, editor, admin, frozen, name):
    change, later, expected = CHANGES[name]
    browser = as_user(editor)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}"
    assert status_of(cookie=cookie) == 200
    change(editor, admin)
    frozen.move_to(NOON + later)
    assert status_of(cookie=cookie) == expected


def test_it_admits_nobody_after_the_absolute_end_of_the_session(as_user, editor, frozen):
    browser = as_user(editor)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}"
    end = NOON + timedelta(seconds=settings.SESSION_ABSOLUTE_AGE)
    for hours in range(11, 24 * 7, 11):
        frozen.move_to(NOON + timedelta(hours=hours))
        browser.post("/session")
    frozen.move_to(end - timedelta(seconds=1))
    assert status_of(cookie=cookie) == 200
    frozen.move_to(end)
    assert status_of(cookie=cookie) == 401


def test_it_admits_a_key_as_far_as_who_answers_for_it(editor, admin):
    key, raw = create_api_key("ci", scopes=[NEEDED], actor=editor)
    assert status_of(key=raw) == 200
    change_person(
        editor, name="E", role=Role.VIEWER, is_active=True, actor=admin, keys=KeyFate.KEEP
    )
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert status_of(key=raw) == 403
    revoke_api_key(key.pk, actor=admin)
    assert status_of(key=raw) == 401
    assert status_of() == 401
