import pytest

from ticketing.trackers.base import Category, TrackerError
from ticketing.trackers.jira.catalogue import Catalogue
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.fields import FieldKind, offered
from ticketing.trackers.jira.sandbox import defaults

# Every kind of field that a rule may set is in the sandbox.
KINDS = set(FieldKind) - {FieldKind.UNSUPPORTED, FieldKind.EPIC_LINK, FieldKind.GROUPS}


@pytest.fixture(params=["sandbox_jira", "sandbox_data_center"])
def jira(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def catalogue(jira):
    with JiraClient(jira.credentials) as client:
        yield Catalogue(client)


def test_it_lists_spaces(catalogue):
    assert [space.key for space in catalogue.spaces()] == ["OPS", "PLAT", "SEC"]
    assert [space.key for space in catalogue.spaces("plat")] == ["PLAT"]
    assert catalogue.spaces("nothing") == []
    assert catalogue.visible_spaces() == 3


def test_it_reads_a_space(catalogue, jira):
    assert catalogue.space("10000")[:3] == ("10000", "SEC", "Security Engineering")
    jira.archive("SEC")
    assert catalogue.space("SEC").is_archived
    with pytest.raises(TrackerError) as caught:
        catalogue.space("NONE")
    assert caught.value.status == 404


def test_it_lists_only_spaces_where_we_may_create(sandbox_jira):
    sandbox_jira.deny("CREATE_ISSUES", "SEC")
    with JiraClient(sandbox_jira.credentials) as client:
        assert [space.key for space in Catalogue(client).spaces()] == ["OPS", "PLAT"]
        assert Catalogue(client).issue_types("10000") == []


def test_it_lists_issue_types(catalogue):
    types = {kind.name: kind for kind in catalogue.issue_types("10000")}
    assert set(types) == {"Task", "Bug", "Story", "Sub-task", "Epic"}
    assert types["Sub-task"].is_subtask
    assert not types["Task"].is_subtask


def test_it_reads_the_fields_of_a_type(catalogue, jira):
    jira.require_field("SEC", defaults.SELECT.id)
    specs = {spec.id: spec for spec in catalogue.create_fields("10000", "10001")}
    assert {spec.kind for spec in offered(specs.values())} >= KINDS - {FieldKind.PARENT}
    team = specs[defaults.SELECT.id]
    assert (team.name, team.is_required) == ("Team", True)
    assert [option.label for option in team.options] == ["Red", "Blue", "Green"]
    assert not specs["reporter"].is_required


def test_it_reads_every_page(catalogue, jira, monkeypatch):
    monkeypatch.setattr("ticketing.trackers.jira.catalogue._PAGE", 2)
    assert len(catalogue.issue_types("10000")) == 5
    assert len(jira.log.matching("GET /issue/createmeta")) == 3


def test_it_finds_people(catalogue, jira):
    assert "Ivan Inactive" not in [user.name for user in catalogue.assignable("SEC")]
    [dana] = catalogue.assignable("SEC", "dana")
    assert (dana.id, dana.name) == (jira.name_of(defaults.DANA), "Dana Developer")


def test_it_finds_a_person_by_email(catalogue, jira):
    found = catalogue.user_by_email("DANA@example.com")
    assert found is not None
    assert found.id == jira.name_of(defaults.DANA)
    assert catalogue.user_by_email("nobody@example.com") is None


def test_a_person_with_another_email_is_not_meant(sandbox_jira):
    dana = sandbox_jira.site.people[defaults.DANA.account_id]
    sandbox_jira.site.people[dana.account_id] = dana._replace(email="dana@example.com.test")
    with JiraClient(sandbox_jira.credentials) as client:
        assert Catalogue(client).user_by_email("dana@example.com") is None


def test_it_lists_priorities(catalogue):
    names = [priority.name for priority in catalogue.priorities()]
    assert names == ["Highest", "High", "Medium", "Low", "Lowest"]


def test_it_lists_the_statuses_of_a_type(catalogue):
    statuses = {status.name: status.category for status in catalogue.statuses("10002", "10001")}
    assert statuses == {
        "To Do": Category.NEW,
        "In Progress": Category.IN_PROGRESS,
        "Done": Category.DONE,
    }
    assert catalogue.statuses("10002", "99") == []
