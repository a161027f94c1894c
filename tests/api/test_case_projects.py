"""Projects of cases over the public API, with their settings for Jira."""

from __future__ import annotations

import pytest

from automation.rules.services import create_rule
from config.accounts.roles import Permission
from tests.api.asking import refusal
from tests.factories import DestinationFactory, ProjectFactory, opened_case, ticket_rule
from tests.jira_places import account_at
from ticketing.models import Destination, Project
from ticketing.trackers.jira.sandbox.defaults import BUG, DATE, DATE_TIME, TASK

pytestmark = pytest.mark.django_db
NOBODY = "11111111-1111-1111-1111-111111111111"
SETTINGS = "/data/attributes/settings"
JIRA = f"{SETTINGS}/integration_jira"
PROPERTIES = f"{JIRA}/sync/properties"


@pytest.fixture
def ask(machine):
    return machine(Permission.CASES_READ, Permission.PROJECTS_WRITE)


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


def said(**attributes):
    return {"data": {"type": "project", "attributes": attributes}}


def with_jira(**jira):
    return said(settings={"integration_jira": jira})


def jira_of(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]["attributes"]["settings"]["integration_jira"]


def metadata(account, space_id, type_id=TASK.id):
    return {"account_id": str(account.pk), "project_id": space_id, "issue_type_id": type_id}


# --- Projects ---------------------------------------------------------------------------


def test_it_creates_shows_and_lists_projects(ask):
    answer = ask.post("/cases/projects", said(key="SEC", name=" Security "))
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["type"], data["attributes"]["key"], data["attributes"]["name"]) == (
        "project",
        "SEC",
        "Security",
    )
    for name in (data["id"], "SEC", "sec"):
        assert ask.get(f"/cases/projects/{name}").json()["data"] == data
    assert ask.get("/cases/projects").json()["data"] == [data]


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"key": "se c", "name": "X"}, "/data/attributes/key"),
        ({"key": "TOOLONGKEY1", "name": "X"}, "/data/attributes/key"),
        ({"key": "SEC", "name": "X"}, "/data/attributes/key"),
        ({"key": "OPS", "name": "Security"}, "/data/attributes/name"),
        ({"key": "OPS", "name": " "}, "/data/attributes/name"),
        ({"key": "OPS"}, "/data/attributes/name"),
    ],
)
def test_it_refuses_a_malformed_or_taken_project(ask, project, attributes, pointer):
    answer = ask.post("/cases/projects", said(**attributes))
    assert refusal(answer)[::2] == (400, pointer)
    assert Project.objects.count() == 1


def test_it_renames_a_project_and_keeps_its_key(ask, project):
    answer = ask.patch(f"/cases/projects/{project.pk}", said(name="Safety", key="NEW"))
    assert answer.json()["data"]["attributes"]["name"] == "Safety"
    project.refresh_from_db()
    assert (project.name, project.key) == ("Safety", "SEC")
    assert project.history.first().history_change_reason == "API key ci"


def test_it_deletes_an_unused_project(ask, project):
    DestinationFactory(project=project)
    assert ask.delete(f"/cases/projects/{project.pk}").status_code == 204
    assert not Project.objects.exists()


def test_what_stands_in_the_way_of_deleting_is_said(ask, project, admin):
    opened_case(project)
    data = ticket_rule(
        name="Secrets", finding_types=["secret"], project_id=project.pk, max_tickets_per_day=1
    )
    create_rule(data, actor=admin)
    answer = ask.delete("/cases/projects/SEC")
    assert answer.status_code == 409
    assert answer.json()["errors"] == [
        "Conflict",
        "Security is in use: 1 case in it, 1 rule that creates tickets in it (Secrets).",
    ]
    assert Project.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("post", ""), ("patch", "/SEC"), ("delete", "/SEC")])
def test_changing_projects_needs_its_scope(machine, project, method, path):
    ask = machine(Permission.CASES_READ, Permission.CASES_WRITE)
    assert ask.ask(method, f"/cases/projects{path}", {}).status_code == 403


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_unknown_project_is_not_found(ask, method):
    answer = ask.ask(method, f"/cases/projects/{NOBODY}", None if method == "get" else said())
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"code": "resource_not_found", "title": "project not found"}]


# --- Their settings for Jira ------------------------------------------------------------


def test_a_project_without_jira_shows_that_it_is_off(ask, project):
    settings = ask.get("/cases/projects/SEC").json()["data"]["attributes"]["settings"]
    assert settings["integration_jira"] == {"enabled": False}
    assert settings["integration_service_now"] == {"enabled": False}


