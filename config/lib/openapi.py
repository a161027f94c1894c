"""The errors that every operation may answer with, written into the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from msgspec import Meta, Struct

from config.lib.datadog_api.schemas import OUR_ERRORS, errors_of, schema_of
from config.lib.datadog_api.shapes import Error, Errors, documented
from config.lib.jsonapi import MEDIA_TYPE


class Sentences(Struct):
    errors: Annotated[
        list[str],
        Meta(description="The reason phrase of the status, then what else there is to say."),
    ]


class _Coded(Struct):
    code: str
    title: str


class CodedErrors(Struct):
    errors: list[Annotated[Any, documented(anyOf=[schema_of(Error), schema_of(_Coded)])]]


_NOUNS = (
    ("/api/v2/security/findings/automation", "Rules"),
    ("/api/v2/security/findings/cases", "Tickets"),
    ("/api/v2/security/findings/jira_issues", "Tickets"),
    ("/api/v2/security/findings", "Findings"),
    ("/api/v1/findings", "Findings"),
    ("/api/v1/imports", "Imports"),
    ("/api/v2/cases/projects", "Projects"),
    ("/api/v2/cases", "Cases"),
    ("/api/v2/integration/jira", "Jira"),
    ("/api/v1/jira", "Jira"),
)
"""Under which heading an operation is found, by the start of its path; the first that fits."""
_WRITES = ("post", "put", "patch")


def document_errors(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """A hook of the schema generator; what a view documents itself is left alone.

    It puts each operation under its noun, too.
    """
    shapes = result.setdefault("components", {}).setdefault("schemas", {})
    shapes |= {each.__name__: schema_of(each) for each in (Errors, Sentences, CodedErrors)}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            operation["tags"] = [_noun(path)]
            for status in _possible(path, method):
                operation["responses"].setdefault(str(status.value), _response(path, status))
    return result


def _noun(path: str) -> str:
    return next((noun for start, noun in _NOUNS if path.startswith(start)), "Keys")


def _possible(path: str, method: str) -> list[HTTPStatus]:
    possible = [
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
    ]
    if "{" in path:
        possible.append(HTTPStatus.NOT_FOUND)
    if method in _WRITES:
        possible += [HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
    return possible


def _response(path: str, status: HTTPStatus) -> dict[str, Any]:
    is_public = path.startswith("/api/v2/")
    return {
        "description": status.phrase,
        "content": {MEDIA_TYPE: {"schema": errors_of(status) if is_public else OUR_ERRORS}},
    }
