"""`/api/v2/integration/jira`: accounts are listed and deleted, issue templates kept."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType, field
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts import idempotency
from config.accounts.access import answerable
from config.accounts.idempotency import answer_once
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import MAX_BYTES, check_type, read_document
from config.lib.datadog_api.ids import uuid_of
from config.lib.datadog_api.schemas import answers, schema_of
from config.lib.datadog_api.shapes import Document, NewResource, Shown, ShownWith, documented, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from ticketing import issue_templates
from ticketing.accounts import delete_account
from ticketing.allowed_spaces import SpaceClosed
from ticketing.models import JiraAccount, JiraIssueTemplate
from ticketing.selectors import connected_accounts, issue_template, issue_templates_of_all

ACCOUNT: Final = "jira-account"
TEMPLATE: Final = "jira-issue-template"
_ACCOUNT_ID = OpenApiParameter("account_id", UUID, OpenApiParameter.PATH)
_TEMPLATE_ID = OpenApiParameter("issue_template_id", UUID, OpenApiParameter.PATH)

Name = Annotated[str, Meta(min_length=1, max_length=255)]
JiraId = Annotated[str, Meta(min_length=1, max_length=64)]
Fields = Annotated[
    dict[str, Any],
    Meta(description="Jira's field id → its value, as Jira takes it."),
    documented(additionalProperties=True),
]


class _Account(Struct):
    id: UUID


class _NewAttributes(Struct):
    name: Name
    project_id: JiraId
    issue_type_id: JiraId
    account: _Account = field(name=ACCOUNT)
    fields: Fields | None = None


class _ChangedAttributes(Struct):
    name: Name | None = None
    fields: Fields | None = None
    project_id: str | None = None
    issue_type_id: str | None = None


class _AccountAttributes(Struct):
    consumer_key: Annotated[str, Meta(description="The name of the account.")]
    instance_url: str
    last_webhook_timestamp: Annotated[str | UnsetType, documented(format="date-time")] = UNSET


class _TemplateAttributes(Struct):
    name: str
    project_id: str
    issue_type_id: str
    fields: Fields


_ShownAccount = Shown[Literal["jira-account"], _AccountAttributes]


class _OfTemplate(Struct):
    account: Document[_ShownAccount] = field(name=ACCOUNT)


_ShownTemplate = ShownWith[Literal["jira-issue-template"], _TemplateAttributes, _OfTemplate]


class _One(Struct):
    data: _ShownTemplate
    included: list[_ShownAccount]


class _Many(Struct):
    data: list[_ShownTemplate]
    included: list[_ShownAccount]


_Type = Annotated[str, only(TEMPLATE)]
_New = Document[NewResource[_Type, _NewAttributes]]
_Changed = Document[NewResource[_Type, _ChangedAttributes]]
_ONE = schema_of(_One)
_DELETED = answers(204, None)


class JiraAccountsView(PublicView):
    required_permissions = {"GET": Permission.INTEGRATIONS}

    @extend_schema(
        operation_id="list_jira_accounts",
        summary="List Jira accounts",
        description="The connected ones.",
        responses=answers(200, schema_of(Document[list[_ShownAccount]])),
    )
    def get(self, request: Request) -> Response:
        return answer(Document([_account(each) for each in connected_accounts()]))


class JiraAccountView(PublicView):
    required_permissions = {"DELETE": Permission.INTEGRATIONS}

    @extend_schema(
        operation_id="delete_jira_account",
        summary="Delete a Jira account",
        description="Its secrets are forgotten and its issue templates deleted; tickets that it "
        "made stay. 400 while projects create tickets with it or tickets wait for it.",
        parameters=[_ACCOUNT_ID],
        responses=_DELETED,
    )
    def delete(self, request: Request, account_id: str) -> Response:
        pk = uuid_of(account_id, "accountid")
        try:
            account = connected_accounts().get(pk=pk)
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
        responses=answers(200, schema_of(_Many)),
    )
    def get(self, request: Request) -> Response:
        templates = list(issue_templates_of_all())
        data = [_template(template) for template in templates]
        return answer(_Many(data, _accounts_of(templates)))

    @extend_schema(
        operation_id="create_jira_issue_template",
        summary="Create a Jira issue template",
        description="What Jira thinks of its fields shows when an issue is made of it.",
        parameters=[idempotency.PARAMETER],
        request={JSON: schema_of(_New)},
        responses=answers(201, _ONE, 409, 422),
    )
    def post(self, request: Request) -> Response:
        return answer_once(request, partial(_create, request), limit=MAX_BYTES)


class IssueTemplateView(PublicView):
    required_permissions = dict.fromkeys(("GET", "PATCH", "DELETE"), Permission.INTEGRATIONS)

    @extend_schema(
        operation_id="get_jira_issue_template",
        summary="Show a Jira issue template",
        parameters=[_TEMPLATE_ID],
        responses=answers(200, _ONE),
    )
    def get(self, request: Request, issue_template_id: str) -> Response:
        pk = _template_id(issue_template_id)
        try:
            return answer(_one(issue_template(pk)))
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None

    @extend_schema(
        operation_id="update_jira_issue_template",
        summary="Change a Jira issue template",
        description="What is left out stays; `fields` replaces all of them. Its account, project "
        "and issue type stay what they are.",
        parameters=[_TEMPLATE_ID],
        request={JSON: schema_of(_Changed)},
        responses=answers(200, _ONE),
    )
    def patch(self, request: Request, issue_template_id: str) -> Response:
        pk = _template_id(issue_template_id)
        data = read_document(request, _Changed).data
        check_type(data.type, TEMPLATE, pointer="/data/type")
        said = data.attributes
        try:
            _check_place(said, issue_template(pk))
            template = issue_templates.change_template(
                pk,
                name=said.name,
                fields=said.fields,
                actor=answerable(request.user),
            )
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None
        except SpaceClosed as closed:
            raise ApiError(400, detail=str(closed)) from None
        return answer(_one(template))

    @extend_schema(
        operation_id="delete_jira_issue_template",
        summary="Delete a Jira issue template",
        parameters=[_TEMPLATE_ID],
        responses=_DELETED,
    )
    def delete(self, request: Request, issue_template_id: str) -> Response:
        pk = _template_id(issue_template_id)
        try:
            issue_templates.delete_template(pk, actor=answerable(request.user))
        except JiraIssueTemplate.DoesNotExist:
            raise _not_found() from None
        return Response(status=204)


def _template_id(sent: str) -> UUID:
    return uuid_of(sent, "issuetemplateid")


def _create(request: Request) -> Response:
    data = read_document(request, _New).data
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
    except SpaceClosed as closed:
        raise ApiError(400, detail=str(closed), pointer="/data/attributes/project_id") from None
    return answer(_one(template), status=201)


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


def _account(account: JiraAccount) -> _ShownAccount:
    heard = account.webhook_event_at
    attributes = _AccountAttributes(
        account.name, account.site_url, heard.isoformat() if heard else UNSET
    )
    return Shown(account.pk, ACCOUNT, attributes)


def _template(template: JiraIssueTemplate) -> _ShownTemplate:
    attributes = _TemplateAttributes(
        name=template.name,
        project_id=template.space_id,
        issue_type_id=template.type_id,
        fields=template.fields,
    )
    account = Document(_account(template.account))
    return ShownWith(template.pk, TEMPLATE, attributes, _OfTemplate(account))


def _one(template: JiraIssueTemplate) -> _One:
    return _One(_template(template), _accounts_of([template]))


def _accounts_of(templates: Iterable[JiraIssueTemplate]) -> list[_ShownAccount]:
    accounts = {template.account_id: template.account for template in templates}
    return [_account(account) for account in accounts.values()]