def test_it_shows_the_data_sync_settings(ask, project):
    place = DestinationFactory(
        project=project, sync_title="off", status_mapping={"CLOSED": "10002"}
    )
    shown = jira_of(ask.get("/cases/projects/SEC"))
    assert (shown["enabled"], shown["auto_creation"]) == (True, {"enabled": False})
    assert shown["metadata"] == metadata(place.account, "10000", "10001")
    properties = shown["sync"]["properties"]
    assert properties["title"] == {"sync_type": "off"}
    assert properties["comments"] == {"sync_type": "two_way"}
    assert properties["status"]["mapping"] == {"CLOSED": "10002"}


def test_it_links_a_project_to_a_place_that_jira_knows(ask, project, jira):
    account, space = account_at(jira), jira.project("SEC")
    answer = ask.patch(
        "/cases/projects/SEC", with_jira(enabled=True, metadata=metadata(account, space.id))
    )
    assert jira_of(answer)["metadata"] == metadata(account, space.id)
    place = Destination.objects.get()
    assert (place.space_key, place.type_name, place.project) == ("SEC", "Task", project)
    ask.patch("/cases/projects/SEC", with_jira(metadata={"issue_type_id": BUG.id}))
    place.refresh_from_db()
    assert (place.type_name, place.space_id) == ("Bug", space.id)


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"project_id": "99999"}, 400, f"{JIRA}/metadata/project_id"),
        ({"issue_type_id": "99999"}, 400, f"{JIRA}/metadata/issue_type_id"),
        ({"issue_type_id": ""}, 400, f"{JIRA}/metadata/issue_type_id"),
        ({"account_id": NOBODY}, 404, None),
    ],
)
def test_it_refuses_a_place_that_is_not_there(ask, project, jira, change, status, pointer):
    place = metadata(account_at(jira), jira.project("SEC").id) | change
    body = said(name="N", settings={"integration_jira": {"metadata": place}})
    answer = ask.patch("/cases/projects/SEC", body)
    assert answer.status_code == status
    assert pointer is None or refusal(answer)[2] == pointer
    project.refresh_from_db()
    assert project.name == "Security"


def test_a_jira_that_is_away_is_said_and_changes_nothing(ask, project, jira):
    account, space = account_at(jira), jira.project("SEC")
    jira.faults.answer("GET .*", 503, "down", times=None)
    answer = ask.patch("/cases/projects/SEC", with_jira(metadata=metadata(account, space.id)))
    assert answer.status_code == 503
    assert not Destination.objects.exists()


def test_it_changes_what_is_said_and_keeps_the_rest(ask, project):
    place = DestinationFactory(project=project, priority_mapping={"P1": "1"})
    properties = {
        "title": {"sync_type": "two_way"},
        "status": {"mapping": {"CLOSED": "10002"}},
        "due_date": {"sync_type": "off"},
    }
    ask.patch("/cases/projects/SEC", with_jira(sync={"properties": properties}))
    place.refresh_from_db()
    assert (place.sync_title, place.sync_status) == ("two_way", "two_way")
    assert (place.status_mapping, place.priority_mapping) == ({"CLOSED": "10002"}, {"P1": "1"})


def test_it_switches_off_and_on_without_forgetting(ask, project):
    place = DestinationFactory(project=project)
    for is_on in (False, True):
        shown = jira_of(ask.patch("/cases/projects/SEC", with_jira(enabled=is_on)))
        assert shown["enabled"] is is_on
    place.refresh_from_db()
    assert place.is_enabled


def test_sync_off_is_every_field_off(ask, project):
    DestinationFactory(project=project)
    shown = jira_of(ask.patch("/cases/projects/SEC", with_jira(sync={"enabled": False})))
    assert shown["sync"]["enabled"] is False


@pytest.mark.parametrize(
    ("field", "has_time"), [("duedate", False), (DATE.id, False), (DATE_TIME.id, True)]
)
def test_the_due_date_goes_into_a_date_of_the_type(ask, project, jira, field, has_time):
    account, space = account_at(jira), jira.project("SEC")
    for each in (DATE, DATE_TIME):
        jira.put_field("SEC", each)
    due_date = {"sync_type": "two_way", "jira_field_id": field}
    sent = with_jira(
        metadata=metadata(account, space.id), sync={"properties": {"due_date": due_date}}
    )
    shown = jira_of(ask.patch("/cases/projects/SEC", sent))
    assert shown["sync"]["properties"]["due_date"] == due_date
    assert Destination.objects.get().due_date_has_time is has_time
    jira.faults.answer("GET .*", 503, "down", times=None)
    again = with_jira(sync={"properties": shown["sync"]["properties"]})
    assert jira_of(ask.patch("/cases/projects/SEC", again)) == shown
    off = jira_of(ask.patch("/cases/projects/SEC", with_jira(sync={"enabled": False})))
    assert off["sync"]["properties"]["due_date"]["sync_type"] == "off"


