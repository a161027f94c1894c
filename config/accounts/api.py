"""People and keys as the public API has them: is my key good, who am I, who is there."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.access import answerable
from config.accounts.api_keys import KeyActor
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.selectors import listed_people
from config.lib.datadog_api.ids import uuid_of
from config.lib.datadog_api.paging import read_page
from config.lib.datadog_api.schemas import answers, page_parameters, schema_of
from config.lib.datadog_api.shapes import Count, Document, Shown, documented
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError

DEFAULT_SIZE, MAX_SIZE = 10, 100
FILTER, STATUS, SORT, DIRECTION = "filter", "filter[status]", "sort", "sort_dir"
MAX_FILTER = 100
ACTIVE: Final = "Active"
DISABLED: Final = "Disabled"
PENDING = "Pending"
_SORTS = {"name": "name", "email": "email", "status": "is_active", "created_at": "date_joined"}


class _Valid(Struct):
    valid: bool


class _Ok(Struct):
    status: Literal["ok"]


class _KeyAttributes(Struct):
    valid: bool
    api_key_id: UUID
    api_key_scopes: list[str]


class _UserAttributes(Struct):
    name: str
    handle: str
    email: str
    created_at: Annotated[str, documented(format="date-time")]
    disabled: bool
    service_account: bool
    status: Literal["Active", "Disabled"]
    title: str
    verified: bool


class _Counts(Struct):
    total_count: Count
    total_filtered_count: Count


class _Meta(Struct):
    page: _Counts


_Key = Shown[Literal["validate_v2"], _KeyAttributes]
_User = Shown[Literal["users"], _UserAttributes]


class _Users(Struct):
    data: list[_User]
    meta: _Meta


_ONE = schema_of(Document[_User])


class ValidateView(PublicView):
    permission_classes = [IsAuthenticated]  # whatever the key's scopes are

    @extend_schema(
        operation_id="validate",
        summary="Check a key",
        responses=answers(200, schema_of(_Valid), 401, 403, 429),
    )
    def get(self, request: Request) -> Response:
        return answer(_Valid(valid=True))


class ValidateKeyView(PublicView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="validate_v2",
        summary="Check a key, and show its scopes",
        responses=answers(200, schema_of(Document[_Key])),
    )
    def get(self, request: Request) -> Response:
        key = request.user
        if not isinstance(key, KeyActor):
            raise ApiError(403, detail="Only a key can be checked.")
        attributes = _KeyAttributes(
            valid=True, api_key_id=key.id, api_key_scopes=sorted(key.permissions)
        )
        return answer(Document(Shown(key.id, "validate_v2", attributes)))


class ValidateKeysView(PublicView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="validate_api_key",
        summary="Check an API key together with an application key",
        responses=answers(200, schema_of(_Ok)),
    )
    def get(self, request: Request) -> Response:
        return answer(_Ok("ok"))


class UsersView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="list_users",
        summary="List people",
        description="To whom cases and findings can be assigned. `filter` finds what names or "
        "addresses contain.",
        parameters=[
            *page_parameters(default=DEFAULT_SIZE, most=MAX_SIZE),
            OpenApiParameter(FILTER, str, description=f"Up to {MAX_FILTER} characters."),
            OpenApiParameter(STATUS, str, description=f"{ACTIVE}, {DISABLED}, or both by a comma."),
            OpenApiParameter(SORT, str, description=f"{', '.join(_SORTS)}, or `-name`."),
            OpenApiParameter(DIRECTION, str, enum=["asc", "desc"]),
        ],
        responses=answers(200, schema_of(_Users)),
    )
    def get(self, request: Request) -> Response:
        page = read_page(request, default=DEFAULT_SIZE, most=MAX_SIZE)
        found = User.objects.filter(_filter(request)).order_by(_order(request), "pk")
        counts = _Counts(listed_people().count(), found.count())
        return answer(_Users([_shown(user) for user in found[page.rows]], _Meta(counts)))


class UserView(PublicView):
    required_permissions = {"GET": Permission.CASES_READ}

    @extend_schema(
        operation_id="get_user",
        summary="Show a person",
        parameters=[OpenApiParameter("user_id", UUID, OpenApiParameter.PATH)],
        responses=answers(200, _ONE),
    )
    def get(self, request: Request, user_id: str) -> Response:
        user = User.objects.filter(pk=uuid_of(user_id, "userid")).first()
        if user is None:
            raise ApiError(404, detail="user not found")
        return answer(Document(_shown(user)))


class CurrentUserView(PublicView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="get_current_user",
        summary="Show who asks",
        description="Of a key: who made it, or for whom it was made.",
        responses=answers(200, _ONE, 404),
    )
    def get(self, request: Request) -> Response:
        user = answerable(request.user)
        if user is None:
            detail = "The key belongs to nobody: make one with create_api_key --for EMAIL."
            raise ApiError(404, detail=detail)
        return answer(Document(_shown(user)))


def _shown(user: User) -> _User:
    attributes = _UserAttributes(
        name=user.name,
        handle=user.email,
        email=user.email,
        created_at=user.date_joined.isoformat(),
        disabled=not user.is_active,
        service_account=False,
        status=ACTIVE if user.is_active else DISABLED,
        title=user.get_role_display(),
        verified=True,
    )
    return Shown(user.pk, "users", attributes)


def _filter(request: Request) -> Q:
    words = request.query_params.get(FILTER, "").strip()
    if len(words) > MAX_FILTER or "\0" in words:
        detail = f"A filter has up to {MAX_FILTER} characters, and no NUL."
        raise ApiError(400, detail=detail, parameter=FILTER)
    wanted = Q(name__icontains=words) | Q(email__icontains=words) if words else Q()
    statuses = [each for each in request.query_params.get(STATUS, "").split(",") if each]
    if not {ACTIVE, DISABLED, PENDING}.issuperset(statuses):
        detail = f"A status is one of {ACTIVE}, {DISABLED} and {PENDING}, of which nobody is here."
        raise ApiError(400, detail=detail, parameter=STATUS)
    named = [each == ACTIVE for each in statuses if each != PENDING]
    return wanted & Q(is_active__in=named) if statuses else wanted


def _order(request: Request) -> str:
    sort = request.query_params.get(SORT, "name")
    name = sort.removeprefix("-")
    direction = request.query_params.get(DIRECTION, "asc").lower()
    if name not in _SORTS or direction not in ("asc", "desc"):
        detail = f"Sort by one of {', '.join(_SORTS)}, asc or desc."
        raise ApiError(400, detail=detail, parameter=SORT if name not in _SORTS else DIRECTION)
    descends = sort.startswith("-") != (direction == "desc")
    return f"{'-' if descends else ''}{_SORTS[name]}"
