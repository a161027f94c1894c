"""`/api/v2/cases/projects`: where cases live, and how they are kept in step with Jira."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct, field
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import person
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.datadog_api.documents import check_type, read_document
from config.lib.datadog_api.schemas import coded, create, schema_of
from config.lib.datadog_api.shapes import Document, Shown, documented, only
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_body import JSON
from ticketing import projects
from ticketing.api.v2 import project_settings as settings
from ticketing.api.v2.asking import still_there
from ticketing.api.v2.case_asking import find_project, read_attributes
from ticketing.api.v2.finding_cases import actor_of
from ticketing.destinations import destination_of
from ticketing.models import Destination, Project

_NotKept = Annotated[Any, Meta(description="Not kept."), documented(type="string")]
_NoneKept = Annotated[Any, documented(**schema_of(list[_NotKept]))]
_Name = Annotated[str, documented(minLength=1, maxLength=100)]


class _NewProject(Struct):
    key: Annotated[str, documented(pattern="^[A-Z][A-Z0-9]{0,9}$")]
    name: _Name
    team_uuid: _NotKept = None
    enabled_custom_case_types: _NoneKept = None


class _Changes(Struct):
    name: _Name | None = None
    settings: settings.Settings | None = None
    columns_config: Annotated[Any, Meta(description="Not kept."), documented(type="object")] = None
    team_uuid: _NotKept = None
    enabled_custom_case_types: _NoneKept = None


class _ChangedProject(Struct):
    type: Annotated[str, only("project")]
    attributes: _Changes = field(default_factory=_Changes)


class _Attributes(Struct):
    key: str
    name: str
    restricted: bool
    enabled_custom_case_types: list[str]
    settings: settings.Settings


_Project = Shown[Literal["project"], _Attributes]
_ONE = schema_of(Document[_Project])


class ProjectsView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ, "POST": Permission.PROJECTS_WRITE}

    @extend_schema(
        operation_id="get_projects",
        summary="List projects",
        responses=coded(200, schema_of(Document[list[_Project]])),
    )
    def get(self, request: Request) -> Response:
        places = {place.project_id: place for place in Destination.objects.all()}
        shown = [_document(each, places.get(each.pk)) for each in Project.objects.all()]
        return answer(Document(shown))

    @extend_schema(
        operation_id="create_project",
        summary="Create a project",
        description="The key is fixed for life: 1 to 10 capital letters or digits.",
        request={JSON: create(_NewProject, type_="project")},
        responses=coded(201, _ONE),
    )
    def post(self, request: Request) -> Response:
        said = read_attributes(request, _NewProject, type_="project")
        try:
            project = projects.create_project(key=said.key, name=said.name, actor=_signer(request))
        except ValidationError as error:
            raise _refused(error) from None
        return answer(Document(_document(project, None)), status=201)


class ProjectView(PublicView):
    required_permissions = {
        "GET": Permission.CASES_READ,
        "PATCH": Permission.PROJECTS_WRITE,
        "DELETE": Permission.PROJECTS_WRITE,
    }

    @extend_schema(
        operation_id="get_project",
        summary="Show a project",
        description="By its id or its key.",
        responses=coded(200, _ONE),
    )
    def get(self, request: Request, project_id: str) -> Response:
        project = find_project(project_id)
        return answer(Document(_document(project, destination_of(project.pk))))

    @extend_schema(
        operation_id="update_project",
        summary="Change a project",
        description="Its name, and `settings.integration_jira`: where its issues are created "
        "(Jira is asked whether that place is there), and what is synced (`sync_type`: "
        "`two_way`, `once` at creation, `off`). What is not said stays; all of it is stored, or "
        "nothing.",
        request={JSON: schema_of(Document[_ChangedProject])},
        responses=coded(200, _ONE, 503),
    )
    def patch(self, request: Request, project_id: str) -> Response:
        data = read_document(request, Document[_ChangedProject]).data
        check_type(data.type, "project", pointer="/data/type")
        project = find_project(project_id)
        said = data.attributes
        present = destination_of(project.pk)
        wanted = settings.check(said.settings, present) if said.settings else None
        with still_there(), transaction.atomic():
            project = Project.objects.select_for_update().get(pk=project.pk)
            if said.name is not None:
                _rename(project, said.name, actor=_signer(request))
            if wanted:
                settings.store(project, wanted, actor=_signer(request))
        return answer(Document(_document(project, destination_of(project.pk))))

    @extend_schema(
        operation_id="delete_project",
        summary="Delete a project",
        description="Only one without cases, and that no rule creates tickets in.",
        responses=coded(204, None, 409),
    )
    def delete(self, request: Request, project_id: str) -> Response:
        project = find_project(project_id)
        try:
            with still_there():
                projects.delete_project(project, actor=_signer(request))
        except projects.ProjectInUse as error:
            raise ApiError(409, detail=str(error)) from None
        return Response(status=204)


def _rename(project: Project, name: str, *, actor: User | None) -> None:
    """A locked one: what is not said of it stays."""
    try:
        projects.edit_project(
            project,
            name=name,
            closes_with_findings=project.closes_with_findings,
            reopens_with_findings=project.reopens_with_findings,
            reopens_wont_fix=project.reopens_wont_fix,
            actor=actor,
        )
    except ValidationError as error:
        raise _refused(error) from None


def _signer(request: Request) -> User | None:
    """Whom the history names: the person; of a key it tells the name by itself."""
    return person(actor_of(request))


def _refused(error: ValidationError) -> ApiError:
    """The first thing that is wrong, at its attribute."""
    name, messages = next(iter(error.message_dict.items()))
    return ApiError(400, detail=" ".join(messages), pointer=f"/data/attributes/{name}")


def _document(project: Project, destination: Destination | None) -> _Project:
    attributes = _Attributes(
        key=project.key,
        name=project.name,
        restricted=False,
        enabled_custom_case_types=[],
        settings=settings.shown(destination),
    )
    return Shown(project.pk, "project", attributes)
