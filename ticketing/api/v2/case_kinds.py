"""`/api/v2/cases/types` and `…/views`: there is one type, and each project has one view."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.jsonapi import ApiError, CodedError
from config.lib.public.views import PublicView
from ticketing.api.v2 import project_schemas as schemas
from ticketing.api.v2.case_asking import find_project
from ticketing.api.v2.case_schemas import coded
from ticketing.api.v2.documents import STANDARD_TYPE, rfc3339
from ticketing.models import Project

PROJECT = "project_id"


class TypesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_case_types",
        summary="List the types of cases",
        description="There is one.",
        responses=coded(200, schemas.TYPES),
    )
    def get(self, request: Request) -> Response:
        attributes = {
            "name": "Standard",
            "description": "A case, with or without findings.",
            "deleted_at": None,
        }
        return Response(
            {"data": [{"id": STANDARD_TYPE, "type": "case_type", "attributes": attributes}]}
        )


class CustomAttributesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_custom_attributes",
        summary="List custom attributes",
        description="There are none: a case keeps any `attributes`.",
        responses=coded(200, schemas.CUSTOM_ATTRIBUTES),
    )
    def get(self, request: Request) -> Response:
        return Response({"data": []})


class TypeAttributesView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_all_custom_attribute_configs_by_case_type",
        summary="List the custom attributes of a type",
        description="There are none.",
        responses=coded(200, schemas.CUSTOM_ATTRIBUTES),
    )
    def get(self, request: Request, case_type_id: str) -> Response:
        if case_type_id != STANDARD_TYPE:
            raise CodedError(404, "resource_not_found", "case type not found")
        return Response({"data": []})


class ViewsView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="list_case_views",
        summary="List the views of a project",
        description="There is one, of all its cases.",
        parameters=[OpenApiParameter(PROJECT, str, required=True)],
        responses=coded(200, schemas.VIEWS),
    )
    def get(self, request: Request) -> Response:
        project_id = request.query_params.get(PROJECT, "")
        if not project_id:
            raise ApiError(400, detail="Name the project.", parameter=PROJECT)
        return Response({"data": [_view(find_project(project_id))]})


class ViewView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_case_view",
        summary="Show a view",
        description="It has the id of its project.",
        responses=coded(200, schemas.ONE_VIEW),
    )
    def get(self, request: Request, view_id: str) -> Response:
        return Response({"data": _view(find_project(view_id))})


def _view(project: Project) -> dict[str, Any]:
    return {
        "id": str(project.pk),
        "type": "view",
        "attributes": {
            "name": "All cases",
            "query": f"project:{project.key}",
            "created_at": rfc3339(project.created_at),
        },
        "relationships": {"project": {"data": {"id": str(project.pk), "type": "project"}}},
    }
