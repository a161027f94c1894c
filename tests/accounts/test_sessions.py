"""When a session ends, and staying signed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from config.accounts import tasks
from config.accounts.models import User
from config.accounts.people import change_person, reset_password, set_temporary_password
from config.accounts.roles import Role
from config.accounts.session_store import SessionStore
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
EVENING = NOON + timedelta(hours=12)


def ends(response) -> datetime:
    return datetime.fromisoformat(response.json()["ends"])


@pytest.fixture
def browser(frozen, as_user, viewer):
    return as_user(viewer)


def test_it_says_on_every_page_when_the_session_ends(browser):
    page = browser.get("/styleguide").text
    assert f'data-session="/session" data-session-ends="{EVENING.isoformat()}"' in page


def test_it_ends_when_it_said_whatever_was_saved_meanwhile(browser, frozen):
    frozen.move_to(NOON + timedelta(hours=5))
    session = browser.session
    session["something"] = "new"
    session.save()

    assert ends(browser.get("/session")) == EVENING
    frozen.move_to(EVENING + timedelta(seconds=1))
    assert browser.get("/session").status_code == 401
    assert browser.get("/styleguide").status_code == 302


def test_it_runs_its_full_time_again_when_asked(browser, frozen):
    frozen.move_to(EVENING - timedelta(minutes=1))

    answer = browser.post("/session")
    assert ends(answer) == EVENING - timedelta(minutes=1) + timedelta(hours=12)
    assert answer.json()["can_be_extended"]
    frozen.move_to(EVENING + timedelta(minutes=1))
    assert browser.get("/styleguide").status_code == 200


def test_it_ends_a_week_after_the_sign_in_however_often_it_was_extended(browser, frozen):
    last = NOON + timedelta(days=7)
    for hours in range(11, 7 * 24, 11):
        frozen.move_to(NOON + timedelta(hours=hours))
        answer = browser.post("/session")
    assert ends(answer) == last
    assert not answer.json()["can_be_extended"]
    assert f'data-session-ends="{last.isoformat()}"' in browser.get("/styleguide").text
    frozen.move_to(last + timedelta(seconds=1))
    assert browser.post("/session").status_code == 401
    assert browser.get("/styleguide").status_code == 302


def test_it_counts_the_week_anew_from_the_next_sign_in(browser, frozen, as_user, viewer):
    frozen.move_to(NOON + timedelta(hours=6))
    as_user(viewer)
    for hours in range(11, 7 * 24 + 6, 11):
        frozen.move_to(NOON + timedelta(hours=hours))
        browser.post("/session")
    assert ends(browser.get("/session")) == NOON + timedelta(days=7, hours=6)


def test_it_stores_nothing_that_a_browser_could_send(browser):
    [row] = Session.objects.all()
    assert row.session_key not in browser.cookies["sessionid"].value
    assert browser.cookies["sessionid"].value not in row.session_key
    assert SessionStore().exists(browser.cookies["sessionid"].value)
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/session").status_code == 401


def test_it_leaves_no_row_behind_after_signing_out_or_in_again(browser, as_user, viewer, admin):
    first = browser.cookies["sessionid"].value
    as_user(admin)
    assert browser.cookies["sessionid"].value != first
    assert not SessionStore().exists(first)
    browser.post("/logout")
    assert not Session.objects.exists()


def test_it_forgets_sessions_that_are_over(browser, frozen):
    frozen.move_to(EVENING + timedelta(seconds=1))
    tasks.clear_sessions()
    assert not Session.objects.exists()


def change(person, admin, **changed):
    now = {"name": person.name, "role": Role(person.role), "is_active": person.is_active}
    change_person(person, **now | changed, actor=admin)


ENDINGS = {
    "deactivated": lambda person, admin: [
        change(person, admin, is_active=value) for value in (False, True)
    ],
    "role": lambda person, admin: change(person, admin, role=Role.ADMIN),
    "reset": lambda person, admin: reset_password(person, actor=admin),
    "temporary": lambda person, admin: set_temporary_password(person, "new", actor=admin),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_ends_the_sessions_of_who_was_changed_for_good(as_user, viewer, admin, ending):
    browser = as_user(viewer)
    change(viewer, admin, name="Vera Renamed")
    assert browser.get("/session").status_code == 200
    ENDINGS[ending](User.objects.get(pk=viewer.pk), admin)
    assert browser.get("/session").status_code == 401
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login")


def test_it_asks_nothing_of_strangers(client):
    for answer in (client.get("/session"), client.post("/session")):
        assert (answer.status_code, answer.json()) == (401, {"ends": None})


def test_it_is_extended_by_post_from_our_own_pages_alone(viewer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.post("/session").status_code == 403
    assert strict.put("/session").status_code == 403


def test_it_keeps_the_time_in_utc(browser):
    assert ends(browser.get("/session")).tzinfo == UTC
