"""The public API's own client drives the operations on findings' cases and issues."""

from __future__ import annotations

import pytest
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.factories import FindingFactory, ProjectFactory
from tests.jira_places import destination_at
from ticketing.models import Attachment, Case

pytestmark = pytest.mark.django_db(transaction=True)
PLURAL = dd.CaseDataType.CASES


@pytest.fixture
def operations(public_client, admin):
    key = create_api_key("client", scopes=[Permission.FINDINGS_WRITE], actor=admin)[1]
    return SecurityMonitoringApi(public_client(key))


@pytest.fixture
def place(sandbox_jira, settings, db):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return destination_at(sandbox_jira)


def findings(number=1):
    return dd.Findings(
        data=[
            dd.FindingData(id=FindingFactory().finding_id, type=dd.FindingDataType.FINDINGS)
            for _ in range(number)
        ]
    )


def project(row):
    data = dd.CaseManagementProjectData(
        id=str(row.pk), type=dd.CaseManagementProjectDataType.PROJECTS
    )
    return dd.CaseManagementProject(data=data)


def wish(row, found, **attributes):
    return dd.CreateCaseRequestData(
        type=PLURAL,
        attributes=dd.CreateCaseRequestDataAttributes(**attributes),
        relationships=dd.CreateCaseRequestDataRelationships(findings=found, project=project(row)),
    )


def attach(case_id, found):
    return dd.AttachCaseRequest(
        data=dd.AttachCaseRequestData(
            id=case_id,
            type=PLURAL,
            relationships=dd.AttachCaseRequestDataRelationships(findings=found),
        )
    )


def test_it_creates_attaches_and_detaches_cases(operations):
    row, first = ProjectFactory(), findings()
    made = operations.create_cases(
        dd.CreateCaseRequestArray(data=[wish(row, first, title="A", priority=dd.CasePriority.P2)])
    ).data[0]
    assert (made.attributes.title, made.attributes.priority) == ("A", "P2")
    assert str(made.relationships.project.data.id) == str(row.pk)

    more = findings(2)
    after = operations.attach_case(made.id, attach(made.id, more)).data
    assert len(after.attributes.insights) == 3

    relations = dd.DetachCaseRequestDataRelationships(findings=more)
    data = dd.DetachCaseRequestData(type=PLURAL, relationships=relations)
    assert operations.detach_case(dd.DetachCaseRequest(data=data)) is None
    assert Attachment.objects.count() == 1


def test_it_creates_and_attaches_jira_issues(operations, place, sandbox_jira):
    type_ = dd.JiraIssuesDataType.JIRA_ISSUES
    item = dd.CreateJiraIssueRequestData(
        type=type_,
        attributes=dd.CreateJiraIssueRequestDataAttributes(
            title="Rotate", fields={"labels": ["now"]}
        ),
        relationships=dd.CreateJiraIssueRequestDataRelationships(
            findings=findings(2), project=project(place.project)
        ),
    )
    made = operations.create_jira_issues(dd.CreateJiraIssueRequestArray(data=[item])).data[0]
    assert made.attributes.jira_issue.status == "COMPLETED"
    [there] = sandbox_jira.issues("SEC")
    assert made.attributes.jira_issue.result.issue_key == there.key

    url = made.attributes.jira_issue.result.issue_url
    data = dd.AttachJiraIssueRequestData(
        type=type_,
        attributes=dd.AttachJiraIssueRequestDataAttributes(jira_issue_url=url),
        relationships=dd.AttachJiraIssueRequestDataRelationships(
            findings=findings(), project=project(place.project)
        ),
    )
    after = operations.attach_jira_issue(dd.AttachJiraIssueRequest(data=data)).data
    assert (after.id, len(after.attributes.insights)) == (made.id, 3)


def test_the_client_understands_every_refusal(operations, public_client):
    row = ProjectFactory()
    with pytest.raises(NotFoundException):
        operations.attach_case("wrong-case-id", attach("wrong-case-id", findings()))
    with pytest.raises(ApiException) as refused:
        operations.create_cases(dd.CreateCaseRequestArray(data=[wish(row, dd.Findings(data=[]))]))
    assert refused.value.status == 400
    key = create_api_key("reader", scopes=[Permission.FINDINGS_READ], actor=None)[1]
    reader = SecurityMonitoringApi(public_client(key))
    with pytest.raises(ForbiddenException):
        reader.create_cases(dd.CreateCaseRequestArray(data=[wish(row, findings())]))
    assert not Case.objects.exists()
