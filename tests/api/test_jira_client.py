"""The public API's own client manages Jira accounts and issue templates on a live server."""

from __future__ import annotations

from uuid import uuid4

import pytest
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.jira_integration_api import JiraIntegrationApi

from config.accounts.roles import Permission
from tests.factories import DestinationFactory, JiraAccountFactory, JiraIssueTemplateFactory
from ticketing.models import JiraAccount, JiraIssueTemplate

pytestmark = pytest.mark.django_db(transaction=True)
TYPE = dd.JiraIssueTemplateType.JIRA_ISSUE_TEMPLATE


@pytest.fixture
def jira(public_client, make_key) -> JiraIntegrationApi:
    return JiraIntegrationApi(public_client(make_key(Permission.INTEGRATIONS)))


def new(account: JiraAccount, **fields) -> dd.JiraIssueTemplateCreateRequest:
    attributes = dd.JiraIssueTemplateCreateRequestAttributes(
        name="Vulnerability",
        project_id="10000",
        issue_type_id="10001",
        jira_account=dd.JiraIssueTemplateCreateRequestAttributesJiraAccount(id=account.pk),
        fields=fields,
    )
    data = dd.JiraIssueTemplateCreateRequestData(type=TYPE, attributes=attributes)
    return dd.JiraIssueTemplateCreateRequest(data=data)


def changed(**attributes) -> dd.JiraIssueTemplateUpdateRequest:
    said = dd.JiraIssueTemplateUpdateRequestAttributes(**attributes)
    data = dd.JiraIssueTemplateUpdateRequestData(type=TYPE, attributes=said)
    return dd.JiraIssueTemplateUpdateRequest(data=data)


def test_it_lists_accounts(jira):
    account = JiraAccountFactory()
    answer = jira.list_jira_accounts()
    assert not answer._unparsed
    [shown] = answer.data
    assert (shown.id, shown.attributes.instance_url) == (str(account.pk), account.site_url)


def test_it_deletes_an_account(jira):
    account = JiraAccountFactory()
    jira.delete_jira_account(account.pk)
    assert jira.list_jira_accounts().data == []


def test_it_reads_why_an_account_stays(jira):
    account = DestinationFactory().account
    with pytest.raises(ApiException) as raised:
        jira.delete_jira_account(account.pk)
    assert raised.value.status == 400
    assert "Unlink it" in raised.value.body["errors"][0]["detail"]


def test_it_creates_and_shows_a_template(jira):
    account = JiraAccountFactory()
    made = jira.create_jira_issue_template(new(account, labels=["security"], priority={"id": "2"}))
    assert not made._unparsed
    assert not made.data._unparsed
    assert made.data.attributes.name == "Vulnerability"
    assert made.data.relationships.jira_account.data.id == str(account.pk)
    shown = jira.get_jira_issue_template(made.data.id)
    assert shown.to_dict() == made.to_dict()
    fields = shown.data.attributes.fields
    assert (fields["labels"], fields["priority"]["id"]) == (["security"], "2")


def test_it_lists_templates(jira):
    template = JiraIssueTemplateFactory(name="Mine")
    answer = jira.list_jira_issue_templates()
    assert not answer._unparsed
    assert [(shown.id, shown.attributes.name) for shown in answer.data] == [(template.pk, "Mine")]
    assert [account.id for account in answer.included] == [str(template.account_id)]


def test_it_updates_a_template(jira):
    template = JiraIssueTemplateFactory(fields={"labels": ["a"]})
    shown = jira.update_jira_issue_template(template.pk, changed(name="Renamed"))
    assert not shown._unparsed
    assert shown.data.attributes.name == "Renamed"
    assert JiraIssueTemplate.objects.get().fields == {"labels": ["a"]}


def test_it_deletes_a_template(jira):
    template = JiraIssueTemplateFactory()
    jira.delete_jira_issue_template(template.pk)
    with pytest.raises(NotFoundException):
        jira.get_jira_issue_template(template.pk)


def test_it_reads_that_there_is_no_such_template(jira):
    with pytest.raises(NotFoundException) as raised:
        jira.update_jira_issue_template(uuid4(), changed(name="x"))
    assert raised.value.body["errors"][0]["detail"] == "issue template not found"
