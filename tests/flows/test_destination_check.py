"""A rule that is on is saved only where its tickets would be accepted, by whatever door."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from automation.destinations import check as destination_check
from automation.models import Rule
from automation.rules import services
from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.api.rules import URL
from tests.api.rules import said as document
from tests.factories import (
    ExternalIssueFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
    ticket_rule,
)
from tests.jira_places import destination_at
from ticketing import place_check
from ticketing.models import Destination, ExternalIssue, Project
from ticketing.trackers.jira.sandbox.defaults import TASK

pytestmark = pytest.mark.django_db(transaction=True)
TEAM = "customfield_10020"
ARCHIVED = "Jira space SEC is archived."
UNKNOWN = "Whether Jira takes the tickets could not be checked"


@pytest.fixture
def place(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    cache.clear()
    return destination_at(sandbox_jira)


class World:
    """A rule for SEC in Jira that broke, and everybody who may save it."""

    def __init__(self, place, admin, folder, *, key=""):
        self.place, self.folder, self.headers = place, folder, {}
        if key:
            self.headers = {"DD-API-KEY": key, "DD-APPLICATION-KEY": key}
        self.browser = Client()
        self.browser.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
        self.rule = services.create_rule(
            ticket_rule(
                name="Secrets",
                finding_types=["secret"],
                project_id=place.project_id,
                max_tickets_per_day=5,
                target="jira",
                enabled=False,
            ),
            actor=None,
        )

    def broken(self):
        Rule.objects.filter(pk=self.rule.pk).update(auto_disabled_reason="It broke.")
        return self

    def form(self, **more):
        ids = {"account": str(self.place.account_id), "space": self.place.space_id}
        said = {"name": "Secrets", "types": ["secret"], "query": "", "limit": "5"}
        seen = {"seen": self.rule.modified_at.isoformat()}
        return said | ids | seen | {"target": "jira", "type": TASK.id} | more

    def document(self, **action):
        return document({"project_id": str(self.place.project_id)} | action, name="Secrets")

    def send(self, method, path="", **action):
        sent = {"data": self.document(**action), "content_type": "application/json"}
        return getattr(Client(), method)(f"{URL}{path}", headers=self.headers, **sent)

    # --- The doors: each returns its answer as text -----------------------------------------

    def save_in_the_editor(self):
        path = f"/settings/findings-automation/{self.broken().rule.pk}/edit"
        return self.browser.post(path, self.form(), follow=True).content.decode()

    def create_in_the_editor(self):
        self.rule.delete()
        path = "/settings/findings-automation/create_ticket/new"
        return self.browser.post(path, self.form(), follow=True).content.decode()

    def create_at_a_new_place(self):
        Destination.objects.all().delete()
        return self.create_in_the_editor()

    def switch_on_in_the_list(self):
        path = f"/rules/{self.rule.pk}/toggle"
        return self.browser.post(path, {"enabled": "on"}, follow=True).content.decode()

    def enable_in_the_admin(self):
        said = {"action": "enable", "_selected_action": [str(self.broken().rule.pk)]}
        page = self.browser.post("/admin/automation/rule/", said, follow=True)
        return page.content.decode()

    def replace_by_api(self):
        return self.send("put", f"/{self.rule.pk}").content.decode()

    def create_by_api(self):
        self.rule.delete()
        self.headers |= {"Idempotency-Key": "once"}
        return self.send("post").content.decode()

    def apply_a_file(self):
        file, out = self.folder / "rules.yaml", StringIO()
        file.write_text(
            "rules:\n- name: Secrets\n  finding_types: [secret]\n  target: jira\n"
            f"  project: {self.place.project.key}\n  max_tickets_per_day: 5\n"
        )
        try:
            call_command("rules", "apply", str(file), stdout=out)
        except CommandError as refusal:
            return str(refusal)
        return out.getvalue()

    def deliver_what_waits(self):
        Rule.objects.filter(pk=self.rule.pk).update(enabled=True)
        case = opened_case(self.place.project, rule_id=self.rule.pk, origin="rule")
        ExternalIssueFactory(case=case, account=self.place.account, state="blocked")
        path = f"/rules/{self.rule.pk}/deliver"
        return self.browser.post(path, follow=True).content.decode()

    def is_refused(self, door):
        if door == "deliver_what_waits":
            return ExternalIssue.objects.get().state == "blocked"
        return not Rule.objects.filter(enabled=True).exists()


DOORS = [name for name in vars(World) if name.endswith(("editor", "place", "list", "admin"))]
DOORS += ["replace_by_api", "create_by_api", "apply_a_file", "deliver_what_waits"]
# The API has no place for it; a new place is not known without Jira.
SILENT = [door for door in DOORS if not door.startswith("create") and not door.endswith("api")]


@pytest.fixture
def world(place, admin, tmp_path):
    scopes = (Permission.RULES_READ, Permission.RULES_WRITE)
    return World(place, admin, tmp_path, key=create_api_key("tf", scopes=scopes, actor=admin)[1])


@pytest.mark.parametrize("door", DOORS)
def test_it_refuses_a_space_that_is_archived(world, sandbox_jira, door):
    sandbox_jira.archive("SEC")
    answer = getattr(world, door)()
    assert ARCHIVED in answer
    assert world.is_refused(door)
    if door == "create_at_a_new_place":
        assert not Destination.objects.exists()


@pytest.mark.parametrize("door", DOORS)
def test_it_saves_what_jira_would_take_and_asks_outside_of_transactions(world, door, monkeypatch):
    seen = []
    connect = place_check.tracker_for

    def watched(*args, **options):
        seen.append(connection.in_atomic_block)
        return connect(*args, **options)

    monkeypatch.setattr(place_check, "tracker_for", watched)
    answer = getattr(world, door)()
    assert UNKNOWN not in answer
    assert not world.is_refused(door)
    assert seen == [False]


@pytest.mark.parametrize("door", SILENT)
def test_it_saves_where_jira_does_not_answer_and_says_so(world, sandbox_jira, door):
    sandbox_jira.faults.answer("*", 503, None, times=None)
    assert UNKNOWN in getattr(world, door)()
    assert not world.is_refused(door)


def test_an_account_that_may_not_be_called_is_not_asked(world, sandbox_jira):
    type(world.place.account).objects.update(state="auth_failed", problem="The token expired.")
    assert f"{UNKNOWN}: The token expired." in world.switch_on_in_the_list()
    assert sandbox_jira.log.matching("GET ") == []
    assert not world.is_refused("")


def switch_off(world, jira):
    Destination.objects.update(is_enabled=False)


def need_team(world, jira):
    jira.require_field("SEC", TEAM)


def drop_type(world, jira):
    jira.drop_issue_type("SEC", "Task")


def deny(world, jira):
    jira.deny("CREATE_ISSUES", "SEC")


FAULTS = [
    (switch_off, "project_id", "space", "The Jira integration of project RISK is switched off."),
    (drop_type, "project_id", "type", "no longer exists in SEC."),
    (deny, "project_id", "space", "The account may not create tickets in SEC."),
    (need_team, f"fields/{TEAM}", f"field_{TEAM}", "Team is"),
]


@pytest.mark.parametrize(("fault", "pointer", "control", "sentence"), FAULTS)
def test_it_is_said_at_the_field(world, sandbox_jira, fault, pointer, control, sentence):
    path = f"/settings/findings-automation/{world.broken().rule.pk}/edit"
    world.browser.post("/rules/destination", world.form(rule=str(world.rule.pk)))  # remembered
    fault(world, sandbox_jira)

    page = world.browser.post(path, world.form())
    assert page.status_code == 422
    assert sentence in " ".join(page.context["form"].errors[control])

    answer = world.send("put", f"/{world.rule.pk}")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert sentence in error["detail"]
    assert error["source"]["pointer"] == f"/data/attributes/action/{pointer}"
    assert world.is_refused("")


def test_a_rule_that_is_off_is_saved_without_asking(world, sandbox_jira):
    sandbox_jira.archive("SEC")
    path = f"/settings/findings-automation/{world.rule.pk}/edit"
    world.browser.post(path, world.form(limit="7"))
    assert Rule.objects.get().action["max_tickets_per_day"] == 7
    assert sandbox_jira.log.matching("GET mypermissions") == []


def test_a_replayed_request_gets_the_first_answer_though_the_space_is_archived(world, sandbox_jira):
    world.create_by_api()
    sandbox_jira.archive("SEC")
    again = world.send("post")
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")


def test_it_names_the_rule_among_several(world, sandbox_jira):
    other = destination_at(
        sandbox_jira,
        space="PLAT",
        account=world.place.account,
        project=ProjectFactory(key="OPS"),
    )
    said = {"finding_types": ["secret"], "max_tickets_per_day": 5, "target": "jira"}
    data = ticket_rule(name="Platform", project_id=other.project_id, enabled=False, **said)
    second = services.create_rule(data, actor=None)
    sandbox_jira.archive("PLAT")
    ids = [world.rule.pk, second.pk]
    with pytest.raises(services.InvalidRule, match=r"“Platform”: Jira space PLAT is archived\."):
        destination_check.require_destinations_of(ids)


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("project", "The case project does not exist."),
        ("assignee", "The assignee does not exist or is deactivated."),
    ],
)
def test_it_refuses_case_management_where_nobody_or_nothing_is(world, gone, sentence):
    Project.objects.create(key="OLD", name="Old")
    project = str(Project.objects.get(key="OLD").pk)
    action = {**world.rule.action, "target": "case_management", "project_id": project}
    if gone == "assignee":
        action["assignee_id"] = str(UserFactory(is_active=False).pk)
    Rule.objects.filter(pk=world.rule.pk).update(action=action)
    if gone == "project":
        Project.objects.filter(key="OLD").delete()
    assert sentence in world.switch_on_in_the_list()
    assert world.is_refused("")
