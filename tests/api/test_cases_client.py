"""The public API's own client drives case management."""

from __future__ import annotations

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.api.case_management_type_api import CaseManagementTypeApi

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.factories import ProjectFactory, UserFactory
from tests.jira_places import destination_at
from ticketing.models import Case, ExternalIssue

pytestmark = pytest.mark.django_db(transaction=True)
CASE = dd.CaseResourceType.CASE
SCOPES = (Permission.CASES_READ, Permission.CASES_WRITE, Permission.PROJECTS_WRITE)


@pytest.fixture
def client(public_client, admin):
    return public_client(create_api_key("client", scopes=SCOPES, actor=admin)[1])


@pytest.fixture
def operations(client):
    return CaseManagementApi(client)


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


def to_project(row):
    data = dd.ProjectRelationshipData(id=str(row.pk), type=dd.ProjectResourceType.PROJECT)
    return dd.ProjectRelationship(data=data)


def create(operations, row, title="Rotate"):
    attributes = dd.CaseCreateAttributes(
        title=title, type_id="00000000-0000-0000-0000-000000000001", priority=dd.CasePriority.P3
    )
    data = dd.CaseCreate(
        type=CASE,
        attributes=attributes,
        relationships=dd.CaseCreateRelationships(project=to_project(row)),
    )
    return operations.create_case(dd.CaseCreateRequest(data=data)).data


EMPTY = dd.CaseEmptyRequest(data=dd.CaseEmpty(type=CASE))


def test_it_creates_shows_searches_and_counts(operations, project):
    made = create(operations, project)
    assert (made.attributes.key, str(made.attributes.status)) == ("SEC-1", "OPEN")
    assert operations.get_case("SEC-1").data.id == made.id
    for number in range(11):
        create(operations, project, title=f"Case {number}")
    page = operations.search_cases(page_size=5, page_number=2, filter="status:open")
    assert (len(page.data), page.meta.page.size, page.meta.page.total) == (5, 5, 3)
    everything = list(operations.search_cases_with_pagination(filter="project:SEC"))
    assert len({each.id for each in everything}) == 12
    [group] = operations.count_cases(group_bys="priority").data.attributes.groups
    assert (group.group_values[0].value, group.group_values[0].count) == ("P3", 12)


def test_it_changes_a_case(operations, project):
    made, person = create(operations, project), UserFactory()
    attributes = {"env": ["prod"]}
    for change, request in (
        ("update_status", _status("IN_PROGRESS")),
        ("update_priority", _said("Priority", priority=dd.CasePriority.P1)),
        ("update_case_title", _said("Title", title="New")),
        ("update_case_description", _said("Description", description="Text")),
        ("update_case_due_date", _said("DueDate", due_date="2026-12-31")),
        ("update_attributes", _attributes(attributes)),
        ("assign_case", _assign(person)),
        ("unassign_case", EMPTY),
        ("archive_case", EMPTY),
        ("unarchive_case", EMPTY),
    ):
        assert getattr(operations, change)(made.id, request).data.id == made.id
    case = Case.objects.get()
    assert (case.status, case.priority, case.title) == ("IN_PROGRESS", "P1", "New")
    assert (case.attributes, str(case.due_date)) == (attributes, "2026-12-31")


def _said(name, **attributes):
    said = getattr(dd, f"CaseUpdate{name}Attributes")(**attributes)
    data = getattr(dd, f"CaseUpdate{name}")(type=CASE, attributes=said)
    return getattr(dd, f"CaseUpdate{name}Request")(data=data)


def _status(status):
    return _said("Status", status=dd.CaseStatus(status))


def _attributes(values):
    said = dd.CaseUpdateAttributesAttributes(attributes=dd.CaseObjectAttributes(**values))
    data = dd.CaseUpdateAttributes(type=CASE, attributes=said)
    return dd.CaseUpdateAttributesRequest(data=data)


def _assign(person):
    said = dd.CaseAssignAttributes(assignee_id=str(person.pk))
    return dd.CaseAssignRequest(data=dd.CaseAssign(type=CASE, attributes=said))