@pytest.mark.parametrize("field", ["summary", "customfield_1", "x" * 300])
def test_the_due_date_goes_into_nothing_else(ask, project, jira, field):
    account, space = account_at(jira), jira.project("SEC")
    said = {"due_date": {"sync_type": "once", "jira_field_id": field}}
    sent = with_jira(metadata=metadata(account, space.id), sync={"properties": said})
    answer = ask.patch("/cases/projects/SEC", sent)
    assert refusal(answer)[::2] == (400, f"{PROPERTIES}/due_date/jira_field_id")
    assert "duedate" in refusal(answer)[1]
    assert not Destination.objects.exists()


def synced(**properties):
    return {"integration_jira": {"sync": {"properties": properties}}}


def custom(said, name="customfield_7"):
    return synced(custom_fields={name: said})


CUSTOM = f"{PROPERTIES}/custom_fields"


def sync_of(ask) -> dict:
    return jira_of(ask.get("/cases/projects/SEC"))["sync"]["properties"]["custom_fields"]


def test_custom_fields_are_kept_and_replaced_as_one(ask, project):
    DestinationFactory(project=project)
    values = ["text", 7.5, {"id": "10001"}, [{"value": "a"}], True]
    fields = {
        f"customfield_{n}": {"sync_type": "once", "value": value} for n, value in enumerate(values)
    }
    off = {"customfield_9": {"sync_type": "off"}}
    for sent in (fields, fields | off, off, {}):
        answer = ask.patch("/cases/projects/SEC", said(settings=synced(custom_fields=sent)))
        assert answer.status_code == 200
        assert sync_of(ask) == sent
        ask.patch("/cases/projects/SEC", said(settings=synced(title={"sync_type": "off"})))
        assert sync_of(ask) == sent


def test_a_custom_field_says_why_nothing_comes_back(ask, project):
    DestinationFactory(project=project)
    sent = custom({"sync_type": "two_way", "value": "x"})
    answer = ask.patch("/cases/projects/SEC", said(settings=sent))
    assert "nothing can come back: sync_type is once or off" in refusal(answer)[1]


def test_turning_the_sync_off_turns_custom_fields_off(ask, project):
    DestinationFactory(project=project)
    ask.patch("/cases/projects/SEC", said(settings=custom({"sync_type": "once", "value": ["a"]})))
    off = {"integration_jira": {"sync": {"enabled": False}}}
    ask.patch("/cases/projects/SEC", said(settings=off))
    assert sync_of(ask) == {"customfield_7": {"sync_type": "off", "value": ["a"]}}


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"notification": {"enabled": True}}, f"{SETTINGS}/notification/enabled"),
        (
            {"integration_jira": {"auto_creation": {"enabled": True}}},
            f"{JIRA}/auto_creation/enabled",
        ),
        (synced(due_date={"sync_type": "daily"}), f"{PROPERTIES}/due_date"),
        (synced(custom_fields=7), f"{PROPERTIES}/custom_fields"),
        (synced(custom_fields={f"customfield_{n}": {} for n in range(101)}), CUSTOM),
        (custom({"sync_type": "once", "value": 1}, name="duedate"), f"{CUSTOM}/duedate"),
        (custom({"sync_type": "once"}), f"{CUSTOM}/customfield_7"),
        (custom({"sync_type": "two_way", "value": 1}), f"{CUSTOM}/customfield_7"),
        (custom({"sync_type": "daily", "value": 1}), CUSTOM),
        (custom({"sync_type": "once", "value": "x" * 10_000}), f"{CUSTOM}/customfield_7"),
        (synced(title={"sync_type": "never"}), f"{PROPERTIES}/title"),
        (synced(status={"mapping": {"DONE": "1"}}), f"{PROPERTIES}/status/mapping"),
        (synced(title={"mapping": {"a": "1"}}), f"{PROPERTIES}/title/mapping"),
        (synced(colour={}), f"{PROPERTIES}/colour"),
    ],
)
def test_it_refuses_settings_that_would_do_nothing(ask, project, settings, pointer):
    DestinationFactory(project=project)
    before = jira_of(ask.get("/cases/projects/SEC"))
    answer = ask.patch("/cases/projects/SEC", said(settings=settings))
    assert refusal(answer)[::2] == (400, pointer)
    assert jira_of(ask.get("/cases/projects/SEC")) == before


def test_settings_without_a_link_say_what_is_missing(ask, project):
    answer = ask.patch("/cases/projects/SEC", with_jira(enabled=True))
    assert refusal(answer)[::2] == (400, f"{JIRA}/metadata")
