import pytest

from ticketing.fields.spec import FieldKind, offered
from ticketing.trackers.base import Category, TrackerError
from ticketing.trackers.jira.catalogue import JiraCatalogue
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.sandbox import defaults

# Every kind of field that a rule may set is in the sandbox.
KINDS = set(FieldKind) - {FieldKind.EPIC_LINK, FieldKind.GROUPS}


@pytest.fixture(params=["sandbox_jira", "sandbox_data_center"])
def jira(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def catalogue(jira):
    with JiraClient(jira.credentials) as client:
        yield JiraCatalogue(client)


def test_it_lists_spaces(catalogue):
    assert [space.key for space in catalogue.spaces()] == ["OPS", "PLAT", "SEC", "DESK"]
    assert [space.key for space in catalogue.spaces("plat")] == ["PLAT"]
    assert catalogue.spaces("nothing") == []
    assert catalogue.visible_spaces() == 4


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
        assert [space.key for space in JiraCatalogue(client).spaces()] == ["OPS", "PLAT", "DESK"]
        assert JiraCatalogue(client).issue_types("10000") == []


def test_it_lists_issue_types(catalogue):
    types = {kind.name: kind for kind in catalogue.issue_types("10000")}
    assert set(types) == {"Task", "Bug", "Story", "Sub-task", "Epic"}
    assert types["Sub-task"].is_subtask
    assert not types["Task"].is_subtask


def test_it_reads_the_fields_of_a_type(catalogue, jira):
    jira.require_field("DESK", defaults.SELECT.id)
    specs = {spec.id: spec for spec in catalogue.create_fields("10003", "10001")}
    assert {spec.kind for spec in offered(specs.values())} >= KINDS - {FieldKind.PARENT}
    team = specs[defaults.SELECT.id]
    assert (team.name, team.is_required) == ("Team", True)
    assert [option.label for option in team.options] == ["Red", "Blue", "Green"]
    assert not specs["reporter"].is_required


def test_it_offers_teams_and_request_types_though_create_metadata_lists_none(catalogue):
    specs = {spec.id: spec for spec in catalogue.fields_to_fill("10003", "10001")}
    team, request = specs[defaults.ORG_TEAM.id], specs[defaults.REQUEST_TYPE.id]
    assert [option.label for option in team.options] == [each.name for each in defaults.ORG_TEAMS]
    assert (team.kind, team.has_all_options) == (FieldKind.TEAM, False)
    assert [tuple(option)[:2] for option in request.options] == [
        ("26", "Report a vulnerability"),
        ("27", "Ask for access"),
    ]
    found = catalogue.teams(defaults.ORG_TEAM.id, "form &")
    assert [option.label for option in found] == ["Platform & tools"]


@pytest.mark.parametrize("answer", [(404, None), (401, None), (200, [1]), (200, {"values": [{}]})])
def test_ids_are_typed_where_jira_lists_neither(catalogue, jira, answer):
    for path in ("GET .*suggestions", "GET .*servicedesk"):
        jira.faults.answer(path, *answer, times=None)
    specs = {spec.id: spec for spec in catalogue.fields_to_fill("10003", "10001")}
    assert specs[defaults.ORG_TEAM.id].options == ()
    assert specs[defaults.REQUEST_TYPE.id].options == ()


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
        assert JiraCatalogue(client).user_by_email("dana@example.com") is None


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
