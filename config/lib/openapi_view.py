"""The OpenAPI document, for everybody: so it is made once in each process."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Final, NamedTuple, cast

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_MAKING: Final = threading.Lock()


class _Document(NamedTuple):
    body: bytes
    etag: str


class DocumentView(SpectacularAPIView):
    """As YAML or JSON, by `Accept`; 304 to whoever has it already."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer, media_type = self.perform_content_negotiation(request, force=True)
        with _MAKING:
            document = _made(cast("Hashable", type(renderer)))
        answer = HttpResponse(document.body, content_type=media_type)
        name = f"{spectacular_settings.TITLE}.{renderer.format}"
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        answer.headers["ETag"] = document.etag
        patch_cache_control(answer, no_cache=True)
        inner = request._request  # noqa: SLF001
        return cast(HttpResponse, get_conditional_response(inner, document.etag, None, answer))


@cache
def _made(renderer: Callable[[], BaseRenderer]) -> _Document:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    body = force_bytes(renderer().render(schema, renderer_context={}))
    return _Document(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
