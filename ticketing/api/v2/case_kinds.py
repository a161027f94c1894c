"""`/api/v2/cases/types` and `…/views`: there is one type, and each project has one view."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.schemas import coded, schema_of
from config.lib.datadog_api.shapes import Document, Moment, Shown, ShownWith, ToOne
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError, CodedError
from ticketing.api.v2.case_asking import find_project
from ticketing.api.v2.documents import STANDARD_TYPE, to_project
from ticketing.models import Project

PROJECT = "project_id"


class _TypeAttributes(Struct):
    name: str
    description: str
    deleted_at: Moment | None


class _ViewAttributes(Struct):
    name: str
    query: str
    created_at: Moment


class _OfView(Struct):
    project: ToOne[Literal["project"]]


_Types = Document[list[Shown[Literal["case_type"], _TypeAttributes]]]
_View = ShownWith[Literal["view"], _ViewAttributes, _OfView]
_CUSTOM_ATTRIBUTES = coded(200, schema_of(Document[list[dict[str, Any]]]))


class TypesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_case_types",
        summary="List the types of cases",
        description="There is one.",
        responses=coded(200, schema_of(_Types)),
    )
    def get(self, request: Request) -> Response:
        attributes = _TypeAttributes("Standard", "A case, with or without findings.", None)
        return answer(Document([Shown(UUID(STANDARD_TYPE), "case_type", attributes)]))


class CustomAttributesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_custom_attributes",
        summary="List custom attributes",
        description="There are none: a case keeps any `attributes`.",
        responses=_CUSTOM_ATTRIBUTES,
    )
    def get(self, request: Request) -> Response:
        return answer(Document([]))


class TypeAttributesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_custom_attribute_configs_by_case_type",
        summary="List the custom attributes of a type",
        description="There are none.",
        responses=_CUSTOM_ATTRIBUTES,
    )
    def get(self, request: Request, case_type_id: str) -> Response:
        if coded_uuid_of(case_type_id, "casetypeid") != UUID(STANDARD_TYPE):
            raise CodedError(404, "resource_not_found", "case type not found")
        return answer(Document([]))


class ViewsView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="list_case_views",
        summary="List the views of a project",
        description="There is one, of all its cases.",
        parameters=[OpenApiParameter(PROJECT, str, required=True)],
        responses=coded(200, schema_of(Document[list[_View]])),
    )
    def get(self, request: Request) -> Response:
        project_id = request.query_params.get(PROJECT, "")
        if not project_id:
            raise ApiError(400, detail="Name the project.", parameter=PROJECT)
        return answer(Document([_view(find_project(project_id))]))


class ViewView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_case_view",
        summary="Show a view",
        description="It has the id of its project.",
        responses=coded(200, schema_of(Document[_View])),
    )
    def get(self, request: Request, view_id: str) -> Response:
        return answer(Document(_view(find_project(view_id))))


def _view(project: Project) -> _View:
    attributes = _ViewAttributes("All cases", f"project:{project.key}", project.created_at)
    return ShownWith(project.pk, "view", attributes, _OfView(to_project(project.pk)))
