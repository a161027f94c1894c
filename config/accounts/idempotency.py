"""Sending the same request again without doing it again: the header `Idempotency-Key`.

The first answer is kept for a day under the sender's name for the request, and given again to
the same request under that name. Another body or address under it is refused (422); while the
first one is at work the second is told to wait (409). A refusal is not kept: nothing was done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.api_keys import KeyActor
from config.accounts.models import KeptAnswer, User
from config.lib.deadline import Deadline
from config.lib.jsonapi import ApiError
from config.lib.request_body import read_json_body

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)
LEASE = timedelta(minutes=15)
_CHUNK = 5_000
"""How long an upload counts as being at work. One whose process died may be sent again then."""
PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="Your name for this request, 1 to 255 printable characters. The same request "
    "under the same name within 24 hours is done once and gets the first answer again.",
)


def answer_once(
    request: Request,
    work: Callable[[], Response],
    *,
    limit: int,
    before: Callable[[], None] = lambda: None,
) -> Response:
    """Do `work` and keep its answer, in one transaction, unless it was done already.

    A process that dies leaves neither the work nor the answer. `work` must write nowhere but in
    the database. `limit` is how many bytes the body may have. `before` is called outside of the
    transaction where there is work to do: it may take its time, and refuse.
    """
    key = _key(request)
    if key is None:
        before()
        return work()
    seen = _Seen(request)
    seen.read([read_json_body(request, limit=limit)], limit=limit)
    owner = _owner(request)
    if not _current(owner, key).exists():
        before()
    with transaction.atomic():
        _lock(owner, key)
        kept = _kept(owner, key)
        if kept is not None:
            return _again(kept, seen.digest)
        answer = work()
        kept = KeptAnswer(owner=owner, key=key, digest=seen.digest, **_columns(answer))
        kept.save(force_insert=True)
    return answer


def answer_upload_once(
    request: Request, chunks: Iterable[bytes], work: Callable[[Iterator[bytes]], Response]
) -> Response:
    """The same for work that is too large for one transaction, and safe to repeat.

    It is claimed before and answered after. A process that dies in between leaves the claim,
    which holds for `LEASE`; the work is then done again, from the start.
    """
    key = _key(request)
    if key is None:
        return work(iter(chunks))
    kept, is_mine = _claim(_owner(request), key)
    seen = _Seen(request)
    if not is_mine:
        seen.read(chunks, limit=settings.IMPORT_MAX_BYTES)
        return _again(kept, seen.digest)
    try:
        answer = work(seen.passing(chunks))
    except BaseException:
        KeptAnswer.objects.filter(pk=kept.pk).delete()
        raise
    KeptAnswer.objects.filter(pk=kept.pk).update(digest=seen.digest, **_columns(answer))
    return answer


def forget_old_answers(*, seconds: float = 20) -> None:
    """In chunks: a day on which nobody forgot leaves a million."""
    deadline = Deadline(seconds)
    old = KeptAnswer.objects.filter(created_at__lte=timezone.now() - KEPT_FOR)
    while pks := list(old.order_by("created_at").values_list("pk", flat=True)[:_CHUNK]):
        KeptAnswer.objects.filter(pk__in=pks).delete()
        if deadline.is_over:
            return


class _Seen:
    """The digest of a request whose body passes by."""

    def __init__(self, request: Request) -> None:
        self._hash = hashlib.sha256(_address(request))

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._hash.update(chunk)
            yield chunk

    def read(self, chunks: Iterable[bytes], *, limit: int) -> None:
        """Up to the first chunk beyond `limit`: what is longer was never taken in."""
        for chunk in self.passing(chunks):
            limit -= len(chunk)
            if limit < 0:
                return

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _key(request: Request) -> str | None:
    key: str | None = request.headers.get(HEADER)
    if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        detail = f"{HEADER} has 1 to 255 printable ASCII characters."
        raise ApiError(400, detail=detail, header=HEADER)
    return key


def _owner(request: Request) -> UUID:
    """A key has an id of its own, and so has a person: both are random, so they never meet."""
    owner: UUID = cast(User | KeyActor, request.user).id
    return owner


def _address(request: Request) -> bytes:
    return f"{request.method} {request.get_full_path()}\n".encode()


def _lock(owner: UUID, key: str) -> None:
    """Nobody else answers this request until the transaction ends.

    SQLite has one writer at a time, so there the second request waits and gets the first answer.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"{owner} {key}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise _at_work()


def _current(owner: UUID, key: str) -> QuerySet[KeptAnswer]:
    since = timezone.now() - KEPT_FOR
    return KeptAnswer.objects.filter(owner=owner, key=key, created_at__gt=since)


def _kept(owner: UUID, key: str) -> KeptAnswer | None:
    rows = KeptAnswer.objects.filter(owner=owner, key=key)
    rows.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()
    return rows.first()


def _claim(owner: UUID, key: str) -> tuple[KeptAnswer, bool]:
    """The row, and whether the work is ours to do."""
    now = timezone.now()
    kept = _kept(owner, key)
    if kept is None:
        kept = KeptAnswer(owner=owner, key=key, created_at=now)
        try:
            with transaction.atomic():
                kept.save(force_insert=True)
        except IntegrityError:
            raise _at_work() from None  # by who was first a moment ago
        return kept, True
    if kept.status is not None:
        return kept, False
    dead = KeptAnswer.objects.filter(
        pk=kept.pk, status=None, created_at=kept.created_at, created_at__lte=now - LEASE
    )
    if not dead.update(created_at=now):
        raise _at_work()
    return kept, True


def _again(kept: KeptAnswer, digest: str) -> Response:
    if kept.status is None:
        raise _at_work()
    if kept.digest != digest:
        detail = f"Another request was sent under this {HEADER}."
        raise ApiError(422, detail=detail, header=HEADER)
    return Response(json.loads(kept.body), status=kept.status, headers={REPLAYED: "true"})


def _at_work() -> ApiError:
    detail = f"The first request under this {HEADER} is still being answered. Try again shortly."
    return ApiError(409, detail=detail, header=HEADER)


def _columns(answer: Response) -> dict[str, object]:
    return {"status": answer.status_code, "body": JSONRenderer().render(answer.data).decode()}
