from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import DestinationFactory, ProjectFactory, opened_case
from ticketing import services
from ticketing.models import Project

LIST = "/cases/projects"


def test_it_lists_projects_with_their_cases(as_user, editor, project):
    services.open_manual_case([], project=project, title="x", actor=None)

    shown = as_user(editor).get(LIST).content.decode()

    assert "Cloud Risk" in shown
    assert "1 open</a>" in shown


def test_it_invites_to_the_first_project(as_user, editor):
    assert "No projects yet" in as_user(editor).get(LIST).content.decode()


def test_it_creates_a_project(as_user, editor):
    response = as_user(editor).post(LIST, {"name": "Cloud Risk", "key": "RISK"}, follow=True)

    assert "Project Cloud Risk created" in response.content.decode()
    assert Project.objects.get().history.get().history_user == editor


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"key": "RISK", "name": "Other"}, "key"),
        ({"key": "OPS", "name": "Cloud Risk"}, "name"),
        ({"key": "risk", "name": "Other"}, "key"),
        ({"key": "TOOLONGAKEY", "name": "Other"}, "key"),
        ({"key": "", "name": "Other"}, "key"),
        ({"key": "OPS", "name": " "}, "name"),
        ({"key": "OPS", "name": "x" * 101}, "name"),
        ({"key": "OPS", "name": "a\0b"}, "name"),
    ],
)
def test_it_says_at_the_field_what_is_wrong(as_user, editor, project, sent, field):
    response = as_user(editor).post(LIST, sent)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.content.decode()
    assert Project.objects.get() == project


def test_it_edits_name_and_switches(as_user, editor, project):
    as_user(editor).post(f"{LIST}/RISK", {"name": "Risks", "closes_with_findings": "on"})

    project.refresh_from_db()
    assert project.name == "Risks"
    assert project.closes_with_findings
    assert not project.reopens_with_findings
    assert project.history.first().history_user == editor


def test_it_keeps_two_projects_apart(as_user, editor, project):
    ProjectFactory(key="OPS", name="Operations")

    response = as_user(editor).post(f"{LIST}/OPS", {"name": "Cloud Risk"})

    assert list(response.context["form"].errors) == ["name"]
    assert "Edit Operations" in response.content.decode()


@pytest.mark.parametrize("key", ["NONE", "risk", "%00"])
def test_it_does_not_find_a_project_that_is_none(as_user, editor, project, key):
    assert as_user(editor).get(f"{LIST}/{key}").status_code == 404


@pytest.mark.parametrize("address", [LIST, f"{LIST}/RISK"])
def test_it_is_for_those_who_may_write_projects(as_user, analyst, project, address):
    assert as_user(analyst).get(address).status_code == 403
    assert as_user(analyst).post(address).status_code == 403


def test_it_escapes_names(as_user, editor, project):
    ProjectFactory(key="X", name="<script>x</script>")
    assert "<script>x" not in as_user(editor).get(LIST).content.decode()


def test_it_costs_the_same_for_few_and_many_projects(as_user, editor, django_assert_num_queries):
    browser = as_user(editor)
    DestinationFactory()
    browser.get("/cases/projects")
    with CaptureQueriesContext(connection) as few:
        browser.get("/cases/projects")
    for _ in range(30):
        opened_case(DestinationFactory().project)

    with django_assert_num_queries(len(few)):
        browser.get("/cases/projects")
    assert len(few) <= 10
