"""Several clients at once, and what is deleted between a look and a deed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.api.asking import Machine
from tests.api.test_cases import new, said
from tests.api.test_finding_cases import attached, findings, item
from tests.factories import ProjectFactory, opened_case
from ticketing import projects
from ticketing.api.v2 import case_asking, finding_cases
from ticketing.models import Attachment, Case, Project

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = (Permission.FINDINGS_WRITE, Permission.CASES_WRITE)


@pytest.fixture
def key(db):
    return create_api_key("ci", scopes=SCOPES, actor=None)[1]


@pytest.fixture
def together(key):
    """Sends requests from four threads at once; the answers in their order."""

    def send(asks):
        def one(ask):
            try:
                return ask(Machine(Client(), key)).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, asks))

    return send


@pytest.fixture
def _postgresql():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")


@pytest.mark.usefixtures("_postgresql")
def test_findings_patched_to_two_cases_at_once_end_on_one(together):
    project, ids = ProjectFactory(), findings(10)
    cases = [opened_case(project) for _ in range(2)]

    def to(case, order):
        body = attached(case.pk, order)
        return lambda ask: ask.patch(f"/security/findings/cases/{case.pk}", body)

    asks = [to(cases[n % 2], ids if n % 3 else ids[::-1]) for n in range(12)]
    assert set(together(asks)) == {200}
    assert Attachment.objects.count() == 10
    assert Attachment.objects.values("case").distinct().count() == 1


@pytest.mark.usefixtures("_postgresql")
def test_cases_created_for_the_same_findings_at_once_share_nothing(together):
    project, ids = ProjectFactory(), findings(6)
    body = {"data": [item(project.pk, ids[:3]), item(project.pk, ids[3:])]}
    asks = [lambda ask: ask.post("/security/findings/cases", body)] * 8
    assert set(together(asks)) == {201}
    assert Case.objects.count() == 16
    assert Attachment.objects.count() == 6
    assert len(set(Case.objects.values_list("key", flat=True))) == 16


@pytest.fixture
def ask(key):
    return Machine(Client(), key)


def deleted_after(look):
    """The look-up, and right after it somebody deletes the project."""

    def looked(*args):
        found = look(*args)
        projects.delete_project(Project.objects.get(), actor=None)
        return found

    return looked


def test_a_project_deleted_meanwhile_is_not_found(ask, monkeypatch):
    project = ProjectFactory()
    monkeypatch.setattr(finding_cases, "find_projects", deleted_after(finding_cases.find_projects))
    answer = ask.post("/security/findings/cases", {"data": [item(project.pk, findings())]})
    assert answer.status_code == 404
    assert not Case.objects.exists()


def test_nor_is_one_that_a_case_was_to_be_created_in(ask, monkeypatch):
    project = ProjectFactory()
    monkeypatch.setattr(
        "ticketing.api.v2.cases.find_project", deleted_after(case_asking.find_project)
    )
    assert ask.post("/cases", new(project.pk)).status_code == 404


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_project_is_changed_or_deleted_by_nobody_after_it_is_gone(key, monkeypatch, method):
    ProjectFactory(key="SEC")
    key = create_api_key("admin", scopes=[Permission.PROJECTS_WRITE], actor=None)[1]
    looked = deleted_after(case_asking.find_project)
    monkeypatch.setattr("ticketing.api.v2.case_projects.find_project", looked)
    body = {"data": {"type": "project", "attributes": {"name": "New"}}}
    answer = Machine(Client(), key).ask(method, "/cases/projects/SEC", body)
    assert answer.status_code == 404


# --- The same request again -------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/security/findings/cases", lambda p: {"data": [item(p.pk, findings())]}),
        ("/cases", lambda p: new(p.pk)),
    ],
)
def test_a_request_sent_again_under_its_name_opens_one_case(ask, path, body):
    sent = body(ProjectFactory())
    answers = [ask.ask("post", path, sent, **{"Idempotency-Key": "a"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Case.objects.count() == 1


def test_a_comment_sent_again_under_its_name_is_one(ask):
    case = opened_case(ProjectFactory(key="SEC"))
    for _ in range(2):
        answer = ask.ask(
            "post", "/cases/SEC-1/comment", said(comment="x"), **{"Idempotency-Key": "b"}
        )
        assert answer.status_code == 200
    assert case.timeline.filter(kind="comment").count() == 1
