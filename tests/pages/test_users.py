from __future__ import annotations

import pytest

from config.accounts.models import User
from tests.factories import UserFactory

LIST = "/settings/users"
NOBODY = "00000000-0000-4000-8000-000000000000"
NEW = f"{LIST}/new"
GOOD = {"name": "Maya Okafor", "email": "Maya@Example.com", "role": "analyst"}


def test_it_lists_people_with_their_roles(as_user, admin, editor):
    UserFactory(name="Gone Greta", is_active=False)
    shown = as_user(admin).get(LIST).text
    assert "Ada Admin (you)" in shown
    assert "Automation editor" in shown
    assert "Deactivated" in shown


def test_it_adds_a_person_and_shows_the_password_once(as_user, admin):
    client = as_user(admin)
    response = client.post(NEW, GOOD)
    raw = response.context["raw"]
    person = User.objects.get(email="maya@example.com")
    assert person.check_password(raw)
    assert person.role == "analyst"
    assert person.history.get().history_user == admin
    assert raw in response.text
    assert "no-store" in response["Cache-Control"]
    assert raw not in client.get(LIST).text


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"email": "ADMIN@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"role": "owner"}, "role"),
    ],
)
def test_it_says_at_the_field_what_is_wrong(as_user, admin, sent, field):
    User.objects.filter(pk=admin.pk).update(email="admin@example.com")
    response = as_user(admin).post(NEW, GOOD | sent)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.text


def test_it_changes_name_role_and_entrance(as_user, admin, viewer):
    address = f"{LIST}/{viewer.pk}"
    client = as_user(admin)
    assert "Vera Viewer" in client.get(address).text
    said = client.post(address, {"name": "Vera V", "role": "automation_editor"}, follow=True).text
    assert "Vera V saved" in said
    viewer.refresh_from_db()
    assert (viewer.name, viewer.role, viewer.is_active) == ("Vera V", "automation_editor", False)
    assert viewer.history.first().history_user == admin


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"role": "viewer", "is_active": "on"}, "role"), ({"role": "admin"}, "is_active")],
)
def test_it_keeps_an_admin(as_user, admin, sent, field):
    response = as_user(admin).post(f"{LIST}/{admin.pk}", {"name": "Ada Admin"} | sent)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.text
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


def test_it_sets_a_new_password_after_a_question(as_user, admin, viewer):
    client, address = as_user(admin), f"{LIST}/{viewer.pk}/password"
    assert "Set a new password for Vera Viewer?" in client.get(address).text
    raw = client.post(address).context["raw"]
    viewer.refresh_from_db()
    assert viewer.check_password(raw)
    assert viewer.history.first().history_change_reason == "Password reset"


@pytest.mark.parametrize("path", [f"/{NOBODY}", f"/{NOBODY}/password"])
def test_it_does_not_find_a_person_who_is_none(as_user, admin, path):
    assert as_user(admin).get(LIST + path).status_code == 404


@pytest.mark.parametrize("path", ["", "/new", f"/{NOBODY}", f"/{NOBODY}/password"])
def test_it_is_for_admins(as_user, editor, path):
    client = as_user(editor)
    assert client.get(LIST + path).status_code == 403
    assert client.post(LIST + path, GOOD).status_code == 403


def test_it_takes_no_other_method(as_user, admin):
    assert as_user(admin).post(LIST).status_code == 405


def test_it_escapes_names(as_user, admin):
    person = UserFactory(name="<script>x</script>")
    client = as_user(admin)
    for address in (LIST, f"{LIST}/{person.pk}", f"{LIST}/{person.pk}/password"):
        assert "<script>x" not in client.get(address).text


def test_it_takes_as_many_statements_for_many_people(as_user, admin, django_assert_num_queries):
    client = as_user(admin)
    for number in (1, 30):
        UserFactory.create_batch(number)
        with django_assert_num_queries(5):
            client.get(LIST)
