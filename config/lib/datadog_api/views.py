"""The base of the views under /api/v2/, and the answer where there is none."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.response import Response
from rest_framework.views import APIView

from config.lib.datadog_api.missing import what_instead
from config.lib.echo import cut
from config.lib.jsonapi import IN_WORDS, ApiError, error_response, exception_handler


class PublicView(APIView):
    """Errors in the shapes of the public API. Bodies are read with `read_document`."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return _answer_publicly


def answer(document: msgspec.Struct, *, status: int = 200) -> Response:
    return Response(msgspec.to_builtins(document), status=status)


def _answer_publicly(exc: Exception, context: dict[str, Any]) -> Response | None:
    request = context["request"]
    if isinstance(exc, MethodNotAllowed):
        instead = what_instead(request.method, request.path)
        if instead is not None:
            exc = ApiError(404, detail=instead)
    answer = exception_handler(exc, context)
    if answer is not None and answer.status_code in IN_WORDS:
        answer.data = {"errors": _sentences(answer)}
    return answer


def _sentences(answer: Response) -> list[str]:
    phrase = HTTPStatus(answer.status_code).phrase
    details = [error["detail"] for error in answer.data["errors"] if "detail" in error]
    return [phrase, *details]


@csrf_exempt  # it changes nothing, whoever asks
def no_such_operation(request: HttpRequest, path: str = "") -> HttpResponse:
    """404: for an operation of the public API that is not built with what to use instead.

    Not 501, which the public API's clients take for a passing fault and repeat for 12 seconds.
    """
    instead = what_instead(str(request.method), request.path)
    return error_response(404, instead or f"There is nothing at {cut(request.path)}.")
