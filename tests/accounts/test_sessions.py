"""When a session ends, and staying signed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

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

    assert ends(browser.post("/session")) == EVENING - timedelta(minutes=1) + timedelta(hours=12)
    frozen.move_to(EVENING + timedelta(minutes=1))
    assert browser.get("/styleguide").status_code == 200


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