def test_it_comments_edits_lists_and_deletes(operations, project):
    case_id = create(operations, project).id
    said = dd.CaseCommentAttributes(comment="On it")
    request = dd.CaseCommentRequest(data=dd.CaseComment(type=CASE, attributes=said))
    [cell] = operations.comment_case(case_id, request).data
    assert cell.attributes.cell_content.message == "On it"
    edited = dd.CaseUpdateCommentRequest(
        data=dd.CaseUpdateComment(
            type=CASE, attributes=dd.CaseUpdateCommentAttributes(comment="Done")
        )
    )
    operations.update_case_comment(case_id, cell.id, edited)
    [cell] = operations.list_case_timeline(case_id, page_size=10, sort_ascending=True).data
    assert cell.attributes.cell_content.message == "Done"
    assert operations.delete_case_comment(case_id, cell.id) is None


def test_it_keeps_projects(operations, project):
    said = dd.ProjectCreateAttributes(key="OPS", name="Operations")
    kind = dd.ProjectResourceType.PROJECT
    data = dd.ProjectCreate(type=kind, attributes=said)
    made = operations.create_project(dd.ProjectCreateRequest(data=data)).data
    assert {each.attributes.key for each in operations.get_projects().data} == {"OPS", "SEC"}
    update = dd.ProjectUpdate(type=kind, attributes=dd.ProjectUpdateAttributes(name="Ops"))
    operations.update_project(made.id, dd.ProjectUpdateRequest(data=update))
    assert operations.get_project(made.id).data.attributes.name == "Ops"
    case_id = create(operations, project).id
    moved = operations.move_case_to_project(
        case_id,
        dd.ProjectRelationship(data=dd.ProjectRelationshipData(id=made.id, type=kind)),
    )
    assert moved.data.attributes.key == "OPS-1"
    with pytest.raises(ApiException) as refused:
        operations.delete_project(made.id)
    assert refused.value.status == 409
    assert operations.delete_project(str(project.pk)) is None


def test_it_links_cases_with_jira(operations, project, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    place = destination_at(sandbox_jira, project=project)
    case_id = create(operations, project).id
    kind = dd.JiraIssueResourceType.ISSUES
    said = dd.JiraIssueCreateAttributes(
        jira_account_id=str(place.account_id),
        project_id=place.space_id,
        issue_type_id=place.type_id,
    )
    data = dd.JiraIssueCreateData(type=kind, attributes=said)
    assert operations.create_case_jira_issue(case_id, dd.JiraIssueCreateRequest(data=data)) is None
    assert operations.unlink_jira_issue(case_id) is None
    there = sandbox_jira.create_issue("SEC", "By hand")
    url = f"{sandbox_jira.url}/browse/{there.key}"
    link = dd.JiraIssueLinkData(
        type=kind, attributes=dd.JiraIssueLinkAttributes(jira_issue_url=url)
    )
    assert operations.link_jira_issue_to_case(case_id, dd.JiraIssueLinkRequest(data=link)) is None
    assert ExternalIssue.objects.get(state="created").issue_key == there.key
    jira = operations.get_project("SEC").data.attributes.settings.integration_jira
    assert (jira.enabled, jira.metadata.issue_type_id) == (True, place.type_id)


def test_it_shows_types_and_views_and_understands_refusals(client, operations, project):
    [kind] = CaseManagementTypeApi(client).get_all_case_types().data
    assert kind.attributes.name == "Standard"
    [view] = operations.list_case_views(str(project.pk)).data
    assert operations.get_case_view(view.id).data.attributes.query == "project:SEC"
    with pytest.raises(NotFoundException) as missing:
        operations.get_case("nothing")
    assert missing.value.body["errors"][0]["title"] == "case not found"
    with pytest.raises(NotFoundException) as unbuilt:
        operations.list_case_watchers("SEC-1")
    assert "is not built here" in unbuilt.value.body["errors"][0]["detail"]
