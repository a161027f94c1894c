"""Which project stands for which place in Jira."""

import pytest

from tests.factories import DestinationFactory, JiraAccountFactory, ProjectFactory
from ticketing.destinations import (
    Place,
    SyncSettings,
    destination_of,
    project_for,
    save_sync,
    unlink,
)
from ticketing.models import Destination, Project

pytestmark = pytest.mark.django_db

PLACE = Place("10000", "SEC", "Security Engineering", "10001", "Task")


@pytest.fixture
def account():
    return JiraAccountFactory()


def test_it_creates_a_project_for_a_place_and_links_it(account, editor):
    project, is_new = project_for(account, PLACE, actor=editor)

    assert is_new
    assert (project.key, project.name) == ("SECENG", "Security Engineering · Task")
    destination = destination_of(project.pk)
    assert (destination.account, destination.space_key, destination.type_name) == (
        account,
        "SEC",
        "Task",
    )
    assert destination.history.get().history_user == editor


def test_it_finds_the_project_of_a_place_again(account):
    made, _ = project_for(account, PLACE, actor=None)

    assert project_for(account, PLACE._replace(space_key="NEW"), actor=None) == (made, False)


def test_it_finds_the_oldest_of_several(account):
    first = DestinationFactory(account=account)
    DestinationFactory(account=account)

    assert project_for(account, PLACE, actor=None) == (first.project, False)


def test_it_tells_types_and_accounts_apart(account):
    made, _ = project_for(account, PLACE, actor=None)
    bug, is_new = project_for(account, PLACE._replace(type_id="2", type_name="Bug"), actor=None)
    other, _ = project_for(JiraAccountFactory(), PLACE, actor=None)

    assert is_new
    assert [made.key, bug.key, other.key] == ["SECENG", "SECENG2", "SECENG3"]
    assert [bug.name, other.name] == [
        "Security Engineering · Bug",
        "Security Engineering · Task 2",
    ]


@pytest.mark.parametrize(
    ("space_key", "key"),
    [
        ("~alice_b", "ALICEB"),
        ("2fa", "FA"),
        ("日本", "JIRA"),
        ("ABCDEFGHIJKLM", "ABCDEFGHIJ"),
    ],
)
def test_it_makes_a_key_of_any_space_key(account, space_key, key):
    place = PLACE._replace(space_key=space_key, space_name="Security")
    project, _ = project_for(account, place, actor=None)

    assert project.key == key


def test_it_keeps_a_long_key_s_number(account):
    ProjectFactory(key="ABCDEFGHIJ")

    place = PLACE._replace(space_key="ABCDEFGHIJ", space_name="")
    project, _ = project_for(account, place, actor=None)

    assert project.key == "ABCDEFGHI2"


def test_it_cuts_a_long_name(account):
    long = PLACE._replace(space_name="x" * 300)
    project_for(account, long, actor=None)

    project, _ = project_for(account, long._replace(type_id="2"), actor=None)

    assert len(project.name) == 100
    assert project.name.endswith("x 2")


def test_it_forgets_a_place(account, editor):
    project, _ = project_for(account, PLACE, actor=None)

    unlink(destination_of(project.pk), actor=editor)

    assert destination_of(project.pk) is None
    assert Project.objects.filter(pk=project.pk).exists()
    assert Destination.history.first().history_user == editor


def test_it_saves_what_is_kept_in_step_and_signs_it(editor):
    destination = DestinationFactory()
    fields = ("title", "description", "status", "assignee", "priority", "comments", "due_date")
    said = {f"sync_{name}": "off" for name in fields}
    settings = SyncSettings(
        **said,
        due_date_field="duedate",
        due_date_has_time=False,
        status_mapping={"CLOSED": "10002"},
        priority_mapping={"P1": "1"},
        no_way_back="leave",
        custom_fields={},
    )
    save_sync(destination, settings, actor=editor)
    save_sync(destination, settings, actor=editor)
    destination.refresh_from_db()
    assert (destination.sync_status, destination.no_way_back) == ("off", "leave")
    assert destination.status_mapping == {"CLOSED": "10002"}
    assert [entry.history_user for entry in destination.history.all()] == [editor, None]
