"""The pages for when there is no page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.test import RequestFactory

from config import errors
from config.accounts.roles import Role
from tests.factories import UserFactory


@pytest.fixture
def request_():
    request = RequestFactory().get("/cases/SEC-1?tab=x")
    request.user = AnonymousUser()
    request.id = "0123456789abcdef"
    return request


@pytest.mark.django_db
def test_it_says_that_nothing_is_at_an_address(client):
    page = client.get("/nothing-here")
    assert page.status_code == 404
    assert "Nothing at this address" in page.text
    assert page.text.count("<h1") == 1


def test_it_gives_the_reference_of_an_error_and_a_way_to_try_again(request_):
    page = errors.server_error(request_)
    assert page.status_code == 500
    assert "0123456789abcdef" in page.text
    assert 'href="/cases/SEC-1?tab=x"' in page.text


@pytest.mark.parametrize("status", ["bad_request", "permission_denied", "page_not_found"])
def test_it_shows_without_asking_the_database(request_, status):
    page = getattr(errors, status)(request_, Http404("gone"))
    assert "<h1>" in page.text
    assert "Go to Overview" in page.text


def test_it_asks_nothing_of_the_database_when_something_broke(request_):
    assert "Something broke on our side" in errors.server_error(request_).text


@pytest.mark.django_db
def test_it_names_the_role_and_whom_to_ask(as_user, viewer, admin):
    UserFactory(name="Gone Admin", role=Role.ADMIN, is_active=False)

    page = as_user(viewer).get("/settings/integrations")

    assert page.status_code == 403
    assert "You need the Admin role to do this. Ask an admin: Ada Admin." in page.text
    assert "Gone Admin" not in page.text


@pytest.mark.django_db
def test_it_names_nobody_to_strangers_or_to_scripts(client, admin):
    assert "Ada Admin" not in client.post("/theme", {"theme": "pink"}).text
    assert "Ada Admin" not in client.get("/api/v1/findings").text
