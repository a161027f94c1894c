"""A file made for a person: written first, then sent without a thread of the application.

A download that nobody reads holds a temporary file and a place among the exports, until the
server drops its connection.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from config.lib.concurrency import Limiter, TooManyAtOnce, answer_too_many, client_of
from config.lib.statement_timeout import is_timeout

MAX_BYTES: Final = 512 * 1024 * 1024
MAX_SECONDS: Final = 240
EXPORTS: Final = Limiter("exports", each=2, total=6)
"""Being written or not yet sent: the disk holds so many times MAX_BYTES at most."""
_RETRY_AFTER: Final = 30
_TOOK_TOO_LONG: Final = "The database did not answer in time, so there is no file."


class _TooMuch(Exception):
    """The file would be too large, or take too long."""


class _Export(FileResponse):
    def __init__(self, *args: Any, release: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The server closes an answer; what nobody closes is at last collected.
        self._release = weakref.finalize(self, release)

    def close(self) -> None:
        super().close()
        self._release()


def export(
    request: HttpRequest, lines: Iterable[str], *, file_name: str, content_type: str
) -> HttpResponseBase:
    """The lines as a file to keep; 429 with a sentence if too many are on their way, 422 if they
    are too much for one file, 503 if the database takes too long for them. Never a part of them."""
    try:
        release = EXPORTS.acquire(client_of(request))
    except TooManyAtOnce as refusal:
        return answer_too_many(request, refusal, retry_after=_RETRY_AFTER)
    try:
        file = _written(lines)
    except _TooMuch as refusal:
        release()
        return _answer_refused(request, str(refusal), status=422)
    except BaseException as error:
        release()
        if is_timeout(error):
            return _answer_refused(request, _TOOK_TOO_LONG, status=503)
        raise
    return _Export(
        file, release=release, as_attachment=True, filename=file_name, content_type=content_type
    )


def _written(lines: Iterable[str]) -> IO[bytes]:
    with ExitStack() as unless_complete:
        file: IO[bytes] = unless_complete.enter_context(TemporaryFile())
        for line in _bounded(lines):
            file.write(line)
        file.seek(0)
        unless_complete.pop_all()
    return file


def _bounded(lines: Iterable[str]) -> Iterator[bytes]:
    ends, size = time.monotonic() + MAX_SECONDS, 0
    for text in lines:
        line = text.encode()
        size += len(line)
        if size > MAX_BYTES:
            raise _TooMuch(f"The file would be larger than {MAX_BYTES >> 20} MB.")
        if time.monotonic() > ends:
            raise _TooMuch(f"The file is not complete after {MAX_SECONDS // 60} minutes.")
        yield line


def _answer_refused(request: HttpRequest, why: str, *, status: int) -> HttpResponse:
    context = {"detail": f"{why} Narrow what you export."}
    return render(request, f"errors/{status}.html", context, status=status)
