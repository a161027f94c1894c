"""A key does no more than who answers for it may: its maker, or the admin who took it over."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from config.accounts.api_keys import create_api_key, take_over_api_key
from config.accounts.models import ApiKey, User
from config.accounts.people import KeyFate, change_person
from config.accounts.roles import Permission, Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
RULES = "/api/v2/security/findings/automation/ticket_creation_rules"
ACCOUNTS = "/api/v2/integration/jira/accounts"


@pytest.fixture
def maker(db) -> User:
    return UserFactory(name="Mo Maker", role=Role.ADMIN)


@pytest.fixture
def made(maker):
    scopes = [Permission.RULES_READ, Permission.INTEGRATIONS]
    return create_api_key("terraform", scopes=scopes, actor=maker)


def answers(raw: str) -> list[int]:
    client = Client(headers={"DD-API-KEY": raw})
    return [client.get(path).status_code for path in (RULES, ACCOUNTS)]


def change(maker, admin, **said) -> None:
    now = {"name": maker.name, "role": Role(maker.role), "is_active": maker.is_active}
    change_person(User.objects.get(pk=maker.pk), **now | said, actor=admin)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, [200, 200]),
        ({"role": Role.EDITOR}, [200, 403]),
        ({"role": Role.VIEWER}, [200, 403]),
        ({"is_active": False}, [403, 403]),
    ],
)
def test_it_stops_what_the_maker_may_no_longer_do(made, maker, said, expected):
    User.objects.filter(pk=maker.pk).update(**said)  # whoever wrote it, and however
    assert answers(made[1]) == expected


def test_it_says_why_a_scope_does_not_help(made, maker):
    User.objects.filter(pk=maker.pk).update(role=Role.VIEWER)
    answer = Client(headers={"DD-API-KEY": made[1]}).get(ACCOUNTS)
    assert "Mo Maker, who answers for it, may no longer do this" in answer.content.decode()


def test_it_leaves_a_key_of_the_command_line_its_scopes(maker):
    scopes = [Permission.RULES_READ, Permission.INTEGRATIONS]
    _, raw = create_api_key("cron", scopes=scopes, actor=None)
    User.objects.update(is_active=False)
    assert answers(raw) == [200, 200]


@pytest.mark.parametrize("said", [{"role": Role.EDITOR}, {"is_active": False}])
@pytest.mark.parametrize(
    ("fate", "expected"), [(KeyFate.REVOKE, [401, 401]), (KeyFate.KEEP, [200, 200])]
)
def test_it_asks_what_becomes_of_the_keys(made, maker, admin, said, fate, expected):
    key, raw = made
    with pytest.raises(ValidationError, match="what happens to the API keys"):
        change(maker, admin, **said)
    change(maker, admin, **said, keys=fate)
    assert answers(raw) == expected
    assert key.history.first().history_user == admin
    assert key.history.first().history_change_reason


@pytest.mark.parametrize("said", [{"name": "Mo"}, {"role": Role.ADMIN}])
def test_it_does_not_ask_where_nothing_is_lost(made, maker, admin, said):
    change(maker, admin, **said)
    assert answers(made[1]) == [200, 200]


def test_it_ends_with_the_admin_who_took_it_over(made, maker, admin):
    change(maker, admin, is_active=False, keys=KeyFate.KEEP)
    assert take_over_api_key(made[0].pk, actor=admin) is False
    User.objects.filter(pk=admin.pk).update(role=Role.ANALYST)
    assert answers(made[1]) == [200, 403]


def test_it_is_taken_over_by_nobody_who_could_not_make_it(made, editor):
    with pytest.raises(PermissionDenied):
        take_over_api_key(made[0].pk, actor=editor)


# --- The pages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["/settings/users/{}", "/admin/accounts/user/{}/change/"], ids=["page", "admin"]
)
def test_it_asks_on_every_page_that_takes_rights_away(as_user, admin, made, maker, url):
    browser, url = as_user(admin), url.format(maker.pk)
    said = {"name": "Mo", "role": "viewer", "is_active": "on"}

    asked = browser.post(url, said).content.decode()
    assert "terraform" in asked
    assert User.objects.get(pk=maker.pk).role == Role.ADMIN

    browser.post(url, said | {"keys": "keep"})
    assert User.objects.get(pk=maker.pk).role == Role.VIEWER
    assert ApiKey.objects.get().kept_by == admin


def test_it_marks_the_key_and_lets_an_admin_answer_for_it(as_user, admin, made, maker):
    browser = as_user(admin)
    User.objects.filter(pk=maker.pk).update(role=Role.VIEWER)
    page = browser.get("/settings/api-keys").content.decode()
    assert "Mo Maker may no longer use manage_integrations" in page

    url = f"/settings/api-keys/{made[0].pk}/take-over"
    assert url in page
    assert "manage_integrations" in browser.get(url).content.decode()
    browser.post(url)

    page = browser.get("/settings/api-keys").content.decode()
    assert "Ada Admin answers for it" in page
    assert answers(made[1]) == [200, 200]
