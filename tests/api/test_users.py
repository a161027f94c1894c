"""People and keys, as the public API's own client asks about them."""

from __future__ import annotations

import pytest
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.users_api import UsersApi

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(public_client, editor):
    return public_client(create_api_key("tf", scopes=[Permission.CASES_READ], actor=editor)[1])


def test_the_client_knows_who_it_is(client, editor):
    me = UsersApi(client).get_current_user().data
    assert (str(me.id), me.attributes.email) == (str(editor.pk), editor.email)


def test_the_client_checks_its_keys(client):
    shown = KeyManagementApi(client).validate().data.attributes
    assert (shown.valid, shown.api_key_scopes) == (True, ["cases_read"])
    assert KeyManagementApi(client).validate_api_key().status.value == "ok"


def test_the_client_finds_people(client, editor):
    gone = UserFactory(name="Gone Person", is_active=False)
    UserFactory.create_batch(3, role="analyst")
    api = UsersApi(client)

    page = api.list_users(page_size=2, page_number=1, sort="email")
    assert (len(page.data), page.meta.page.total_count) == (2, 5)
    [found] = api.list_users(filter="edith").data
    assert str(found.id) == str(editor.pk)
    [disabled] = api.list_users(filter_status="Disabled").data
    assert (disabled.attributes.status, disabled.attributes.disabled) == ("Disabled", True)
    assert api.get_user(user_id=str(gone.pk)).data.attributes.name == "Gone Person"


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("users?sort=role", 400, "Sort by one of name, email, status, created_at, asc or desc."),
        (f"users?filter={'x' * 101}", 400, "A filter has up to 100 characters, and no NUL."),
        ("users?page[size]=0", 400, "page[size] is a whole number from 1 to 100."),
        ("users/00000000-0000-0000-0000-000000000000", 404, "user not found"),
    ],
)
def test_it_refuses_what_it_cannot_find(api, make_key, path, status, detail):
    answer = api.get(f"/api/v2/{path}", headers={"DD-API-KEY": make_key(Permission.CASES_READ)})
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (status, detail)


def test_it_says_that_a_key_belongs_to_nobody(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.CASES_READ)}
    assert api.get("/api/v2/current_user", headers=headers).status_code == 404
