from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.accounts.api_keys import create_api_key, live_keys, revoke_api_key
from config.accounts.models import ApiKey
from config.accounts.roles import Permission

LIST = "/settings/api-keys"
NO_KEY = "00000000-0000-4000-8000-000000000000"
NEW = f"{LIST}/new"
INTAKE = Permission.FINDINGS_INTAKE.value


@pytest.fixture
def make_key(admin):
    def make(name="ci-grype", **said):
        return create_api_key(name, scopes=[Permission.FINDINGS_INTAKE], actor=admin, **said)[0]

    return make


def test_it_lists_keys_with_what_they_may_do(as_user, admin, make_key):
    key = make_key(expires_at=timezone.now() + timedelta(days=7, hours=1))

    shown = as_user(admin).get(LIST).text

    assert f"{key.prefix}••••" in shown
    assert INTAKE in shown
    assert "Never used" in shown
    assert "in 7 d" in shown


@pytest.mark.usefixtures("frozen")
def test_it_says_which_keys_no_longer_work(as_user, admin, make_key):
    key = make_key("old-rundeck")
    revoke_api_key(key.pk, actor=None)
    expired = make_key("expired")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(days=2))

    shown = as_user(admin).get(LIST).text

    assert "Revoked 23 Nov 2026" in shown
    assert "Expired 21 Nov 2026" in shown
    assert f"{LIST}/{key.pk}/revoke" not in shown


def test_it_invites_to_the_first_key(as_user, admin):
    assert "No API keys yet" in as_user(admin).get(LIST).text


@pytest.mark.usefixtures("frozen")
def test_it_shows_a_new_key_once(as_user, admin):
    client = as_user(admin)
    sent = {"name": "ci-grype", "scopes": [INTAKE], "expires_on": "2027-11-23"}

    response = client.post(NEW, sent)

    raw = response.context["raw"]
    assert "<b>Key ci-grype created.</b> Copy it now. You won't see it again." in response.text
    assert raw in response.text
    assert "no-store" in response["Cache-Control"]
    assert raw not in client.get(LIST).text
    key = live_keys([raw])[raw]
    assert key.expires_at == datetime(2027, 11, 23, 23, 59, 59, 999999, tzinfo=UTC)
    assert key.created_by == admin


def test_it_makes_a_key_that_works_until_revoked(as_user, admin):
    as_user(admin).post(NEW, {"name": "x", "scopes": [INTAKE], "expires_on": ""})
    assert ApiKey.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"expires_on": "2020-01-01"}, "expires_on"),
        ({"expires_on": "soon"}, "expires_on"),
    ],
)
def test_it_says_at_the_field_what_is_wrong(as_user, admin, sent, field):
    good = {"name": "ci-grype", "scopes": [INTAKE], "expires_on": ""}

    response = as_user(admin).post(NEW, good | sent)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.text
    assert not ApiKey.objects.exists()


def test_it_revokes_after_a_question(as_user, admin, make_key):
    key, client = make_key(), as_user(admin)
    address = f"{LIST}/{key.pk}/revoke"
    assert "Revoke ci-grype?" in client.get(address).text

    assert "Key ci-grype revoked" in client.post(address, follow=True).text

    key.refresh_from_db()
    assert key.revoked_at
    assert key.history.first().history_user == admin
    assert "was revoked before" in client.post(address, follow=True).text


def test_it_does_not_find_a_key_that_is_none(as_user, admin):
    assert as_user(admin).get(f"{LIST}/{NO_KEY}/revoke").status_code == 404
    assert as_user(admin).post(f"{LIST}/{NO_KEY}/revoke").status_code == 404


@pytest.mark.parametrize("path", ["", "/new", f"/{NO_KEY}/revoke"])
def test_it_is_for_admins(as_user, editor, path):
    client = as_user(editor)
    assert client.get(LIST + path).status_code == 403
    assert client.post(LIST + path).status_code == 403


def test_it_takes_no_other_method(as_user, admin):
    assert as_user(admin).post(LIST).status_code == 405


def test_it_escapes_names(as_user, admin, make_key):
    make_key("<script>x</script>")
    assert "<script>x" not in as_user(admin).get(LIST).text


def test_it_takes_as_many_statements_for_many_keys(
    as_user, admin, make_key, django_assert_num_queries
):
    client = as_user(admin)
    for number in (1, 20):
        for _ in range(number):
            make_key()
        with django_assert_num_queries(5):
            client.get(LIST)
