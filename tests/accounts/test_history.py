"""Who the history names when a person, a key or the command line makes a change."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from config.accounts.api_keys import KeyActor
from config.accounts.history import HistoryMiddleware
from config.accounts.roles import Permission
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db


def change_as(actor):
    project = ProjectFactory()
    request = RequestFactory().post("/")
    request.user = actor

    def view(request):
        project.name = "Renamed"
        project.save(update_fields=["name"])

    HistoryMiddleware(view)(request)
    return project.history.first()


def test_it_names_the_person(editor):
    row = change_as(editor)
    assert row.history_user == editor
    assert row.history_change_reason is None


def test_it_names_the_key(db):
    key = KeyActor(
        id="5c1f6f5e-6a0a-4f6e-9e0e-0d6a5f5a7b10",
        name="ci-grype",
        permissions=frozenset({Permission.PROJECTS_WRITE}),
    )
    row = change_as(key)
    assert row.history_user is None
    assert row.history_change_reason == "API key ci-grype"


def test_it_names_nobody_outside_of_a_request(db):
    assert ProjectFactory().history.get().history_user is None
