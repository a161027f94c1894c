"""`/api/v2/integration/jira`: accounts are listed and deleted, issue templates kept."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.access import answerable
from config.accounts.idempotency import answer_once
from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError
from config.lib.public.documents import MAX_BYTES, check_type, read_document
from config.lib.public.views import PublicView
from config.lib.request_body import JSON
from ticketing import issue_templates
from ticketing.accounts import delete_account
from ticketing.api.v2 import jira_integration_schemas as schemas
from ticketing.models import JiraAccount, JiraIssueTemplate
from ticketing.selectors import connected_accounts, issue_template, issue_templates_of_all

ACCOUNT, TEMPLATE = "jira-account", "jira-issue-template"
_ACCOUNT_ID = OpenApiParameter("account_id", UUID, OpenApiParameter.PATH)
_TEMPLATE_ID = OpenApiParameter("issue_template_id", UUID, OpenApiParameter.PATH)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=schemas.MAX_NAME)]
JiraId = Annotated[str, msgspec.Meta(min_length=1, max_length=schemas.MAX_JIRA_ID)]


class _Account(msgspec.Struct):
    id: UUID


class _NewAttributes(msgspec.Struct):
    name: Name
    project_id: JiraId
    issue_type_id: JiraId
    account: _Account = msgspec.field(name=ACCOUNT)
    fields: dict[str, Any] | None = None


class _New(msgspec.Struct):
    type: str
    attributes: _NewAttributes


class _NewDocument(msgspec.Struct):
    data: _New


class _ChangedAttributes(msgspec.Struct):
    name: Name | None = None
    fields: dict[str, Any] | None = None
    project_id: str | None = None
    issue_type_id: str | None = None


class _Changed(msgspec.Struct):
    type: str
    attributes: _ChangedAttributes


class _ChangedDocument(msgspec.Struct):
    data: _Changed


class JiraAccountsView(PublicView):
    required_permissions = {"GET": Permission.INTEGRATIONS}

    @extend_schema(
        operation_id="list_jira_accounts",
        summary="List Jira accounts",
        description="The connected ones.",
        responses=schemas.ACCOUNTS,
    )
    def get(self, request: Request) -> Response:
        return Response({"data": [account_document(each) for each in connected_accounts()]})


class JiraAccountView(PublicView):
    required_permissions = {"DELETE": Permission.INTEGRATIONS}

    @extend_schema(
        operation_id="delete_jira_account",
        summary="Delete a Jira account",
        description="Its secrets are forgotten and its issue templates deleted; tickets that it "
        "made stay. 400 while projects create tickets with it or tickets wait for it.",
        parameters=[_ACCOUNT_ID],
        responses=schemas.DELETED,
    )
    def delete(self, request: Request, account_id: UUID) -> Response:
        try:
            account = connected_accounts().get(pk=account_id)
            delete_account(account, actor=answerable(request.user))
        except JiraAccount.DoesNotExist:
            raise ApiError(404, detail="account not found") from None
        except ValidationError as error:
            raise ApiError(400, detail=" ".join(error.messages)) from None
        return Response(status=204)


class IssueTemplatesView(PublicView):
    required_permissions = {"GET": Permission.INTEGRATIONS, "POST": Permission.INTEGRATIONS}

    @extend_schema(
        operation_id="list_jira_issue_templates",
        summary="List Jira issue templates",
        responses=schemas.TEMPLATES,
    )
    def get(self, request: Request) -> Response:
        templates = list(issue_templates_of_all())
        data = [template_document(template) for template in templates]
        return Response({"data": data, "included": _accounts_of(templates)})

    @extend_schema(
        operation_id="create_jira_issue_template",
        summary="Create a Jira issue template",
        description="What Jira thinks of its fields shows when an issue is made of it.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schemas.CREATE},
        responses=schemas.CREATED,
    )
    def post(self, request: Request) -> Response:
        return answer_once(request, partial(_create, request), limit=MAX_BYTES)


class IssueTemplateView(PublicView):
    required_permissions = dict.fromkeys(("GET", "PATCH", "DELETE"), Permission.INTEGRATIONS)

    @extend_schema(
        operation_id="get_jira_issue_template",
        summary="Show a Jira issue template",
        parameters=[_TEMPLATE_ID],
        responses=schemas.TEMPLATE,
    )
    def get(self, request: Request, issue_template_id: UUID) -> Response:
        try:
            return Response(_one(issue_template(issue_template_id)))
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None

    @extend_schema(
        operation_id="update_jira_issue_template",
        summary="Change a Jira issue template",
        description="What is left out stays; `fields` replaces all of them. Its account, project "
        "and issue type stay what they are.",
        parameters=[_TEMPLATE_ID],
        request={JSON: schemas.UPDATE},
        responses=schemas.TEMPLATE,
    )
    def patch(self, request: Request, issue_template_id: UUID) -> Response:
        data = read_document(request, _ChangedDocument).data
        check_type(data.type, TEMPLATE, pointer="/data/type")
        said = data.attributes
        try:
            _check_place(said, issue_template(issue_template_id))
            template = issue_templates.change_template(
                issue_template_id,
                name=said.name,
                fields=said.fields,
                actor=answerable(request.user),
            )
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None
        return Response(_one(template))

    @extend_schema(
        operation_id="delete_jira_issue_template",
        summary="Delete a Jira issue template",
        parameters=[_TEMPLATE_ID],
        responses=schemas.DELETED,
    )
    def delete(self, request: Request, issue_template_id: UUID) -> Response:
        try:
            issue_templates.delete_template(issue_template_id, actor=answerable(request.user))
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None
        return Response(status=204)


def _create(request: Request) -> Response:
    data = read_document(request, _NewDocument).data
    check_type(data.type, TEMPLATE, pointer="/data/type")
    said = data.attributes
    try:
        template = issue_templates.create_template(
            said.account.id,
            name=said.name,
            space_id=said.project_id,
            type_id=said.issue_type_id,
            fields=said.fields or {},
            actor=answerable(request.user),
        )
    except JiraAccount.DoesNotExist:
        pointer = f"/data/attributes/{ACCOUNT}/id"
        raise ApiError(400, detail="account not found", pointer=pointer) from None
    return Response(_one(template), status=201)


def _not_found() -> ApiError:
    return ApiError(404, detail="issue template not found")


def _check_place(said: _ChangedAttributes, template: JiraIssueTemplate) -> None:
    """The place of a template is fixed; saying it again is no change."""
    places = {"project_id": template.space_id, "issue_type_id": template.type_id}
    for name, fixed in places.items():
        if getattr(said, name) not in (None, fixed):
            detail = "A template keeps its project and issue type; create another one instead."
            raise ApiError(400, detail=detail, pointer=f"/data/attributes/{name}")


# --- Documents ------------------------------------------------------------------------------


def account_document(account: JiraAccount) -> dict[str, Any]:
    attributes = {"consumer_key": account.name, "instance_url": account.site_url}
    if account.webhook_event_at:
        attributes["last_webhook_timestamp"] = account.webhook_event_at.isoformat()
    return {"id": str(account.pk), "type": ACCOUNT, "attributes": attributes}


def template_document(template: JiraIssueTemplate) -> dict[str, Any]:
    return {
        "id": str(template.pk),
        "type": TEMPLATE,
        "attributes": {
            "name": template.name,
            "project_id": template.space_id,
            "issue_type_id": template.type_id,
            "fields": template.fields,
        },
        "relationships": {ACCOUNT: {"data": account_document(template.account)}},
    }


def _one(template: JiraIssueTemplate) -> dict[str, Any]:
    return {"data": template_document(template), "included": _accounts_of([template])}


def _accounts_of(templates: Iterable[JiraIssueTemplate]) -> list[dict[str, Any]]:
    accounts = {template.account_id: template.account for template in templates}
    return [account_document(account) for account in accounts.values()]
