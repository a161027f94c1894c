"""Answers of the API in JSON:API's words: one media type, one shape of error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from config.lib.statement_timeout import is_timeout

MEDIA_TYPE = "application/vnd.api+json"
IN_WORDS = frozenset({401, 403, 409, 429})
"""Statuses whose `errors` are plain sentences in the public API, the reason phrase first."""
Error = dict[str, Any]
"""One object of `errors`: status (text), title, detail, and source when something sent is at
fault: {"pointer": "/path/in/body"}, {"parameter": "name"} or {"header": "Name"}."""


class JsonApiRenderer(JSONRenderer):
    media_type = MEDIA_TYPE


class JsonApiNegotiation(DefaultContentNegotiation):
    """The API speaks JSON:API to everybody: `Accept: application/json` and `*/*` included.

    Known clients ask for plain JSON and read JSON:API, so `Accept` decides nothing there.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        for renderer in renderers:
            if isinstance(renderer, JsonApiRenderer):
                return renderer, renderer.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, renderers, format_suffix
        )
        return chosen


class ApiError(exceptions.APIException):
    """One error, said by the view: `ApiError(422, detail="…", pointer="/data/0/id")`."""

    def __init__(
        self,
        status: int,
        title: str | None = None,
        detail: str = "",
        pointer: str | None = None,
        *,
        parameter: str | None = None,
        header: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        source = {"pointer": pointer, "parameter": parameter, "header": header}
        self.errors = [
            error(
                status,
                detail,
                title=title,
                source={place: name for place, name in source.items() if name is not None},
            )
        ]


class ApiErrors(ApiError):
    """Several errors at once, made by `error`."""

    def __init__(self, status: int, errors: Sequence[Error]) -> None:
        super().__init__(status)
        self.errors = list(errors)


class CodedError(ApiError):
    """One error as case management says it: a code and a title, with no status inside."""

    def __init__(
        self, status: int, code: str, title: str, *, meta: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, title)
        self.errors = [{"code": code, "title": title} | ({"meta": meta} if meta else {})]


def error(
    status: int, detail: str, *, title: str | None = None, source: dict[str, str] | None = None
) -> Error:
    made: Error = {"status": str(status), "title": title or HTTPStatus(status).phrase}
    if detail:
        made["detail"] = detail
    if source:
        made["source"] = source
    return made


def error_response(status: int, detail: str, *, request_id: str = "") -> JsonResponse:
    """An answer from outside of any view: an unknown address, a crash."""
    made = error(status, detail)
    if request_id:
        made = {"id": request_id} | made
    return JsonResponse({"errors": [made]}, status=status, content_type=MEDIA_TYPE)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """What the framework calls for every exception of an API view.

    None for what nobody expected: it is logged and answered by `config.errors`.
    """
    known = _as_api_exception(exc)
    if known is None:
        return None
    headers = {}
    if auth_header := getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(known, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    errors = list(_errors(known, context.get("request")))
    return Response({"errors": errors}, status=known.status_code, headers=headers)


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    known: exceptions.APIException | None = None
    match exc:
        case exceptions.APIException():
            known = exc
        case Http404():
            known = exceptions.NotFound()
        case DjangoPermissionDenied():
            known = exceptions.PermissionDenied(*exc.args)
        case DjangoValidationError():
            known = exceptions.ValidationError(_detail_of(exc))
        case RequestDataTooBig():
            known = ApiError(413, detail="The body is too large.")
        case SuspiciousOperation() | BadRequest():
            known = ApiError(400, detail="The request could not be understood.")
        case _ if is_timeout(exc):
            detail = (
                "This takes too long: the database did not answer in time. Narrow your request."
            )
            known = ApiError(503, detail=detail)
    return known


def _detail_of(exc: DjangoValidationError) -> Any:
    if not hasattr(exc, "error_dict"):
        return exc.messages
    return {
        api_settings.NON_FIELD_ERRORS_KEY if name == "__all__" else name: messages
        for name, messages in exc.message_dict.items()
    }


def _errors(exc: exceptions.APIException, request: Request | None) -> Iterator[Error]:
    if isinstance(exc, ApiError):
        yield from exc.errors
    elif isinstance(exc, exceptions.ValidationError):
        # What has no body can only be wrong in its parameters.
        in_query = request is not None and request.method in ("GET", "HEAD", "DELETE")
        for path, message in _leaves(exc.detail, ()):
            source = _parameter(path) if in_query else _pointer(path)
            yield error(exc.status_code, message, source=source)
    else:
        yield error(exc.status_code, str(exc.detail))


Path = tuple[str, ...]


def _leaves(detail: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every message of a serializer's nested errors, with the path of what it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            is_own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _leaves(inner, path if is_own else (*path, str(name)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_item = isinstance(inner, dict | list)
            yield from _leaves(inner, (*path, str(index)) if is_item else path)
    else:
        yield path, str(detail)


def _pointer(path: Path) -> dict[str, str]:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
    return {"pointer": "".join(f"/{part}" for part in escaped)}


def _parameter(path: Path) -> dict[str, str]:
    return {"parameter": path[0] + "".join(f"[{part}]" for part in path[1:])} if path else {}
