"""People have a team: it decides what they are shown first, not what they may do."""

from __future__ import annotations

import pytest

from config.accounts.people import as_team, change_person, set_team
from config.accounts.roles import Role

pytestmark = pytest.mark.django_db
TEAM = "/account/team"


@pytest.mark.parametrize(
    ("typed", "team"),
    [
        ("payments", "payments"),
        ("  Cloud \t Risk ", "Cloud Risk"),
        ("team:payments", "payments"),
        (" team: payments", "payments"),
        ("Payments", "Payments"),  # as the tag is written
        ("team:", ""),
        ("", ""),
    ],
)
def test_it_is_written_as_the_value_of_a_tag(typed, team):
    assert as_team(typed) == team


def test_a_person_says_which_is_theirs(as_user, viewer):
    client = as_user(viewer)
    assert "Set your team" in client.get(TEAM).text
    client.post(TEAM, {"team": "payments"})
    viewer.refresh_from_db()
    assert viewer.team == "payments"
    assert viewer.history.first().history_user == viewer
    assert "Team: payments" in client.get(TEAM).text
    client.post(TEAM, {"team": ""})
    viewer.refresh_from_db()
    assert viewer.team == ""


@pytest.mark.parametrize("team", ["x" * 101, "a\0b"])
def test_it_refuses_what_is_no_name(as_user, viewer, team):
    answer = as_user(viewer).post(TEAM, {"team": team})
    assert answer.status_code == 422
    assert 'id="id_team_error"' in answer.text


def test_it_leads_nowhere_else(as_user, viewer):
    answer = as_user(viewer).post(TEAM, {"team": "a", "next": "https://evil.example/"})
    assert answer.url == "/"


def test_an_admin_says_it_for_others(as_user, admin, viewer):
    said = {"name": "Vera", "role": "viewer", "is_active": "on", "team": " payments "}
    client = as_user(admin)
    client.post(f"/settings/users/{viewer.pk}", said)
    viewer.refresh_from_db()
    assert viewer.team == "payments"
    assert "<td>payments</td>" in client.get("/settings/users").text


def test_what_says_nothing_of_it_keeps_it(admin, viewer):
    set_team(viewer, "payments", actor=viewer)
    change_person(viewer, name="Vera", role=Role.VIEWER, is_active=True, actor=admin)
    viewer.refresh_from_db()
    assert viewer.team == "payments"


def test_strangers_have_none(client):
    assert client.get(TEAM).status_code == 302
