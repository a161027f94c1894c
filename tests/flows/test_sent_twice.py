"""A form that is sent twice, a decision that two people take: each is done once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from automation.models import Rule
from automation.rules import services
from config.accounts.models import ApiKey, KeptAnswer, User
from config.accounts.roles import Permission
from findings import saved_views
from findings.imports import closing
from findings.models import Finding, Import, SavedView
from tests.factories import FindingFactory, ProjectFactory, UserFactory, opened_case, ticket_rule
from tests.findings.imports.test_closing import take
from ticketing.connections import Report
from ticketing.models import Case, JiraAccount, Project, TimelineEntry

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4
RULES = "/settings/findings-automation"


class World:
    def __init__(self):
        self.project = ProjectFactory(key="RISK", name="Cloud Risk")
        self.finding = FindingFactory()
        self.case = opened_case(self.project)
        data = {"finding_types": ["secret"], "project_id": self.project.pk}
        data |= {"max_tickets_per_day": 5}
        self.rule = services.create_rule(ticket_rule(name="Old", **data), actor=None)


def comments():
    return TimelineEntry.objects.filter(kind="comment")


def rule_form(world):
    said = {"name": "New", "types": ["secret"], "query": "", "limit": 5, "seen": ""}
    return said | {"target": "case_management", "project": world.project.pk, "assignee": ""}


def case_form(world):
    return {"project": world.project.pk, "title": "Leak", "priority": "P1", "findings": ""}


def ticket_form(world):
    place = {"project": str(world.project.pk), "save": "yes", "next": "/"}
    return {"finding": [world.finding.finding_id]} | place


KEY = {"name": "ci", "scopes": [Permission.RULES_READ.value], "expires_on": ""}
PERSON = {"name": "Nora", "email": "nora@example.com", "role": "viewer"}
ACCOUNT = {"name": "acme", "deployment": "cloud", "site_url": "https://acme.atlassian.example"}
ACCOUNT |= {"email": "bot@acme.example", "token": "secret-token", "markup": "wiki"}
FORMS = {
    "rule": (f"{RULES}/create_ticket/new", f"{RULES}/create_ticket/new", rule_form, Rule.objects),
    "copy": (RULES, "/rules/{rule.pk}/duplicate", lambda _: {}, Rule.objects),
    "case": ("/cases/new", "/cases/new", case_form, Case.objects),
    "ticket": (None, "/tickets/new", ticket_form, Case.objects),
    "comment": (
        "/cases/{case.key}", "/cases/{case.key}/comment", lambda _: {"text": "Hi"}, comments()
    ),
    "project": (
        "/cases/projects", "/cases/projects", lambda _: {"name": "Ops", "key": "OPS"},
        Project.objects,
    ),
    "view": (
        "/explorer/views/new", "/explorer/views/new", lambda _: {"name": "Mine"}, SavedView.objects
    ),
    "key": ("/settings/api-keys/new", "/settings/api-keys/new", lambda _: KEY, ApiKey.objects),
    "person": ("/settings/users/new", "/settings/users/new", lambda _: PERSON, User.objects),
    "account": (
        "/settings/integrations/jira/new", "/settings/integrations/jira/new", lambda _: ACCOUNT,
        JiraAccount.objects,
    ),
}  # fmt: skip


@pytest.fixture
def world(monkeypatch):
    report = Report(checks=[], problem="", can_register=False, user_name="")
    monkeypatch.setattr("ticketing.connections.test_account", lambda *_, **__: report)
    return World()


def browser(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def form_of(name, world, **more):
    page, path, said, rows = FORMS[name]
    content = {"submission_id": "a" * 32} | said(world) | more
    return page and page.format(**vars(world)), path.format(**vars(world)), content, rows


@pytest.mark.parametrize("name", FORMS)
def test_what_is_sent_twice_is_done_once(world, admin, name):
    page, path, content, rows = form_of(name, world)
    client, before = browser(admin), rows.count()
    if page:
        field = re.compile(r'name="?submission_id"? value="?[0-9a-f]{32}\b')
        assert field.search(client.get(page).content.decode())
    first, second = client.post(path, content), client.post(path, content)
    assert first.status_code in (200, 302), first.content.decode()[-3000:]
    assert rows.count() == before + 1
    assert second.status_code == 302
    assert second["Location"] == first.get("Location", second["Location"])
    assert "sent twice" in client.get("/cases", follow=True).content.decode()


def edited_rule(world):
    return f"{RULES}/{world.rule.pk}/edit", rule_form(world) | {
        "seen": world.rule.modified_at.isoformat()
    }


def edited_case(world):
    said = {"title": "Leak", "description": "", "seen": world.case.modified_at.isoformat()}
    return f"/cases/{world.case.key}/edit", said


@pytest.mark.parametrize("edited", [edited_rule, edited_case])
def test_nobody_is_in_conflict_with_themselves(world, admin, edited):
    path, content = edited(world)
    client = browser(admin)
    answers = [client.post(path, content | {"submission_id": "c" * 32}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    other = {"submission_id": "d" * 32, "name": "Other", "title": "Other"}
    assert client.post(path, content | other).status_code == 409


@pytest.mark.parametrize("name", ["case", "comment", "ticket", "copy"])
def test_what_is_sent_at_once_is_done_once(world, admin, name):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    _, path, content, rows = form_of(name, world)
    before, clients = rows.count(), [browser(admin) for _ in range(AT_ONCE)]
    answers = at_once([lambda client=client: client.post(path, content) for client in clients])
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1
    assert rows.count() == before + 1


def test_what_is_said_anew_is_done_anew(world, admin):
    _, path, content, rows = form_of("case", world)
    client, before = browser(admin), rows.count()
    client.post(path, content)
    client.post(path, content | {"title": "Another leak"})
    client.post(path, content | {"submission_id": "b" * 32})
    browser(UserFactory(role="admin")).post(path, content)
    assert rows.count() == before + 4


def test_what_was_refused_can_be_sent_again(world, admin, monkeypatch):
    _, path, content, rows = form_of("case", world)
    before, client = rows.count(), browser(admin)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("ticketing.views.cases.toast", lambda *args: 1 / 0)  # after the case
        assert client.post(path, content).status_code == 500
    assert (rows.count(), KeptAnswer.objects.count()) == (before, 0)
    assert client.post(path, content).status_code == 302
    assert rows.count() == before + 1


def at_once(works):
    """All of them when every one is ready; what each answers, or raises."""
    barrier = Barrier(len(works))

    def run(work):
        try:
            barrier.wait(10)
            return work()
        except (ValueError, closing.AlreadyDecided) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def _save(owner):
    return lambda: saved_views.save_view(name="Mine", query="", is_shared=False, owner=owner)


def test_a_view_that_is_saved_twice_at_once_is_refused_in_words(admin):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    answers = at_once([_save(admin)] * AT_ONCE)
    assert SavedView.objects.count() == 1
    taken = [each for each in answers if isinstance(each, saved_views.ViewNameTaken)]
    assert len(taken) == AT_ONCE - 1


def test_a_name_that_was_taken_since_the_form_looked_is_said_at_its_field(admin, monkeypatch):
    view = saved_views.save_view(name="Other", query="", is_shared=False, owner=admin)
    saved_views.save_view(name="Mine", query="", is_shared=False, owner=admin)
    monkeypatch.setattr("findings.forms.ViewForm.clean_name", lambda form: "Mine")
    for path in ("/explorer/views/new", f"/explorer/views/{view.pk}"):
        answer = browser(admin).post(path, {"name": "Mine"})
        assert answer.status_code == 422
        assert "is already called “Mine”" in answer.content.decode()
    assert set(SavedView.objects.values_list("name", flat=True)) == {"Mine", "Other"}


@pytest.mark.parametrize("nth", range(4))
def test_of_keeping_and_resolving_at_once_one_decides(nth):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    take(1, 2, 3, 4)
    held, people = take(), [UserFactory(name=name) for name in ("Maya", "Noor")]
    keep, resolve = (
        lambda decide=decide, person=person: decide(Import.objects.get(pk=held.pk), actor=person)
        for decide, person in zip((closing.keep_open, closing.resolve_held), people, strict=True)
    )
    answers = at_once([keep, resolve] if nth % 2 else [resolve, keep])
    [loser] = [each for each in answers if each is not None]
    held.refresh_from_db()
    [winner] = [person for person in people if person.pk == held.decided_by_id]
    assert winner.name in str(loser)
    wanted = {"kept": {"open"}, "done": {"auto_closed"}}[held.closing]
    assert set(Finding.objects.values_list("status", flat=True)) == wanted
