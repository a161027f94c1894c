"""The body of a request to the API: bounded, whatever it declares itself to be."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import BinaryIO, cast

from django.http import UnreadablePostError
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from config.lib.jsonapi import MEDIA_TYPE, ApiError

JSON = "application/json"
_READ = frozenset({JSON, MEDIA_TYPE})


def read_json_body(request: Request, *, limit: int) -> bytes:
    """The body, unpacked if it came as gzip; at most `limit` bytes before and after.

    Raises `ApiError` 400 (cut off, no gzip, no UTF-8), 413 (too large), 415 (other types).
    Asked again, it gives what it read the first time.
    """
    kept = vars(request)
    if "json_body" not in kept:
        kept["json_body"] = _checked_body(request, limit)
    body: bytes = kept["json_body"]
    return body


def _checked_body(request: Request, limit: int) -> bytes:
    if request.content_type.partition(";")[0].strip().lower() not in _READ:
        raise UnsupportedMediaType(request.content_type, f"Send {JSON}.")
    body = _read(stream_of(request), limit)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        body = _unpacked(body, limit)
    elif encoding != "identity":
        raise ApiError(415, detail="Send the body as it is or as gzip.", header="Content-Encoding")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, detail=f"The body is not UTF-8 at byte {error.start}.") from None
    return body


def stream_of(request: Request) -> BinaryIO:
    """What the server hands us. Django reads nothing of a body that declares no length
    (chunked); a server that marks the body's end itself lets us read it directly."""
    if request.META.get("wsgi.input_terminated"):
        return cast(BinaryIO, request.META["wsgi.input"])
    return cast(BinaryIO, request)


def _read(stream: BinaryIO, limit: int) -> bytes:
    """All of the stream. Only what is read counts: a declared length may be missing or wrong."""
    pieces, left = [], limit + 1
    try:
        while left > 0 and (piece := stream.read(min(left, 1024 * 1024))):
            pieces.append(piece)
            left -= len(piece)
    except UnreadablePostError:
        raise ApiError(400, detail="The body ended early.") from None
    if left <= 0:
        raise _too_large(limit)
    return b"".join(pieces)


def _unpacked(body: bytes, limit: int) -> bytes:
    """A bomb is unpacked only up to the limit."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(body)) as unpacked:
            content = unpacked.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise ApiError(400, detail="The body is not gzip.", header="Content-Encoding") from None
    if len(content) > limit:
        raise _too_large(limit)
    return content


def _too_large(limit: int) -> ApiError:
    return ApiError(413, detail=f"The body may have {limit:,} bytes.")
